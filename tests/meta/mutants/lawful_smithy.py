"""Lawful habits of servers that Smithy generates, in Rust and in Java, where no operation comes to answer."""

from dataclasses import replace

from . import lawful_forms as forms
from .kit import Theme, answers, chain, on_answer
from .lawful_choices import unrouted
from .messages import Request, Response

THEME = Theme("lawful-smithy")

_JSON = ("Content-Type", "application/json")


def _framework(status: int, error_type: str | None = None, body: bytes = b"") -> Response:
    headers = (_JSON, ("X-Amzn-Errortype", error_type)) if error_type else ()
    return Response(status, headers, body)


def _is_path(request: Request) -> bool:
    return "integrations" not in request.path.split("/")[3:4] or request.path.count("/") > 3


def _is_method(request: Request) -> bool:
    return not _is_path(request)


_unread = _framework(415, "UnsupportedMediaTypeException", b"{}")
_unwanted = _framework(406, "NotAcceptableException", b"{}")
_ACCEPTABLE = {"", "*/*", "application/*", "application/json"}

rust_path = unrouted(_framework(404, "UnknownOperationException"), _is_path)
rust_method = unrouted(_framework(405), _is_method)
java_path = unrouted(_framework(404).with_header("Connection", "close"), _is_path)
java_method = unrouted(_framework(404).with_header("Connection", "close"), _is_method)
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
THEME[forms.NOTHING] = {
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
