"""What official clients do not read although the contract allows it: told, and nobody's violation."""

from __future__ import annotations

from getintegration_contract.exchange import Exchange
from getintegration_contract.judging.checker import Checker


def compressed_unasked(check: Checker, exchange: Exchange | None, client: str, *clauses: str) -> bool:
    """Whether a client failed because it got compressed what it had not asked for compressed.

    Then the clauses are not exercised, and the report says why.

    Args:
        exchange: An answer to the suite, which asks for none either; None if the client did not fail.
        client: What the report calls the client.
    """
    if exchange is None or (exchange.response.header("content-encoding") or "identity").lower() == "identity":
        return False
    reason = f"the server compresses unasked, which the contract allows and {client} does not read"
    check.entry.notes.append(reason)
    check.not_exercised(reason, *clauses)
    return True
