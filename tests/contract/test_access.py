"""Who may not read an integration is denied, or finds nothing there."""

import pytest

from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.state.state import UNKNOWN_DOMAIN

from .callables import Ask

clauses = pytest.mark.clauses


@clauses("access.unauthorized")
def test_identity_without_permission(ask: Ask, unauthorized: Identity, check: Checker) -> None:
    ask()  # the answer to somebody else may be kept
    check.denied(ask(identity=unauthorized), "access.unauthorized")


@clauses("access.unauthorized.missing")
@pytest.mark.parametrize("domain", [UNKNOWN_DOMAIN, None], ids=["unknown domain", "unknown Uri"])
def test_identity_without_permission_asks_for_what_is_missing(
    ask: Ask, unauthorized: Identity, check: Checker, domain: str | None
) -> None:
    given = {"domain": domain} if domain else {}
    exchange = ask(uri="s3://unknown", identity=unauthorized, **given)
    check.denied(exchange, "access.unauthorized.missing")


@clauses("access.other-account")
def test_identity_of_another_account(ask: Ask, other_account: Identity, check: Checker) -> None:
    check.denied(ask(identity=other_account), "access.other-account")


@clauses("access.other-account")
def test_order_of_identities_does_not_matter(ask: Ask, other_account: Identity, check: Checker) -> None:
    # A server that remembers an answer, or who asked last, gives it away here.
    check.ok(ask())
    check.denied(ask(identity=other_account), "access.other-account")
    check.ok(ask())
    check.denied(ask(identity=other_account), "access.other-account")
