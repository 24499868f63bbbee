"""Servers that confuse the requests of a kept connection."""

from collections.abc import Callable

from .fates import page
from .kit import Theme, observes, on_answer
from .messages import Answer, Handler, Request, Response

THEME = Theme("connection")

_KEEP_ALIVE = "transport.keep-alive"
_ECHO = f"{_KEEP_ALIVE} response.echo.Uri response.echo.DomainName request.Uri.maxLength response.status"


def _repeating(every: int, least: int = 200) -> Handler:
    """Some answers on a kept connection are those of the request before, if that had such a status."""

    def change(previous: dict[int, Response], request: Request, answer: Response) -> Answer:
        before = previous.get(request.connection)
        previous[request.connection] = answer
        due = before is not None and request.number % every == 0 and before.status >= least
        return before if due and before is not None else answer

    return observes(dict)(change)


THEME[f"{_ECHO} missing.integration"] = {
    "answers-one-behind: On a kept connection every answer is that of the request before.": _repeating(1)
}
THEME[f"{_ECHO} missing.integration missing.domain"] = {
    "answers-of-before-sometimes: Every fifth is that of the request before.": _repeating(5)
}
THEME[f"{_KEEP_ALIVE} response.status request.valid"] = {
    "errors-again: After an error the next request gets the same error.": _repeating(1, 400)
}
THEME[f"{_KEEP_ALIVE} response.body.json error.body.json"] = {
    "first-on-a-connection-only: Only the first answer on a connection has a body.": on_answer(
        lambda r, a: a.with_body(b"") if r.number > 1 else a
    )
}


def _undrained(left: Callable[[Request, Response], bool]) -> Handler:
    """The body of some requests is taken for the next request on the connection."""

    def change(dirty: set[int], request: Request, answer: Response) -> Answer:
        if request.connection in dirty:
            dirty.discard(request.connection)
            return page(400, "<h1>Bad request syntax</h1>")
        if request.body and left(request, answer):
            dirty.add(request.connection)
        return answer

    return observes(set)(change)


THEME[f"{_KEEP_ALIVE} response.status request.valid error.type error.content-type error.body.json"] = {
    f"body-left-{name}: The body of one {description} is taken for the next.": _undrained(left)
    for name, description, left in (
        ("after-refusal", "that was refused", lambda r, a: a.status == 403),
        ("unsigned", "that nobody signed", lambda r, a: a.status == 403 and 0 < len(r.body) < 1000),
        ("in-chunks", "with a chunked body", lambda r, a: r.chunked),
    )
}
