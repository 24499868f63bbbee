"""The state of a run: made, given, discovered, and removed however the run ends; nothing to test is told."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from getintegration_contract.errors import StateError
from getintegration_contract.operations import delete_domain
from getintegration_contract.state.state import MEMBERS, PREFIX
from getintegration_contract.target.target import Target

from .conftest import RunSuite, Serve
from .mutants.kit import is_get
from .mutants.messages import Response, error, ok
from .support import SUITE, Process, ask, domains, stock, suite, writes

Say = Callable[[str], object]
GIVEN = ("--domain-name", "Mine", "--integration-uri", "s3://mine")


@pytest.mark.parametrize("pattern", [r"[^/]*[A-Z]", r"[0-9-]"], ids=["capitals", "a digit or a hyphen first"])
def test_a_server_that_refuses_lawful_names_violates_their_pattern(
    run_suite: RunSuite, refusing: Any, endpoint: Process, pattern: str
) -> None:
    url = refusing(lambda request: re.match(rf"/domains/{pattern}", request.target))
    result = run_suite(suite("valid"), suite("missing"), "--endpoint-url", url)
    assert (result.status, result.report["target"]["state"]) == (1, "made"), result.output
    assert "request.DomainName.pattern" in result.findings
    assert not domains(endpoint.url)


@pytest.mark.parametrize("member", MEMBERS)
def test_only_a_member_that_is_refused_is_left_out(provisioner: Any, refusing: Any, member: str) -> None:
    word = f'"{member}"'.encode()
    made_by = provisioner(refusing(lambda request: request.method == "PUT" and word in request.body))
    made = made_by.made()
    made_by.remove()
    expected = MEMBERS.keys() - {member} if member != "ObjectTypeName" else made.members.keys()
    assert made.members.keys() == expected


# --- State --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "options", "printed", "stays"),
    [
        ("made", (), f"writes: domains named {PREFIX}*", {"POST", "PUT", "DELETE"}),
        ("given", GIVEN, "writes: nothing", set()),
        ("discovered", ("--no-writes",), "writes: nothing", set()),
    ],
    ids=["made", "given", "discovered"],
)
def test_what_is_written_is_under_one_prefix_and_nothing_unless_it_may_be(
    run_suite: RunSuite,
    holding: Process,
    tap: Any,
    state: str,
    options: tuple[str, ...],
    printed: str,
    stays: set[str],
) -> None:
    listener = tap(holding.url)
    files = [suite("missing"), suite("access")]
    if state == "given":  # none of the scenarios writes then
        files = [path for path in SUITE.glob("test_*.py") if path.stem not in ("test_generated", "test_sdk")]
    result = run_suite(*files, "--endpoint-url", listener.url, *options)
    assert (result.status, result.report["target"]["state"]) == (0, state), result.output
    assert ("writing" in result.report["target"]["capabilities"]) == bool(stays)
    assert printed in result.stdout
    written = writes(listener.received)
    assert {request.method for request in written} == stays
    assert all(request.target.startswith(f"/domains/{PREFIX}") for request in written)
    asked = {request.domain for request in listener.received if is_get(request)}
    assert ("Mine" in asked) == (state != "made")
    assert domains(holding.url) == {"Mine"}


def test_writing_that_does_not_work_is_told_and_not_just_left_out(
    run_suite: RunSuite, holding: Process, tap: Any
) -> None:
    denied = error(403, "AccessDeniedException", "scripted")
    server = tap(holding.url, lambda asked, forward: denied if asked.method == "PUT" else forward(asked))
    result = run_suite(suite("missing"), "--endpoint-url", server.url)
    answer = "PutIntegration answered 403 AccessDeniedException (scripted)"
    told = f"writing was tried, and does not work: {answer}"
    assert (result.status, result.report["target"]["state"]) == (0, "discovered"), result.output
    assert f"contract: {told}; nothing is written, and what exists is read" in result.output
    assert told in result.report["notes"]
    clause = result.clause("state.deleted")
    assert (clause["outcome"], clause["reason"]) == ("not claimed", told)
    assert domains(holding.url) == {"Mine"}


def test_neighbours_of_others_and_the_longest_uri_are_no_faults(
    run_suite: RunSuite, endpoint: Process
) -> None:
    uri = "s3://".ljust(255, "u")
    shops = ("Shop-1", "Shop-10", "shop-1", "Shop_1")
    for name in shops:
        stock(endpoint.url, name, uri)
    given = ("--domain-name", "Shop-1", "--integration-uri", uri)
    tests = map(suite, ("missing", "transport", "concurrency"))
    result = run_suite(*tests, "--endpoint-url", endpoint.url, *given)
    ask(endpoint.url, *map(delete_domain, shops))
    assert result.status == 0, result.output
    assert result.outcomes["missing.domain.near"] == "upheld", "of neighbours that do not exist"


# --- Preflight ----------------------------------------------------------------------------------------------


def test_what_could_not_be_tested_is_indeterminate_in_the_report(run_suite: RunSuite) -> None:
    result = run_suite(suite("access"), "--endpoint-url", "http://127.0.0.1:9")
    assert (result.status, result.report["exit_status"], result.report["verdict"]) == (6, 6, "indeterminate")
    assert set(result.outcomes.values()) <= {"indeterminate", "not claimed"}


def test_a_domain_that_was_not_implemented_need_not_be_removed(serve: Serve, provisioner: Any) -> None:
    said, server = list[str](), serve(lambda request: Response(501))
    with pytest.raises(StateError, match="does not implement GetIntegration: it answered 501"):
        provisioner(server.url, said.append).provide(Target(server.url, allow_writes=True))
    assert said == []
    assert "DELETE" not in {request.method for request in server.received}


def test_members_that_are_refused_only_together_are_told_so(run_suite: RunSuite, refusing: Any) -> None:
    together = (b"RoleArn", b"EventTriggerNames")
    url = refusing(lambda request: request.method == "PUT" and all(word in request.body for word in together))
    options = ("--endpoint-url", url, "-k", "existing_integration or at_the_edge")
    result = run_suite(suite("state"), suite("updates"), *options, status=0)
    assert result.outcomes["state.put-get.Tags"] == "upheld"
    assert result.outcomes["state.put-get.RoleArn"] == "upheld"
    told = "the target did not take EventTriggerNames with the other members"
    assert told in str(result.clause("state.put-get.EventTriggerNames"))


def test_the_second_integration_that_is_discovered_is_none_of_the_firsts(
    endpoint: Process, provisioner: Any
) -> None:
    wanted = {"Dev": ("s3://one", "s3://two"), "Prod": ("s3://two",), "Test": ("s3://three",)}
    try:
        for domain, uris in wanted.items():
            stock(endpoint.url, domain, *uris)
        found = provisioner(endpoint.url).discovered()
    finally:
        ask(endpoint.url, *map(delete_domain, wanted))
    assert (found.domain, found.uri) == ("Dev", "s3://one")
    assert (found.other_domain, found.other_uri) == ("Test", "s3://three"), "Dev has that of Prod, too"


def test_odd_lists_are_no_reason_to_stumble(serve: Serve, provisioner: Any) -> None:
    items = [{"DomainName": 1}, {"DomainName": None}, "x"]
    server = serve(lambda request: ok({"Items": items, "NextToken": 7}))
    with pytest.raises(StateError, match="show no integration"):
        provisioner(server.url).discovered()
