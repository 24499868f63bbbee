"""Servers that confuse the requests of a kept connection."""

from __future__ import annotations

from collections.abc import Callable

from .kit import Theme, is_get
from .messages import Answer, Forward, Handler, Request, Response

THEME = Theme("connection")

_KEEP_ALIVE = "transport.keep-alive"
_ECHO = "response.echo.Uri response.echo.DomainName"


def _repeating(every: int, after_error: bool = False) -> Callable[[], Handler]:
    """Some answers on a kept connection are those of the request before."""

    def build() -> Handler:
        previous: dict[int, Response] = {}

        def handler(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            if not is_get(request):
                return answer
            before = previous.get(request.connection)
            previous[request.connection] = answer
            due = before is not None and request.number % every == 0
            if due and before is not None and (before.status >= 400 or not after_error):
                return before
            return answer

        return handler

    return build


THEME.add_stateful(
    "answers-one-behind",
    "On a kept connection every answer is that of the request before.",
    f"{_KEEP_ALIVE} {_ECHO} missing.integration request.Uri.maxLength response.status",
    _repeating(1),
)
THEME.add_stateful(
    "answers-of-before-sometimes",
    "On a kept connection every fifth answer is that of the request before.",
    f"{_KEEP_ALIVE} {_ECHO} missing.integration missing.domain request.Uri.maxLength response.status",
    _repeating(5),
)
THEME.add_stateful(
    "errors-again",
    "After an error the next request on the connection is answered with the same error.",
    f"{_KEEP_ALIVE} response.status request.valid",
    _repeating(1, after_error=True),
)


def _only_first() -> Handler:
    """Only the first request of a connection is answered rightly; later ones lose their body."""

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        return answer.with_body(b"") if request.number > 1 and is_get(request) else answer

    return handler


THEME.add_stateful(
    "first-on-a-connection-only",
    "Only the first answer on a connection has a body.",
    f"{_KEEP_ALIVE} response.body.json error.body.json",
    _only_first,
)


def _undrained() -> Handler:
    """The body of a request that was answered with an error is taken for the next request."""
    dirty: set[int] = set()

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if not is_get(request):
            return answer
        if request.connection in dirty:
            dirty.discard(request.connection)
            return Response(400, (("Content-Type", "text/html"),), b"<h1>Bad request syntax</h1>")
        if answer.status == 403 and request.body:
            dirty.add(request.connection)
        return answer

    return handler


THEME.add_stateful(
    "body-left-after-refusal",
    "The body of a request that was refused is taken for the next request on the connection.",
    f"{_KEEP_ALIVE} response.status request.valid error.type error.content-type error.body.json",
    _undrained,
)
