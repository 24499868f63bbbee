"""Servers that confuse the requests of a kept connection."""

from __future__ import annotations

from collections.abc import Callable

from .kit import Build, Theme, observes, on_answer
from .messages import Answer, Request, Response

THEME = Theme("connection")

_KEEP_ALIVE = "transport.keep-alive"
_ECHO = "response.echo.Uri response.echo.DomainName"


_FEW = "request.Uri.maxLength response.status"


def _repeating(every: int, least: int = 200) -> Build:
    """Some answers on a kept connection are those of the request before, if that had such a status."""

    def change(previous: dict[int, Response], request: Request, answer: Response) -> Answer:
        before = previous.get(request.connection)
        previous[request.connection] = answer
        due = before is not None and request.number % every == 0 and before.status >= least
        return before if due and before is not None else answer

    return observes(dict)(change)


THEME.add_stateful(
    "answers-one-behind",
    "On a kept connection every answer is that of the request before.",
    f"{_KEEP_ALIVE} {_ECHO} missing.integration {_FEW}",
    _repeating(1),
)
THEME.add_stateful(
    "answers-of-before-sometimes",
    "On a kept connection every fifth answer is that of the request before.",
    f"{_KEEP_ALIVE} {_ECHO} missing.integration missing.domain {_FEW}",
    _repeating(5),
)
THEME.add_stateful(
    "errors-again",
    "After an error the next request on the connection is answered with the same error.",
    f"{_KEEP_ALIVE} response.status request.valid",
    _repeating(1, 400),
)
THEME.add(
    "first-on-a-connection-only",
    "Only the first answer on a connection has a body.",
    f"{_KEEP_ALIVE} response.body.json error.body.json",
    on_answer(lambda request, answer: answer.with_body(b"") if request.number > 1 else answer),
)
_LEFT = f"{_KEEP_ALIVE} response.status request.valid error.type error.content-type error.body.json"


_UNREAD = Response(400, (("Content-Type", "text/html"),), b"<h1>Bad request syntax</h1>")


def _undrained(left: Callable[[Request, Response], bool]) -> Build:
    """The body of some requests is taken for the next request on the connection."""

    def change(dirty: set[int], request: Request, answer: Response) -> Answer:
        if request.connection in dirty:
            dirty.discard(request.connection)
            return _UNREAD
        if request.body and left(request, answer):
            dirty.add(request.connection)
        return answer

    return observes(set)(change)


for _name, _description, _of in (
    ("after-refusal", "that was refused", lambda request, answer: answer.status == 403),
    ("in-chunks", "with a chunked body", lambda request, answer: request.chunked),
):
    THEME.add_stateful(
        f"body-left-{_name}",
        f"The body of a request {_description} is taken for the next request on the connection.",
        _LEFT,
        _undrained(_of),
    )
