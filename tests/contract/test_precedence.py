"""Two faults at once: whichever the target reports, it is one of the two."""

from dataclasses import replace

import pytest

from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import DENIED, NOT_FOUND, UNAUTHENTICATED, UNREADABLE, Expectation
from getintegration_contract.state.state import UNKNOWN_DOMAIN

from .callables import Ask

clauses = pytest.mark.clauses

BAD_INPUTS = [
    pytest.param({"body": b"{"}, id="unreadable body"),
    pytest.param({"body": b"{}"}, id="no Uri"),
    pytest.param({"uri": "u" * 256}, id="Uri too long"),
    pytest.param({"uri": 1}, id="Uri of a wrong type"),
    pytest.param({"domain": "not a name"}, id="invalid domain name"),
]


@clauses("precedence.signature-and-input")
@pytest.mark.parametrize("given", BAD_INPUTS)
@pytest.mark.parametrize("fault", ["unsigned", "wrong secret"])
def test_signature_and_input(
    ask: Ask, static_caller: Identity, check: Checker, given: dict[str, object], fault: str
) -> None:
    identity = None if fault == "unsigned" else replace(static_caller, secret_key="x" * 40)
    exchange = ask(**given, identity=identity)
    check.expect(exchange, Expectation("precedence.signature-and-input", (UNAUTHENTICATED, UNREADABLE)))


@clauses("precedence.signature-and-missing")
@pytest.mark.parametrize(
    "given", [{"domain": UNKNOWN_DOMAIN}, {"uri": "s3://unknown"}], ids=["domain", "Uri"]
)
def test_signature_and_missing(
    ask: Ask, static_caller: Identity, check: Checker, given: dict[str, object]
) -> None:
    exchange = ask(**given, identity=replace(static_caller, secret_key="x" * 40))
    check.expect(exchange, Expectation("precedence.signature-and-missing", (UNAUTHENTICATED, NOT_FOUND)))


@clauses("precedence.access-and-input")
@pytest.mark.parametrize("given", BAD_INPUTS)
def test_access_and_input(ask: Ask, unauthorized: Identity, check: Checker, given: dict[str, object]) -> None:
    exchange = ask(**given, identity=unauthorized)
    check.expect(exchange, Expectation("precedence.access-and-input", (DENIED, NOT_FOUND, UNREADABLE)))


@clauses("precedence.missing-and-input")
@pytest.mark.parametrize("given", BAD_INPUTS[:-1])
def test_missing_and_input(ask: Ask, check: Checker, given: dict[str, object]) -> None:
    exchange = ask(**{"domain": UNKNOWN_DOMAIN, **given})
    check.expect(exchange, Expectation("precedence.missing-and-input", (NOT_FOUND, UNREADABLE)))


@clauses("precedence.input-and-input")
@pytest.mark.parametrize("given", BAD_INPUTS[:-1])
def test_input_and_input(ask: Ask, check: Checker, given: dict[str, object]) -> None:
    exchange = ask(**{"domain": "x" * 65, **given})
    check.expect(exchange, Expectation("precedence.input-and-input", (UNREADABLE,)))
