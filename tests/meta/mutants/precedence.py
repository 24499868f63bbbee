"""Servers that stumble over two faults at once."""

from __future__ import annotations

from collections.abc import Callable

from .access import not_there
from .kit import Theme, on_answer, valid_name, valid_uri
from .messages import MISSING, Answer, Handler, Request, Response, error, ok
from .signing import is_by, unauthenticated

THEME = Theme("precedence")

Fault = Callable[[Request, Response], bool]


def _bad_signature(request: Request, answer: Response) -> bool:
    return unauthenticated(answer)


def _bad_input(request: Request, answer: Response) -> bool:
    return bool(request.domain) and not (valid_name(request) and valid_uri(request))


def _bad_uri(request: Request, answer: Response) -> bool:
    return request.uri is MISSING or not valid_uri(request)


def _bad_name(request: Request, answer: Response) -> bool:
    return bool(request.domain) and not valid_name(request)


def _missing(request: Request, answer: Response) -> bool:
    return not_there(request)


def _forbidden(request: Request, answer: Response) -> bool:
    return is_by(request, "unauthorized")


def _on_both(first: Fault, second: Fault, fate: Answer) -> Handler:
    return on_answer(
        lambda request, answer: fate if first(request, answer) and second(request, answer) else answer
    )


for _clause, _first, _second, _fates in (
    ("signature-and-input", _bad_signature, _bad_input, (200, 404, 500)),
    ("signature-and-missing", _bad_signature, _missing, (200, 500, 501)),
    ("access-and-input", _forbidden, _bad_input, (200, 409, 500)),
    ("missing-and-input", _missing, _bad_uri, (200, 403, 500)),
    ("input-and-input", _bad_name, _bad_uri, (200, 404, 500)),
):
    for _status in _fates:
        _answer = ok({}) if _status == 200 else error(_status, "CombinedFaultException")
        THEME.add(
            f"{_clause}-{_status}",
            f"The faults {_clause.replace('-', ' ')} together are answered {_status}.",
            f"precedence.{_clause}",
            _on_both(_first, _second, _answer),
        )
