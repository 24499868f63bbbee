"""State: what is put can be got, updates replace, and nothing leaks from one caller to another."""

import datetime
from typing import Any

import boto3
import pytest

from getintegration_emulator.identities import DEFAULT_IDENTITIES
from getintegration_emulator.state import AccountState

PATH = "/domains/shop/integrations"
BAD = (400, "BadRequestException")


def test_last_updated_at_grows_even_if_the_clock_stands_or_goes_back() -> None:
    now = [1000.0]
    state = AccountState("111122223333", "us-east-1", lambda: now[0])
    state.create_domain({"DomainName": "shop"})
    times = []
    for moment in (1000.0, 1000.0, 990.0, 1000.1234):
        now[0] = moment
        times.append(state.put_integration({"DomainName": "shop", "Uri": "u"})["LastUpdatedAt"])
    assert times == [1000.0, 1000.001, 1000.002, 1000.123]


def test_flow_definition_stands_for_a_missing_uri(wire: Any, flow: dict[str, Any]) -> None:
    wire.create_domain()
    put = wire.put(uri=None, FlowDefinition=flow)
    assert put.document["Uri"] == f"arn:aws:appflow:{wire.region}:111122223333:flow/my-flow"
    assert wire.get(uri=put.document["Uri"]).document == put.document
    assert "FlowDefinition" not in put.document


def test_a_domain_is_made_once_and_read_as_it_was_made(wire: Any) -> None:
    matching = {"Enabled": True, "AutoMerging": {"Enabled": False}}
    members = {"DefaultExpirationDays": 30, "Matching": matching, "Tags": {"a": "b"}}
    made = wire.call("POST", "/domains/shop", members)
    assert wire.call("GET", "/domains/shop").document == made.document
    assert {name: made.document[name] for name in members} == members
    assert wire.call("POST", "/domains/shop", members).error == BAD
    (item,) = wire.call("GET", "/domains").document["Items"]
    assert set(item) == {"DomainName", "CreatedAt", "LastUpdatedAt", "Tags"}


@pytest.mark.parametrize(
    "call",
    [
        *("PUT /domains/none/integrations", "GET /domains/none/integrations"),
        *("POST /domains/none/integrations/delete", "POST /domains/shop/integrations/delete"),
        *("GET /domains/none", "DELETE /domains/none"),
    ],
)
def test_unknown_domain_or_integration(wire: Any, call: str) -> None:
    wire.create_domain()
    assert wire.call(*call.split(), {"Uri": "a"}).error == (404, "ResourceNotFoundException")


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


def test_identity_without_permission(wire: Any) -> None:
    """Refused whatever the operation and its input."""
    wire.create_domain()
    for call in (f"PUT {PATH}", f"GET {PATH}", f"POST {PATH}/delete", "POST /domains/shop", "GET /domains"):
        reply = wire.call(*call.split(), b"{", identity=DEFAULT_IDENTITIES["unauthorized"])
        assert reply.error == (403, "AccessDeniedException"), call


def test_boto3_uses_all_operations(wire: Any, flow: dict[str, Any]) -> None:
    client = boto3.client(
        "customer-profiles",
        endpoint_url=wire.url,
        region_name=wire.region,
        aws_access_key_id=DEFAULT_IDENTITIES["caller"].access_key,
        aws_secret_access_key=DEFAULT_IDENTITIES["caller"].secret_key,
    )
    domain = client.create_domain(DomainName="shop", DefaultExpirationDays=30)
    assert client.get_domain(DomainName="shop")["CreatedAt"] == domain["CreatedAt"]
    client.put_integration(DomainName="shop", Uri="arn:one", ObjectTypeName="_unstructured")
    made = client.put_integration(DomainName="shop", FlowDefinition=flow, ObjectTypeName="T")
    got = client.get_integration(DomainName="shop", Uri="arn:one")
    assert (got["IsUnstructured"], made["IsUnstructured"]) == (True, False)
    now = datetime.datetime.now(datetime.UTC)
    assert abs(now - got["CreatedAt"]) < datetime.timedelta(minutes=1)
    listed = client.list_integrations(DomainName="shop", MaxResults=2)["Items"]
    assert [item["Uri"] for item in listed] == ["arn:one", made["Uri"]]
    assert client.delete_integration(DomainName="shop", Uri="arn:one")["Message"]
    assert client.delete_domain(DomainName="shop")["Message"]
    assert client.list_domains()["Items"] == []
