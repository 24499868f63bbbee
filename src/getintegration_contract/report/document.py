"""A run -> the document that report.json holds and every rendering starts from (``schema.json``)."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from getintegration_contract.judging.ledger import percentile
from getintegration_contract.report import history
from getintegration_contract.report.causes import Causes
from getintegration_contract.report.repeat import commands

if TYPE_CHECKING:
    from getintegration_contract.judging.ledger import Ledger, Outcome
    from getintegration_contract.run import Run

SCHEMA_VERSION = 2

_VERDICTS = {0: "pass", 1: "fail"}


def make(run: Run, exit_status: int) -> dict[str, Any]:
    """The document of a run, redacted: nothing else of the run leaves the process."""
    ledger, target = run.ledger, run.target
    outcomes = ledger.outcomes()
    claimed = [finding for finding in ledger.findings.values() if ledger.claimed(finding)]
    found = [{**vars(each), "gating": ledger.gates(each.clause), **commands(run, each)} for each in claimed]
    clauses = list(map(_clause, outcomes))
    document = {
        "schema_version": SCHEMA_VERSION,
        "suite_version": version("getintegration-contract"),
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 3),
        "verdict": _VERDICTS.get(exit_status, "indeterminate"),
        "exit_status": exit_status,
        "target": {
            "name": target.name,
            "endpoint": "shipped emulator" if run.is_emulator else target.endpoint,
            "region": target.region,
            "capabilities": sorted(target.capabilities),
            "state": run.state.origin if run.state else "none",
        },
        "run": _facts(run, ledger),
        "counts": dict(Counter(entry.outcome for entry in outcomes)),
        "complaints": run.complaints(),
        "notes": [*([ledger.aborted] if ledger.aborted else []), *ledger.notes, *run.notes],
        "errors": run.internal_errors,
        "baseline": history.changes(run.baseline, clauses) if run.baseline else None,
        "clauses": clauses,
        "findings": Causes(run.contract).explain(found, ledger.checks, run.waived),
        "waivers": [{**asdict(waiver), "expires": waiver.expires.isoformat()} for waiver in run.waivers],
    }
    # Sentences of the contract hold no secret, and reasons are redacted where they are given.
    redact = run.redactor.value
    return {name: part if name == "clauses" else redact(part) for name, part in document.items()}


def _facts(run: Run, ledger: Ledger) -> dict[str, Any]:
    """How the run went about it, and what it measured."""
    return {
        "command": run.settings.command,
        "partial": run.is_partial,
        "depth": run.settings.depth,
        "seed": run.settings.seed,
        "strict": run.settings.strict,
        "workers": run.settings.workers,
        "requests": ledger.requests or len(run.preparation),
        "statuses": dict(sorted(ledger.statuses.items())),
        "faults": dict(sorted(ledger.faults.items())),
        "latency": {
            phase: {
                "requests": sum(buckets.values()),
                "p50": percentile(ledger.latency[phase], 0.5),
                "p99": percentile(ledger.latency[phase], 0.99),
            }
            for phase, buckets in sorted(ledger.latency.items())
            if buckets
        },
    }


def _clause(entry: Outcome) -> dict[str, Any]:
    outcome = asdict(entry)
    return {**outcome.pop("clause"), **outcome, "tests": list(entry.tests)}
