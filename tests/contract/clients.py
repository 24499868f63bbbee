"""What official clients do not read although the contract allows it: reported, and nobody's violation."""

import json
import re
from collections.abc import Callable
from typing import TypeVar

from getintegration_contract.exchange import Exchange
from getintegration_contract.judging.checker import Checker
from getintegration_contract.sending.client import ATTEMPTS

T = TypeVar("T")

#: Optional white space, by RFC 9112, section 5, which Python's http.client takes for part of a value.
_SPACE_BEHIND_VALUES = re.compile(rb"[ \t]\r\n")
#: Headers, the empty line behind them included, that Python's http.client reads.
_MOST_HEADERS = 100


def again(ask: Callable[[], T], is_due: Callable[[T], object]) -> T:
    """What a client makes of an answer; asked again while that is not due, since it may be a stray fault."""
    for _ in range(ATTEMPTS - 1):
        if is_due(got := ask()):
            return got
    return ask()


def unreadable(check: Checker, exchange: Exchange | None, client: str, *clauses: str) -> bool:
    """Whether a client failed on an answer that the contract allows and the client does not read.

    Then the clauses are not exercised, and the report says why.

    Args:
        exchange: An answer to the suite of the kind that the client got; None if the client did not fail.
        client: What the report calls the client.
    """
    if exchange is None:
        return False
    if (exchange.response.header("content-encoding") or "identity").lower() != "identity":
        habit = "compresses unasked"
    elif exchange.response.head.startswith(b"HTTP/1.1 1"):
        habit = "sends an interim answer before its answer"
    elif client != JAVASCRIPT and _SPACE_BEHIND_VALUES.search(exchange.response.head):
        habit = "sends white space behind the values of headers"
    elif client != JAVASCRIPT and len(exchange.response.headers) >= _MOST_HEADERS:
        habit = "sends a hundred headers"
    elif client != JAVASCRIPT and _has_long_number(check, exchange):
        habit = "sends a number of thousands of digits"
    else:
        return False
    reason = f"the server {habit}, which the contract allows and {client} does not read"
    check.entry.notes.append(reason)
    check.not_exercised(reason, *clauses)
    return True


JAVASCRIPT = "the SDK for JavaScript"


def _has_long_number(check: Checker, exchange: Exchange) -> bool:
    """Whether Python's own reader refuses JSON that the grammar allows."""
    if exchange.response.document is None:
        return False
    try:
        json.loads(exchange.response.body)
    except ValueError:
        return True
    return False
