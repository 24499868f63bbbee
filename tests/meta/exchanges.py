"""Exchanges made up by tests, and a checker to judge them."""

import json
from typing import Any

from getintegration_contract.exchange import Exchange, Response
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import Judge
from getintegration_contract.judging.ledger import Entry
from getintegration_contract.operations import get_integration
from getintegration_contract.redact import Redactor

from .support import CONTRACT

Header = tuple[str, str]

DOMAIN, URI = "Domain", "s3://Bucket/Caf\u00e9"
INTEGRATION = {"DomainName": DOMAIN, "Uri": URI, "CreatedAt": 1.5e9, "LastUpdatedAt": 1.6e9}
#: Headers that every answer has.
HEADERS = (("Content-Type", "application/json"), ("x-amzn-RequestId", "1"))
#: The type of the error where something is not found.
TYPE = "ResourceNotFoundException"


def exchange(status: int = 200, body: Any = INTEGRATION, *headers: Header, **how: Any) -> Exchange:
    """An exchange with this response; a body that is no bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    made = {"request": get_integration(DOMAIN, URI), "identity": "caller", "started": 1.7e9, "seconds": 0.01}
    return Exchange(
        "http://127.0.0.1:1", response=Response(status, "", headers or HEADERS, raw), **made | how
    )


def answered(**members: object) -> Exchange:
    """One in which the integration was answered, with these members."""
    return exchange(200, INTEGRATION | members)


def error(status: int, kind: str | None, body: Any = None, *headers: Header, **how: Any) -> Exchange:
    """One that ends in an error, its type, if it has one, in the header."""
    typed = (("X-Amzn-ErrorType", kind),) if kind is not None else ()
    return exchange(status, {"Message": "m"} if body is None else body, *typed, *(headers or HEADERS), **how)


def missing(status: int = 404, **how: Any) -> Exchange:
    """One in which it was not found."""
    return error(status, TYPE, **how)


def checking(test: str = "t") -> tuple[Checker, Entry]:
    """A checker, and what it makes note of."""
    entry = Entry(test)
    return Checker(Judge(CONTRACT), entry, Redactor(), lambda name: CONTRACT.clauses[name].gates()), entry
