"""Servers that stumble over two faults at once."""

from collections.abc import Callable
from functools import partial

from .access import not_there
from .kit import Theme, bad_input, bad_name, instead, valid_uri
from .messages import MISSING, Request, Response, error, ok
from .signing import is_by, unauthenticated

THEME = Theme("precedence")

Fault = Callable[[Request, Response], bool]


def _bad_uri(request: Request, _: Response) -> bool:
    return request.uri is MISSING or not valid_uri(request)


def _bad_signature(_: Request, answer: Response) -> bool:
    return unauthenticated(answer)


def _forbidden(request: Request, _: Response) -> bool:
    return is_by(request, "unauthorized")


def _both(faults: tuple[Fault, Fault], request: Request, answer: Response) -> bool:
    return all(fault(request, answer) for fault in faults)


for _clause, _first, _second, _fates in (
    ("signature-and-input", _bad_signature, bad_input, (200, 404, 500)),
    ("signature-and-missing", _bad_signature, not_there, (200, 500, 501)),
    ("access-and-input", _forbidden, bad_input, (200, 409, 500)),
    ("missing-and-input", not_there, _bad_uri, (200, 403, 500)),
    ("input-and-input", bad_name, _bad_uri, (200, 404, 500)),
):
    _words = _clause.replace("-", " ")
    THEME[f"precedence.{_clause}"] = {
        f"{_clause}-{status}: The faults {_words} together are answered {status}.": instead(
            ok({}) if status == 200 else error(status, "CombinedFaultException"),
            partial(_both, (_first, _second)),
        )
        for status in _fates
    }
