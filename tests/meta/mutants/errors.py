"""Servers whose errors have a wrong status, type, form or body."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from .fates import page
from .kit import Theme, changed, headed, on_error, on_status, sets
from .messages import Handler, Response

THEME = Theme("error")

_JSON = (("Content-Type", "application/json"),)

# --- The type -----------------------------------------------------------------------------------------------


def untyped(answer: Response) -> Response:
    """The answer without a type."""
    return answer.with_type(None)


def _member(name: str, value: Callable[[Response], Any]) -> Handler:
    """A member of the body in place of the type."""
    return on_error(lambda answer: changed(untyped(answer), lambda d: {**d, name: value(answer)}))


def _typed(name: str | Callable[[str], str], of: Callable[[Response], bool] = lambda answer: True) -> Handler:
    """Another type, for some errors."""

    def change(answer: Response) -> Response:
        return answer.with_type(name(answer.error_type or "") if callable(name) else name)

    return on_error(lambda answer: change(answer) if of(answer) else answer)


THEME["error.type"] = {
    "type-missing: No error carries a type.": on_error(untyped),
    **{
        f"type-missing-of-{status}: Errors of status {status} carry no type.": on_status(status, untyped)
        for status in (400, 403, 404)
    },
    **{
        f"type-under-{header}: The type stands in {header}.": on_error(
            lambda a, header=header: untyped(a).with_header(header, a.error_type or "Unknown")
        )
        for header in ("X-Amzn-Error-Type", "X-Error-Type")
    },
    **{
        f"type-in-{member}: The type stands in the body as {member}.": _member(member, lambda a: a.error_type)
        for member in ("type", "Code", "errorType")
    },
    "type-in-an-object: The type stands in the body in an object.": on_error(
        lambda a: untyped(a).with_document({"error": {"code": a.error_type, "message": "no"}})
    ),
    "type-empty: The type is an empty string.": _typed(""),
    "type-a-number: The type is a number in the body.": _member("__type", lambda a: a.status),
}
for _due, _names in {
    "BadRequestException": ("ValidationException", "BadRequest"),
    "ResourceNotFoundException": ("NotFoundException", "ResourceNotFound"),
    "AccessDeniedException": ("AccessDenied", "ForbiddenException"),
    "ThrottlingException": ("TooManyRequestsException", "SlowDown"),
}.items():
    THEME[f"error.{_due}.type"] = {
        f"{_due}-named-{name}: {_due} is spelt {name}.": _typed(name, lambda a, due=_due: a.error_type == due)
        for name in _names
    }
for _name, _description, _statuses, _type in (
    ("all-of-one-type", "Every error is a", range(400, 500), "BadRequestException"),
    ("all-internal", "Every error is an", range(400, 500), "InternalServerException"),
    ("bad-request-internal", "Invalid input is answered 400", (400,), "InternalServerException"),
    ("missing-is-bad-request", "What does not exist is answered 404", (404,), "BadRequestException"),
):
    THEME[f"error.{_type}.status"] = {
        f"{_name}: {_description} {_type}.": _typed(_type, lambda a, statuses=_statuses: a.status in statuses)
    }
THEME["error.BadRequestException.type error.ResourceNotFoundException.type"] = {
    "type-in-lower-case: The type is in lower case.": _typed(str.lower),
    "type-is-the-message: The type is a sentence.": _typed("The input you provided is invalid."),
}

# --- The status ---------------------------------------------------------------------------------------------
_THROTTLED = "throttling.nothing-else throttling.occurs"
_INPUT = "request.Uri.maxLength request.Uri.minLength request.Uri.required"
for _due, _clauses, _statuses in (
    ("BadRequestException", "", (404, 409, 422)),
    ("ResourceNotFoundException", "", (400, 403, 410)),
    ("AccessDeniedException", "", (400, 401, 404)),
    ("ThrottlingException", _THROTTLED, (400, 403, 503)),
    ("BadRequestException", _INPUT, (200, 500)),
    ("ResourceNotFoundException", "missing.domain missing.integration", (200, 500)),
    ("AccessDeniedException", "access.unauthorized", (200, 500)),
):
    THEME[f"error.{_due}.status {_clauses}"] = {
        f"{_due}-as-{status}: The error {_due} has status {status}.": on_error(
            lambda a, due=_due, status=status: a.with_status(status) if a.error_type == due else a
        )
        for status in _statuses
    }
THEME["request.Uri.maxLength missing.domain missing.integration error.BadRequestException.status"] = {
    "status-500-for-all: Every error has status 500, and its type.": on_error(lambda a: a.with_status(500))
}
THEME["error.ResourceNotFoundException.status"] = {
    "status-400-for-all: Every error has status 400, and its type.": on_error(lambda a: a.with_status(400))
}

# --- The body -----------------------------------------------------------------------------------------------


def _kept_type(answer: Response, body: bytes) -> Response:
    """Another body, with the type in the header, so that only the body is wrong."""
    return replace(answer.with_type(answer.error_type), body=body)


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
THEME["error.body.json"] = {
    **{
        f"body-{name}: The body {description}.": on_error(lambda a, body=body: _kept_type(a, body))
        for name, description, body in _BODIES
    },
    **{
        f"body-text-of-{status}: It is text.": on_status(status, lambda a: _kept_type(a, b"No."))
        for status in (400, 403, 404)
    },
}
THEME["error.body.type"] = {
    f"body-{name}: The body of an error is a JSON {name}.": on_error(
        lambda a, value=document: a.with_type(a.error_type).with_document(value)
    )
    for name, document in (("array", [{"Message": "no"}]), ("string", "no"), ("null", None))
}
for _name in ("Message", "message"):
    THEME[f"error.{_name}.type"] = {
        f"{_name}-{kind}: The member {_name} of an error is of a wrong type: {kind}.": on_error(
            partial(changed, change=sets(_name, value))
        )
        for kind, value in (("number", 404), ("object", {"en": "no"}))
    }

THEME["error.content-type"] = {
    **{
        f"content-type-{name}: It is {value or 'missing'}.": on_error(headed("Content-Type", value))
        for name, value in (
            ("html", "text/html"),
            ("text", "text/plain"),
            ("missing", None),
            ("xml", "application/xml"),
        )
    },
    **{
        f"content-type-html-of-{status}: It is HTML.": on_status(status, headed("Content-Type", "text/html"))
        for status in (400, 404)
    },
}
THEME["error.type error.body.json error.content-type"] = {
    "page-of-a-framework: What does not exist is answered with a framework's own page, in HTML.": on_status(
        404, lambda _: page(404).with_header("Content-Type", "text/html; charset=utf-8")
    )
}
THEME["error.type"] = {
    "detail-of-a-framework: Invalid input gets a framework's own JSON.": on_status(
        400, lambda _: Response(400, _JSON, b'{"detail": "Validation error"}')
    )
}

# --- Routes -------------------------------------------------------------------------------------------------
for _route, _when in (
    ("path", lambda r: r.operation is None and r.method == "POST"),
    ("method", lambda r: r.operation is None and r.method not in ("POST", "HEAD", "OPTIONS")),
):
    THEME[f"routing.{_route}"] = {
        f"unknown-{_route}-{name}: It is answered {fate.status}.": on_error(lambda _, fate=fate: fate, _when)
        for name, fate in (
            ("found", Response(200, _JSON, b"{}")),
            ("crashes", Response(500, _JSON, b"{}")),
            ("unimplemented", Response(501, _JSON, b"{}")),
            ("redirected", Response(301, (("Location", "/"),))),
        )
    }
