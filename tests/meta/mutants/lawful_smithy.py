"""Lawful habits of servers that Smithy generates, in Rust and in Java, where no operation comes to answer."""

from dataclasses import replace

from . import lawful_forms as forms
from .kit import NOTHING, Theme, always, answers, chain, on_answer
from .messages import Answer, Handler, Request, Response
from .signing import claim_of, unauthenticated

THEME = Theme("lawful-smithy")

_JSON = ("Content-Type", "application/json")


def _framework(status: int, error_type: str | None = None, body: bytes = b"") -> Response:
    headers = (_JSON, ("X-Amzn-Errortype", error_type)) if error_type else ()
    return Response(status, headers, body)


def _unrouted(status: int, answer: Response) -> Handler:
    """Answers what has no route, by the status that the base has for it, before it looks at a signature."""

    def change(request: Request, given: Response) -> Answer:
        lost = request.operation is None and 400 <= given.status < 500
        is_path = "integrations" not in request.path.split("/")[3:4] or request.path.count("/") > 3
        if not lost or (unauthenticated(given) and claim_of(request) is None):
            return given
        return answer if is_path == (status == 404) else given

    return on_answer(change, always)


_unread = _framework(415, "UnsupportedMediaTypeException", b"{}")
_unwanted = _framework(406, "NotAcceptableException", b"{}")
_ACCEPTABLE = {"", "*/*", "application/*", "application/json"}

rust_path = _unrouted(404, _framework(404, "UnknownOperationException"))
rust_method = _unrouted(405, _framework(405))
java_path = _unrouted(404, _framework(404).with_header("Connection", "close"))
java_method = _unrouted(405, _framework(404).with_header("Connection", "close"))
media_type = answers(lambda r: r.media_type != "application/json", _unread)
accept = answers(
    lambda r: _ACCEPTABLE.isdisjoint(
        each.partition(";")[0].strip() for each in (r.header("accept") or "").split(",")
    ),
    _unwanted,
)
unreadable = on_answer(
    lambda r, a: (
        a.with_type("SerializationException")
        if a.error_type == "BadRequestException" and not isinstance(r.document, dict)
        else a
    )
)
bare_errors = on_answer(
    lambda r, a: (
        replace(a.with_type(a.error_type), body=b"{}")
        if a.status >= 400 and a.error_type and not a.header("content-encoding")
        else a
    )
)
_COMMON = (media_type, accept, unreadable, bare_errors, forms.typed(lambda a, name: a.with_type(name)))
THEME[NOTHING] = {
    "rust-path: An unknown path is answered 404, typed, without a body.": rust_path,
    "rust-method: An unknown method is answered 405, and nothing else.": rust_method,
    "java-path: An unknown path is answered 404, and nothing else, and closes.": java_path,
    "java-method: An unknown method is answered 404, and nothing else, and closes.": java_method,
    "media-type: A wrong or missing Content-Type is answered 415 and an empty object.": media_type,
    "accept: An Accept without JSON is answered 406 and an empty object.": accept,
    "unreadable: What cannot be deserialised is a SerializationException.": unreadable,
    "bare-errors: Errors have a type in the header, and an empty object for a body.": bare_errors,
    "rust: All habits of a server in Rust.": chain(rust_path, rust_method, *_COMMON),
    "java: All habits of a server in Java.": chain(java_path, java_method, *_COMMON, forms.framed("chunked")),
}
