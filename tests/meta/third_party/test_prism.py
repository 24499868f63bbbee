"""Stoplight Prism serves our description as a mock: it knows the form of requests, not what exists."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..conftest import RunSuite
from ..support import call, suite
from .conftest import Programs, violated
from .servers import Server

pytestmark = pytest.mark.third_party

#: The example of the description, which Prism answers to every valid request.
GIVEN = (
    "--domain-name=ExampleDomainName",
    "--integration-uri=arn:aws:flow:us-east-1:123456789012:URIOfIntegration1",
)
ROUTING = "test_malformed.py::test_domain_name_that_routing_can_see"
#: Percent-encoding that is not UTF-8, or none: Prism's process ends with "URIError: URI malformed".
FATAL = [f"--deselect=tests/contract/{ROUTING}[{name}]" for name in ("not UTF-8", "broken percent-encoding")]

Prism = Callable[..., Server]
Expected = Callable[[str, str], set[str]]


@pytest.fixture
def prism(programs: Programs, tmp_path: Path, closing: Any) -> Prism:
    """Starts Prism with options."""
    return lambda *options: closing(Server("prism", programs("prism"), tmp_path, *options))


def test_what_the_mock_violates(run_suite: RunSuite, mock: Server, expected: Expected) -> None:
    result = run_suite("--endpoint-url", mock.url, *GIVEN, *FATAL, timeout=300)
    assert violated(result) == expected("prism", "mock")
    assert result.status == 1
    assert result.report["run"]["faults"] == {}
    assert not mock.ended


def test_parity_of_the_emulator_and_the_mock(run_suite: RunSuite, mock: Server, tmp_path: Path) -> None:
    recording = tmp_path / "emulator.har"
    run_suite(suite("valid"), suite("missing"), "--record", recording, status=0)
    target = tmp_path / "target.toml"
    name, uri = (json.dumps(option.partition("=")[2]) for option in GIVEN)
    target.write_text(f"domain-name = {name}\nintegration-uri = {uri}\n", encoding="utf-8")
    command = (sys.executable, "-m", "getintegration_contract", "compare", recording, mock.url, "--no-repeat")
    call(*command, "--target", target, "--report-dir", tmp_path, status=1)
    report = json.loads((tmp_path / "compare.json").read_text(encoding="utf-8"))
    kinds = {(difference["kind"], difference["where"]) for difference in report["differences"]}
    # It answers every valid request with the description's example, whether that exists or not.
    assert any(kind == "status" for kind, _ in kinds), kinds
    assert report["divergence"]["different"] > 20
    assert 0 < report["coverage"]["compared"] <= report["coverage"]["requests"]


def test_what_generated_answers_violate(run_suite: RunSuite, prism: Prism, expected: Expected) -> None:
    # The seed is one with an answer that carries optional members.
    server = prism("--dynamic", "--seed", "21")
    result = run_suite(f"{suite('valid')}::test_existing", "--endpoint-url", server.url, *GIVEN)
    assert violated(result) == expected("prism", "dynamic")
    carried = {clause.split(".")[1] for clause, outcome in result.outcomes.items() if outcome == "upheld"}
    assert carried >= {"EventTriggerNames", "RoleArn", "WorkflowId"}


def test_signatures_that_are_not_claimed_are_no_violation(run_suite: RunSuite, mock: Server) -> None:
    existing = f"{suite('valid')}::test_existing"
    given = ("--endpoint-url", mock.url, *GIVEN, "--not-claimed", "signatures")
    result = run_suite(existing, suite("signatures"), *given)
    assert (result.status, violated(result)) == (0, set()), result.output
    signatures = {outcome for clause, outcome in result.outcomes.items() if clause.startswith("sigv4.")}
    assert signatures == {"not claimed"}


def test_a_request_that_ends_the_server_ends_the_run(run_suite: RunSuite, prism: Prism) -> None:
    server = prism()
    result = run_suite(suite("malformed").with_name(ROUTING), "--endpoint-url", server.url, *GIVEN)
    assert server.ended
    assert "URIError: URI malformed" in server.output
    assert result.status == 6, result.output
    assert f"nothing listens at {server.url}" in result.output


def test_a_mock_that_holds_no_state_asks_for_some(run_suite: RunSuite, mock: Server) -> None:
    result = run_suite("--endpoint-url", mock.url, status=6)
    assert "give --domain-name and --integration-uri of one that exists" in result.output
