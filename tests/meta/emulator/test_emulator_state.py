"""State: what is put can be got, updates replace, nothing leaks between callers; and throttling."""

from typing import Any

import pytest

from getintegration_contract.target.emulator import LocalEmulator
from getintegration_emulator.errors import ApiError
from getintegration_emulator.identities import DEFAULT_IDENTITIES, Identity, Throttle
from getintegration_emulator.state import AccountState

from .conftest import FLOW_DEFINITION

PATH = "/domains/shop/integrations"
BAD, UNKNOWN = (400, "BadRequestException"), (404, "ResourceNotFoundException")


def test_last_updated_at_grows_even_if_the_clock_stands_or_goes_back() -> None:
    now = [1000.0]
    state = AccountState("111122223333", "us-east-1", lambda: now[0])
    state.create_domain({"DomainName": "shop"})
    times = []
    for moment in (1000.0, 1000.0, 990.0, 1000.1234):
        now[0] = moment
        kept = state.put_integration({"DomainName": "shop", "Uri": "u"})
        times.append((kept["CreatedAt"], kept["LastUpdatedAt"]))
    assert times == [(1000.0, last) for last in (1000.0, 1000.001, 1000.002, 1000.123)]


def test_flow_definition_stands_for_a_missing_uri(wire: Any) -> None:
    wire.create_domain()
    put = wire.put(uri=None, FlowDefinition=FLOW_DEFINITION)
    assert put.document["Uri"] == f"arn:aws:appflow:{wire.region}:111122223333:flow/my-flow"
    assert wire.get(uri=put.document["Uri"]).document == put.document
    assert "FlowDefinition" not in put.document
    again = wire.put(uri=None, FlowDefinition=FLOW_DEFINITION).document
    assert again["WorkflowId"] == put.document["WorkflowId"]
    assert "WorkflowId" not in wire.put().document


def test_the_object_type_name_says_what_is_unstructured(wire: Any) -> None:
    wire.create_domain()
    assert wire.put(ObjectTypeName="_unstructured").document["IsUnstructured"] is True
    assert wire.put(FlowDefinition=FLOW_DEFINITION, ObjectTypeName="T").document["IsUnstructured"] is False


def test_a_domain_is_made_once_and_read_as_it_was_made(wire: Any) -> None:
    matching = {"Enabled": True, "AutoMerging": {"Enabled": False}}
    members = {"DefaultExpirationDays": 30, "Matching": matching, "Tags": {"a": "b"}}
    made = wire.call("POST", "/domains/shop", members)
    assert wire.call("GET", "/domains/shop").document == made.document
    assert {name: made.document[name] for name in members} == members
    assert wire.call("POST", "/domains/shop", members).error == BAD
    (item,) = wire.call("GET", "/domains").document["Items"]
    assert set(item) == {"DomainName", "CreatedAt", "LastUpdatedAt", "Tags"}


def test_what_is_deleted_is_unknown_with_all_that_it_had(wire: Any) -> None:
    wire.create_domain()
    wire.put()
    for call in (f"POST {PATH}/delete", "DELETE /domains/shop"):
        reply = wire.call(*call.split(), {"Uri": "arn:flow"})
        assert (reply.status, [*reply.document]) == (200, ["Message"])
        assert wire.call(*call.split(), {"Uri": "arn:flow"}).error == UNKNOWN
    for call in (f"PUT {PATH}", f"GET {PATH}", f"POST {PATH}/delete", "GET /domains/shop"):
        assert wire.call(*call.split(), {"Uri": "arn:flow"}).error == UNKNOWN, call
    assert wire.call("GET", "/domains").document["Items"] == []
    wire.create_domain()
    assert wire.get().error == UNKNOWN


def test_quota_of_fifty_integrations(wire: Any) -> None:
    wire.create_domain()
    for number in range(50):
        assert wire.put(uri=f"u{number}").status == 200
    assert wire.put(uri="one more").error == BAD
    assert wire.put(uri="u7", Tags={"an": "update"}).status == 200
    wire.call("POST", f"{PATH}/delete", {"Uri": "u0"})
    assert wire.put(uri="one more").status == 200


def test_pages_of_integrations_and_domains(wire: Any) -> None:
    for number in range(7):
        wire.create_domain(f"d{number}")
        wire.put("d0", f"u{number}")
    wire.put("d0", "u0", Tags={"updated": "keeps its place"})
    for path, member, prefix in [("/domains/d0/integrations", "Uri", "u"), ("/domains", "DomainName", "d")]:
        for size, expected in [(3, [3, 3, 1]), (7, [7]), (6, [6, 1])]:
            pages, query = list[list[Any]](), f"?max-results={size}"
            while query:
                answer = wire.call("GET", path + query).document
                pages.append([item[member] for item in answer["Items"]])
                token = answer.get("NextToken")
                query = f"?max-results={size}&next-token={token}" if token else ""
            assert [len(page) for page in pages] == expected
            assert [name for page in pages for name in page] == [f"{prefix}{number}" for number in range(7)]


def test_a_page_token_survives_deletions(wire: Any) -> None:
    wire.create_domain()
    for number in range(4):
        wire.put(uri=f"u{number}")
    token = wire.call("GET", f"{PATH}?max-results=2").document["NextToken"]
    wire.call("POST", f"{PATH}/delete", {"Uri": "u1"})
    rest = wire.call("GET", f"{PATH}?next-token={token}").document
    assert [item["Uri"] for item in rest["Items"]] == ["u2", "u3"]


# --- Throttling: each budget by itself, and what is counted -----------------------------------------------

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
