"""What is signed well is served, whatever lawful form it takes; a clock may be a little off."""

from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from getintegration_contract.exchange import Exchange, Request, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import INVALID as INVALID_INPUT
from getintegration_contract.judging.judge import OK, Expectation
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.state.state import State

from .callables import Ask, Change
from .signing import ANY, INVALID, InTwoLines, headers_after_signing

clauses = pytest.mark.clauses

#: Seconds that the target's clock may be off this machine's.
CLOCK = 45


@clauses("sigv4.canonical-headers")
@pytest.mark.parametrize("lines", [("first", "second"), ("second", "first"), ("same", "same")], ids=",".join)
def test_header_in_two_lines(
    in_two_lines: InTwoLines, state: State, check: Checker, lines: tuple[str, str]
) -> None:
    exchange = in_two_lines(",".join(lines), *lines)
    check.ok(exchange, "sigv4.canonical-headers", domain=state.domain, uri=state.uri)


@clauses("sigv4.canonical-path")
@pytest.mark.parametrize(
    "segment",
    ["a%20b", "%41%42", "caf%C3%A9", "a%2Bb+c", "a~b-c_d", "a!b*c'd(e)", "%e2%82%ac", "a=b&c@d:e,f"],
)
def test_canonical_path(client: Client, caller: Identity, state: State, check: Checker, segment: str) -> None:
    # None of these names an existing domain: what counts is that the signature is not what fails.
    request = replace(get_integration("x", state.uri), target=f"/domains/{segment}/integrations")
    exchange = client.send(request, caller)
    error_type = exchange.response.error_type
    status = exchange.response.status
    rejected = status in (401, 403) or error_type in ANY
    ok = status == 200 or (400 <= status < 500 and not rejected)
    actual = f"{status} {error_type}"
    check.that("sigv4.canonical-path", ok, "an answer to the request itself", actual, exchange)


@clauses("sigv4.canonical-query")
@pytest.mark.parametrize("query", ["b=2&a=1", "a=%20%2F", "empty=", "a=1&a=0", "%C3%A9=1", "a-b=1&a=1"])
def test_canonical_query(client: Client, caller: Identity, state: State, check: Checker, query: str) -> None:
    request = get_integration(state.domain, state.uri)
    exchange = client.send(replace(request, target=f"{request.target}?{query}"), caller)
    check.expect(
        exchange,
        Expectation("sigv4.canonical-query", (OK, INVALID_INPUT)),
    )


@clauses("sigv4.canonical-headers")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Amz-Meta": "two  inner   spaces"},
        {"X-Amz-Meta": "comma, separated,values"},
        {"x-AMZ-mEta": "mixed case"},
        {"X-Amz-Zebra": "1", "X-Amz-Apple": "2"},
        {"X-Amz-ID": "whose small letter differs in Turkish"},
    ],
    ids=["inner spaces", "commas", "mixed case", "another order", "capital I"],
)
def test_canonical_headers(ask: Ask, state: State, check: Checker, headers: dict[str, str]) -> None:
    exchange = ask(headers=headers)
    check.ok(exchange, "sigv4.canonical-headers", domain=state.domain, uri=state.uri)


@clauses("sigv4.canonical-headers")
@pytest.mark.parametrize("case", [str.lower, str.upper], ids=["lower", "upper"])
def test_names_of_headers_in_another_case(ask: Ask, state: State, check: Checker, case: Change) -> None:
    def renamed(request: Request) -> Request:
        return replace(request, headers=tuple((case(name), value) for name, value in request.headers))

    exchange = ask(signing=Signing(tamper=renamed))
    check.ok(exchange, "sigv4.canonical-headers", domain=state.domain, uri=state.uri)


@clauses("sigv4.unsigned-headers")
@pytest.mark.parametrize(
    "headers",
    [
        {"User_Agent": "contract/1.0"},
        {"X_Request_Id": "1"},
        {"X_Forwarded_For": "192.0.2.1"},
        {"Accept": "*/*"},
    ],
    ids=["User-Agent", "X-Request-Id", "X-Forwarded-For", "Accept"],
)
def test_unsigned_headers(ask: Ask, state: State, check: Checker, headers: dict[str, str]) -> None:
    exchange = ask(signing=headers_after_signing(**headers))
    check.ok(exchange, "sigv4.unsigned-headers", domain=state.domain, uri=state.uri)


@pytest.fixture
def clocks_agree(ask: Ask, state: State, check: Checker) -> None:
    """The target's clock is near this machine's, so that minutes are minutes to both."""
    exchange = ask()
    differ = "the target's clock is not this machine's: set one of them right"
    try:
        theirs = parsedate_to_datetime(exchange.response.header("date") or "").timestamp()
    except ValueError:
        # Without a Date, what was made in this run shows at least a clock that is ahead.
        made = check.members(exchange).get("LastUpdatedAt") if state.origin == "made" else None
        if isinstance(made, int | float) and made > exchange.started + CLOCK:
            pytest.skip(f"by LastUpdatedAt, {differ}")
        return
    if abs(theirs - exchange.started) > CLOCK:
        pytest.skip(f"by its Date header, {differ}")


def _reject_date(check: Checker, exchange: Exchange, clause: str, minutes: int) -> None:
    """What five minutes alone reject is only reported."""
    if minutes > 15:
        check.unauthenticated(exchange, clause, *INVALID)
    else:
        check.unauthenticated(exchange, f"{clause}.5-minutes")


@clauses("sigv4.expired-date", "sigv4.expired-date.5-minutes")
@pytest.mark.usefixtures("clocks_agree")
@pytest.mark.parametrize("minutes", [6, 16, 65, 24 * 60])
def test_expired_date(ask: Ask, check: Checker, minutes: int) -> None:
    exchange = ask(signing=Signing(skew=timedelta(minutes=-minutes)))
    _reject_date(check, exchange, "sigv4.expired-date", minutes)


@clauses("sigv4.future-date", "sigv4.future-date.5-minutes")
@pytest.mark.usefixtures("clocks_agree")
@pytest.mark.parametrize("minutes", [6, 16, 65, 24 * 60])
def test_future_date(ask: Ask, check: Checker, minutes: int) -> None:
    exchange = ask(signing=Signing(skew=timedelta(minutes=minutes)))
    _reject_date(check, exchange, "sigv4.future-date", minutes)


@clauses("sigv4.clock-window")
@pytest.mark.usefixtures("clocks_agree")
@pytest.mark.parametrize("minutes", [-4, 4])
def test_date_within_the_window(ask: Ask, state: State, check: Checker, minutes: int) -> None:
    exchange = ask(signing=Signing(skew=timedelta(minutes=minutes)))
    check.ok(exchange, "sigv4.clock-window", domain=state.domain, uri=state.uri)
