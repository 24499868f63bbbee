"""Throttling: each budget by itself, and what is counted."""

from typing import Any

import pytest

from getintegration_contract.target.emulator import LocalEmulator
from getintegration_emulator.errors import ApiError
from getintegration_emulator.identities import DEFAULT_IDENTITIES, Identity, Throttle

LOW = DEFAULT_IDENTITIES["low-quota"]
THROTTLED = (429, "ThrottlingException")


def admitted(throttle: Throttle, identity: Identity, region: str = "r", tries: int = 50) -> int:
    count = 0
    for _ in range(tries):
        try:
            throttle.admit(identity, region)
            count += 1
        except ApiError as error:
            if (error.status, error.type) != THROTTLED:
                raise
    return count


@pytest.mark.parametrize(
    ("rate", "burst", "first", "after_a_second"), [(5, 5, 5, 5), (2, 9, 9, 2), (0.5, None, 1, 0)]
)
def test_token_bucket(rate: float, burst: float | None, first: int, after_a_second: int) -> None:
    now = [100.0]
    throttle = Throttle(rate, burst, lambda: now[0])
    for pause, expected in ((0, first), (1, after_a_second), (1000, first)):
        now[0] += pause
        assert admitted(throttle, DEFAULT_IDENTITIES["caller"]) == expected


def test_budgets_of_identity_account_and_region() -> None:
    caller, other = DEFAULT_IDENTITIES["caller"], DEFAULT_IDENTITIES["other-account"]
    throttle = Throttle(rate=10, burst=20, clock=lambda: 100.0)
    assert admitted(throttle, LOW) == 5
    assert admitted(throttle, caller) == 15, "the account's budget is shared"
    assert admitted(throttle, caller, "another region") == 20
    assert admitted(throttle, LOW, "a third region") == 0, "an identity's own budget is one for all regions"
    assert admitted(throttle, other) == 20
    assert admitted(Throttle(), caller) == 50


def test_account_rate_counts_after_authentication_and_access_and_before_input(connect: Any) -> None:
    with LocalEmulator("--rate", "0.001", "--burst", "4") as running:
        wire = connect(running)
        for _ in range(10):
            assert wire.send("GET", "/domains").status == 403
            assert wire.call("PATCH", "/domains").status == 405
            denied = wire.call("GET", "/domains", identity=DEFAULT_IDENTITIES["unauthorized"])
            assert denied.status == 403
            assert wire.send("GET", "/_emulator/health").status == 200
        statuses = [wire.call("POST", "/domains/x/integrations", b"{").status for _ in range(6)]
        assert statuses == [400] * 4 + [429] * 2
        assert wire.call("GET", "/domains", identity=DEFAULT_IDENTITIES["temporary"]).error == THROTTLED
        assert wire.call("GET", "/domains", identity=DEFAULT_IDENTITIES["other-account"]).status == 200
