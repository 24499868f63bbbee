"""Truth moves: what a recording of AWS contradicts, and what it confirms."""

from pathlib import Path

import pytest

from getintegration_contract.contract import Contract, read_evidence
from getintegration_contract.judging.ledger import Finding

from ..support import AWS, DESCRIPTION
from .conftest import Compare, load, save


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    """A copy of the description, to write evidence beside."""
    folder = tmp_path / "openapi"
    folder.mkdir()
    path = folder / "get-integration.yaml"
    path.write_text(DESCRIPTION.read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.fixture
def from_aws(tmp_path: Path, slow_har: Path) -> Path:
    """The second server's recording, as if AWS had been recorded."""
    return save(load(slow_har), tmp_path / "aws.har", endpoint=AWS, date="2026-11-20T00:00:00+00:00")


def test_evidence_promotes_clauses(contract: Path, from_aws: Path, compare: Compare) -> None:
    before = Contract.load(contract)
    promoting = (from_aws, "--promote", "--contract", contract, "--max-age", "100000")
    assert "promoted in" in compare(*promoting, status=0).stdout
    evidence = read_evidence(contract.with_name("evidence.yaml"))
    assert evidence["response.request-id"]["date"] == "2026-11-20"
    assert evidence["response.request-id"]["region"] == "us-east-1"
    assert evidence["response.request-id"]["count"] >= 2
    assert "response.unknown-members" not in evidence  # this server has one
    assert "response.status" not in evidence  # documented anyway
    after = Contract.load(contract)
    assert before.clauses["response.request-id"].provenance == "observed"
    raised = after.clauses["response.request-id"]
    assert raised.provenance == "recorded"
    assert "2026-11-20" in raised.source
    assert raised.gates(strict=True)
    assert not before.clauses["response.request-id"].gates(strict=True)
    same = [name for name in before.clauses if name not in evidence]
    assert all(after.clauses[name] == before.clauses[name] for name in same)
    text = contract.with_name("evidence.yaml").read_text()
    compare(*promoting, status=0)
    assert contract.with_name("evidence.yaml").read_text() == text


def test_what_only_tests_can_judge_counts_as_the_run_judged_it(
    tmp_path: Path, contract: Path, emulator_har: Path, compare: Compare
) -> None:
    log = load(emulator_har)
    for test in log["_tests"]:
        test["checks"]["response.request-id"] = 10**6
        if "sigv4.wrong-service.type" in test["checks"]:
            test["findings"] = [vars(Finding("sigv4.wrong-service.type", "a", "b", None, 0))]
    path = save(log, tmp_path / "aws.har", endpoint=AWS, emulator=False, date="2026-11-20T00:00:00Z")
    promoting = ("--promote", "--contract", contract, "--max-age", "100000")
    report = compare(path, emulator_har, *promoting, status=0).report
    evidence = read_evidence(contract.with_name("evidence.yaml"))
    noted = sum(test["checks"].get("sigv4.expired-date.type", 0) for test in log["_tests"])
    assert evidence["sigv4.expired-date.type"]["count"] == noted > 1
    assert evidence["response.request-id"]["count"] < 10**6, "it was judged anew, and counts once"
    assert "sigv4.wrong-service.type" not in evidence
    assert [entry["clause"] for entry in report["contradicted"]] == ["sigv4.wrong-service.type"]


@pytest.mark.parametrize(
    "content", ["- a", "a: 1", "a: {date: 1}", "{", "a: {date: x, region: y, suite_version: z, count: many}"]
)
def test_wrong_evidence_is_refused(
    contract: Path, alike: tuple[Path, Path], content: str, compare: Compare
) -> None:
    contract.with_name("evidence.yaml").write_text(content)
    assert "evidence.yaml" in compare(*alike, "--contract", contract, status=4).stderr
