"""Servers that stumble over two faults at once."""

from .access import not_there
from .kit import Theme, bad_input, bad_name, instead, valid_uri
from .messages import MISSING, Request, Response, error, ok
from .signing import is_by, unauthenticated

THEME = Theme("precedence")


def _bad_uri(request: Request, _: Response) -> bool:
    return request.uri is MISSING or not valid_uri(request)


def _bad_signature(_: Request, answer: Response) -> bool:
    return unauthenticated(answer)


for _clause, _first, _second, _fates in (
    ("signature-and-input", _bad_signature, bad_input, (200, 404, 500)),
    ("signature-and-missing", _bad_signature, not_there, (200, 500, 501)),
    ("access-and-input", lambda r, _: is_by(r, "unauthorized"), bad_input, (200, 409, 500)),
    ("missing-and-input", not_there, _bad_uri, (200, 403, 500)),
    ("input-and-input", bad_name, _bad_uri, (200, 404, 500)),
):
    _words = _clause.replace("-", " ")
    THEME[f"precedence.{_clause}"] = {
        f"{_clause}-{status}: The faults {_words} together are answered {status}.": instead(
            ok({}) if status == 200 else error(status, "CombinedFaultException"),
            lambda r, a, first=_first, second=_second: first(r, a) and second(r, a),
        )
        for status in _fates
    }
