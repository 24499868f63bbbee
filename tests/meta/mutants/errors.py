"""Servers whose errors have a wrong status, type, form or body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .kit import Theme, bind, changed, on_error, on_status
from .messages import Answer, Handler, Request, Response

THEME = Theme("error")
_add = THEME.add

_MEMBERS = ("Message", "message")

# --- The type -----------------------------------------------------------------------------------------------


def _untyped(answer: Response) -> Response:
    return answer.with_type(None)


def _hidden(header: str) -> Callable[[Response], Response]:
    """The type under a header that no client reads."""
    return lambda answer: _untyped(answer).with_header(header, answer.error_type or "Unknown")


_add("type-missing", "No error carries a type.", "error.type", on_error(_untyped))
for _status in (400, 403, 404):
    _add(
        f"type-missing-of-{_status}",
        f"Errors of status {_status} carry no type.",
        "error.type",
        on_status(_status, _untyped),
    )
for _header in ("X-Amzn-Error-Type", "X-Error-Type"):
    _add(f"type-under-{_header}", f"The type stands in {_header}.", "error.type", on_error(_hidden(_header)))
for _member in ("type", "Code", "errorType"):
    _add(
        f"type-in-{_member}",
        f"The type stands in the body as {_member}.",
        "error.type",
        on_error(
            bind(
                _member,
                lambda member, answer: changed(
                    _untyped(answer), lambda document: {**document, member: answer.error_type}
                ),
            )
        ),
    )
_add(
    "type-in-an-object",
    "The type stands in the body in an object.",
    "error.type",
    on_error(
        lambda answer: _untyped(answer).with_document({"error": {"code": answer.error_type, "message": "no"}})
    ),
)
_add(
    "type-empty", "The type is an empty string.", "error.type", on_error(lambda answer: answer.with_type(""))
)
_add(
    "type-a-number",
    "The type is a number in the body.",
    "error.type",
    on_error(
        lambda answer: changed(_untyped(answer), lambda document: {**document, "__type": answer.status})
    ),
)


def _renamed(due: str, name: str) -> Handler:
    return on_error(lambda answer: answer.with_type(name) if answer.error_type == due else answer)


for _due, _names in {
    "BadRequestException": ("ValidationException", "BadRequest"),
    "ResourceNotFoundException": ("NotFoundException", "ResourceNotFound"),
    "AccessDeniedException": ("AccessDenied", "ForbiddenException"),
    "ThrottlingException": ("TooManyRequestsException", "SlowDown"),
}.items():
    for _name in _names:
        _add(
            f"{_due}-named-{_name}",
            f"The type {_due} is spelt {_name}.",
            f"error.{_due}.type",
            _renamed(_due, _name),
        )
for _name, _description, _statuses, _type in (
    ("all-of-one-type", "Every error is a", range(400, 500), "BadRequestException"),
    ("all-internal", "Every error is an", range(400, 500), "InternalServerException"),
    ("bad-request-internal", "Invalid input is answered 400", (400,), "InternalServerException"),
    ("missing-is-bad-request", "What does not exist is answered 404", (404,), "BadRequestException"),
):
    _add(
        _name,
        f"{_description} {_type}.",
        f"error.{_type}.status",
        on_error(
            bind(
                (_statuses, _type),
                lambda due, answer: answer.with_type(due[1]) if answer.status in due[0] else answer,
            )
        ),
    )
_add(
    "type-in-lower-case",
    "The type is in lower case.",
    "error.BadRequestException.type error.ResourceNotFoundException.type",
    on_error(lambda answer: answer.with_type((answer.error_type or "").lower())),
)
_add(
    "type-is-the-message",
    "The type is a sentence.",
    "error.BadRequestException.type error.ResourceNotFoundException.type",
    on_error(lambda answer: answer.with_type("The input you provided is invalid.")),
)

# --- The status ---------------------------------------------------------------------------------------------


def _restated(due: str, status: int) -> Handler:
    return on_error(lambda answer: answer.with_status(status) if answer.error_type == due else answer)


for _due, _statuses in {
    "BadRequestException": (404, 409, 422),
    "ResourceNotFoundException": (400, 403, 410),
    "AccessDeniedException": (400, 401, 404),
    "ThrottlingException": (400, 403, 503),
}.items():
    for _status in _statuses:
        _add(
            f"{_due}-as-{_status}",
            f"The error {_due} has status {_status}.",
            f"error.{_due}.status"
            + (" throttling.nothing-else throttling.occurs" if _due == "ThrottlingException" else ""),
            _restated(_due, _status),
        )
_CLAUSES = {
    "BadRequestException": "request.Uri.maxLength request.Uri.minLength request.Uri.required",
    "ResourceNotFoundException": "missing.domain missing.integration",
    "AccessDeniedException": "access.unauthorized",
}
for _due, _clauses in _CLAUSES.items():
    for _status in (200, 500):
        _add(
            f"{_due}-as-{_status}",
            f"The error {_due} has status {_status}.",
            f"{_clauses} error.{_due}.status",
            _restated(_due, _status),
        )
_add(
    "status-500-for-all",
    "Every error is answered 500, with its own type.",
    "request.Uri.maxLength missing.domain missing.integration error.BadRequestException.status",
    on_error(lambda answer: answer.with_status(500)),
)
_add(
    "status-400-for-all",
    "Every error is answered 400, with its own type.",
    "error.ResourceNotFoundException.status",
    on_error(lambda answer: answer.with_status(400)),
)

# --- The body -----------------------------------------------------------------------------------------------


def _kept_type(answer: Response, body: bytes) -> Response:
    """Another body, with the type in the header, so that only the body is wrong."""
    return replace(answer.with_type(answer.error_type), body=body)


def _with_member(member: str, value: Any) -> Handler:
    return on_error(lambda answer: changed(answer, lambda document: {**document, member: value}))


_BODIES: tuple[tuple[str, str, bytes], ...] = (
    ("html", "is HTML", b"<html><body><h1>Error</h1></body></html>"),
    ("text", "is text", b"Not Found"),
    ("empty", "is empty", b""),
    ("truncated", "ends too early", b'{"Message": "The input'),
    ("xml", "is XML", b"<Error><Code>NoSuchKey</Code></Error>"),
    ("nan", "has NaN", b'{"Message": "no", "Retry": NaN}'),
    ("single-quotes", "has single quotes", b"{'Message': 'no'}"),
    ("invalid-utf-8", "is no UTF-8", b'{"Message": "caf\xe9"}'),
)
for _name, _description, _body in _BODIES:
    _add(
        f"body-{_name}",
        f"The body of an error {_description}, under the right type and Content-Type.",
        "error.body.json",
        on_error(bind(_body, lambda body, answer: _kept_type(answer, body))),
    )
for _status in (400, 403, 404):
    _add(
        f"body-text-of-{_status}",
        f"The body of errors of status {_status} is text.",
        "error.body.json",
        on_status(_status, lambda answer: _kept_type(answer, b"No.")),
    )
_DOCUMENTS: tuple[tuple[str, Any], ...] = (("array", [{"Message": "no"}]), ("string", "no"), ("null", None))
for _name, _document in _DOCUMENTS:
    _add(
        f"body-{_name}",
        f"The body of an error is a JSON {_name}.",
        "error.body.type",
        on_error(
            bind(
                _document,
                lambda document, answer: answer.with_type(answer.error_type).with_document(document),
            )
        ),
    )
for _member in _MEMBERS:
    for _name, _value in (("number", 404), ("object", {"en": "no"})):
        _add(
            f"{_member}-{_name}",
            f"The member {_member} of an error is of a wrong type: {_name}.",
            f"error.{_member}.type",
            _with_member(_member, _value),
        )
for _name, _media_type in (
    ("html", "text/html"),
    ("text", "text/plain"),
    ("missing", None),
    ("xml", "application/xml"),
):
    _add(
        f"content-type-{_name}",
        f"The Content-Type of an error is {_media_type or 'missing'}.",
        "error.content-type",
        on_error(bind(_media_type, lambda value, answer: answer.with_header("Content-Type", value))),
    )
for _status in (400, 404):
    _add(
        f"content-type-html-of-{_status}",
        f"The Content-Type of errors of status {_status} is HTML.",
        "error.content-type",
        on_status(_status, lambda answer: answer.with_header("Content-Type", "text/html")),
    )
_PAGE = b"<!doctype html><title>404 Not Found</title><p>The requested URL was not found on the server.</p>"
_add(
    "page-of-a-framework",
    "What does not exist is answered with a framework's own page, in HTML.",
    "error.type error.body.json error.content-type",
    on_status(404, lambda _: Response(404, (("Content-Type", "text/html; charset=utf-8"),), _PAGE)),
)
_add(
    "detail-of-a-framework",
    "Invalid input is answered with a framework's own JSON, without a type.",
    "error.type",
    on_status(
        400,
        lambda _: Response(400, (("Content-Type", "application/json"),), b'{"detail": "Validation error"}'),
    ),
)

# --- Routes -------------------------------------------------------------------------------------------------


def _is_nowhere(request: Request) -> bool:
    return request.operation is None and request.method == "POST"


def _is_unknown_method(request: Request) -> bool:
    return request.operation is None and request.method not in ("POST", "HEAD", "OPTIONS")


_ROUTE_FATES: tuple[tuple[str, str, Answer], ...] = (
    ("found", "200", Response(200, (("Content-Type", "application/json"),), b"{}")),
    ("crashes", "500", Response(500, (("Content-Type", "application/json"),), b"{}")),
    ("unimplemented", "501", Response(501, (("Content-Type", "application/json"),), b"{}")),
    ("redirected", "301", Response(301, (("Location", "/"),))),
)
for _route, _clause, _when in (
    ("path", "routing.path", _is_nowhere),
    ("method", "routing.method", _is_unknown_method),
):
    for _name, _description, _fate in _ROUTE_FATES:
        _add(
            f"unknown-{_route}-{_name}",
            f"An unknown {_route} is answered {_description}.",
            _clause,
            on_error(bind(_fate, lambda fate, _: fate), _when),
        )
