"""Truth moves: what a recording of AWS says about the clauses, and evidence kept beside the contract.

A clause that AWS itself breaks is contradicted by evidence: then the contract is wrong, not an emulator that
keeps it. A clause that is only observed or inferred, and that AWS upheld, can be promoted: the evidence is
written to ``evidence.yaml`` beside the description, dated, and :func:`raised` lets it count.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from getintegration_contract import oracle
from getintegration_contract.about import Suite
from getintegration_contract.client import transient_fault
from getintegration_contract.contract import PATH, Clause, Contract
from getintegration_contract.har import Recorded
from getintegration_contract.judge import Expectation, Judge
from getintegration_contract.recording import Recording
from getintegration_contract.resign import SIGNED

#: Days after which a recording is called stale.
MAX_AGE = 90
#: Provenances that a recording of AWS can raise, and what they become.
RAISED_FROM = ("observed", "inferred")
RECORDED = "recorded"
FILE_NAME = "evidence.yaml"

_HEAD = (
    "# Evidence from recordings of AWS, written by `python -m getintegration_contract.compare --promote`.\n"
    "# Each clause here was observed or inferred, and was upheld by AWS as told.\n"
)
_FIELDS = {"date": str, "region": str, "suite_version": str, "count": int}


class EvidenceError(ValueError):
    """An evidence file that cannot be used; the message is one sentence."""


@dataclass
class Evidence:
    """What a recording says of each clause.

    Attributes:
        upheld, violated: How often, by clause.
        contradictions: For each violated clause, what was due and what came.
    """

    upheld: Counter[str] = field(default_factory=Counter)
    violated: Counter[str] = field(default_factory=Counter)
    contradictions: dict[str, tuple[str, str]] = field(default_factory=dict)

    def promotable(self, contract: Contract) -> dict[str, int]:
        """The observed and inferred clauses that were upheld and never violated, each with how often."""
        return {
            clause.id: self.upheld[clause.id]
            for clause in contract.clauses.values()
            if clause.provenance in RAISED_FROM
            and self.upheld[clause.id]
            and not self.violated[clause.id]
        }


def is_ordinary(recorded: Recorded) -> bool:
    """Whether the description alone says what is due: the operation, asked by a caller who signs well."""
    plain = not set(recorded.signing) - {"kind"}
    request = recorded.exchange.request
    start, end = PATH.split("{DomainName}")
    path = request.target.partition("?")[0]
    return (
        recorded.exchange.identity == "caller"
        and recorded.signing.get("kind") == SIGNED
        and plain
        and request.method == "POST"
        and path.startswith(start)
        and path.endswith(end)
    )


def expectation(contract: Contract, recorded: Recorded, suite: Suite) -> Expectation | None:
    """What is due for an exchange by the description alone, None if that cannot say."""
    if not is_ordinary(recorded):
        return None
    state = suite.states[-1]
    return oracle.expectation(contract, recorded.exchange.request, (state["domain"], state["uri"]))


def clauses_of(contract: Contract, recorded: Recorded, suite: Suite) -> tuple[str, ...]:
    """The clauses that a request was sent for: its test's, or the one that the description names."""
    if recorded.clauses:
        return recorded.clauses
    due = expectation(contract, recorded, suite)
    return (due.clause,) if due is not None else ()


def judged(recording: Recording, contract: Contract) -> Evidence:
    """What a recording says of the clauses, by the suite's own judge.

    Exchanges that the description alone can judge are judged anew, by the contract of today. For clauses that
    only tests can judge, such as those on signatures, the verdicts count that the run noted.
    """
    judge = Judge(contract)
    evidence = Evidence()
    for recorded in recording:
        due = expectation(contract, recorded, recording.suite)
        if due is None or transient_fault(recorded.exchange.response) is not None:
            continue
        for check in judge.judge(recorded.exchange, due):
            if check.ok:
                evidence.upheld[check.clause] += 1
            else:
                evidence.violated[check.clause] += 1
                evidence.contradictions.setdefault(check.clause, (check.expected, check.actual))
    anew = set(evidence.upheld) | set(evidence.violated)
    for entry in recording.tests.values():
        broken = {finding["clause"]: finding for finding in entry["findings"]}
        for clause, count in entry["checks"].items():
            if clause in anew or clause not in contract.clauses:
                continue
            finding = broken.get(clause)
            wrong = finding["count"] if finding else 0
            evidence.upheld[clause] += count - wrong
            if finding:
                evidence.violated[clause] += wrong
                evidence.contradictions.setdefault(clause, (finding["expected"], finding["actual"]))
    return evidence


def promote(path: Path, clauses: Mapping[str, int], suite: Suite) -> list[str]:
    """Write dated evidence for clauses, beside what the file holds already; the ids that were written.

    Raises:
        EvidenceError: The file cannot be read or written.
    """
    known = read(path) if path.exists() else {}
    for clause, count in clauses.items():
        known[clause] = {
            "date": suite.moment.date().isoformat(),
            "region": suite.region,
            "suite_version": suite.suite_version,
            "count": count,
        }
    text = _HEAD + yaml.safe_dump({name: known[name] for name in sorted(known)}, sort_keys=False)
    try:
        temporary = path.with_suffix(".new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise EvidenceError(f"cannot write {path}: {error.strerror or error}") from None
    return sorted(clauses)


def read(path: Path) -> dict[str, dict[str, Any]]:
    """The evidence by clause.

    Raises:
        EvidenceError: The file is not what :func:`promote` writes.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise EvidenceError(f"cannot read {path}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise EvidenceError(f"{path} is not YAML") from None
    if not isinstance(document, dict):
        raise EvidenceError(f"{path} must be a mapping of clauses to evidence")
    for clause, entry in document.items():
        if not isinstance(entry, dict) or set(entry) != set(_FIELDS):
            raise EvidenceError(f"{path}: {clause} must have {', '.join(_FIELDS)}")
        if isinstance(entry["date"], datetime.date):
            entry["date"] = entry["date"].isoformat()
        for name, kind in _FIELDS.items():
            if not isinstance(entry[name], kind):
                raise EvidenceError(f"{path}: {clause}: {name} is of a wrong kind")
    return document


def raised(clauses: Mapping[str, Clause], path: Path) -> dict[str, Clause]:
    """The clauses, those with evidence raised from observed or inferred to recorded.

    This is the hook for :class:`Contract`: after its clauses are built,
    ``self.clauses = evidence.raised(self.clauses, path)`` with ``recorded`` among the gating provenances.
    """
    if not path.exists():
        return dict(clauses)
    known = read(path)
    return {
        name: replace(clause, provenance=RECORDED, source=_source(known[name]))
        if name in known and clause.provenance in RAISED_FROM
        else clause
        for name, clause in clauses.items()
    }


def _source(entry: Mapping[str, Any]) -> str:
    return (
        f"recording of AWS in {entry['region']}, {entry['date']}, upheld {entry['count']} times,"
        f" suite {entry['suite_version']}"
    )
