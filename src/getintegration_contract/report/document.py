"""A run -> the document that report.json holds and every rendering starts from (``schema.json``)."""

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from getintegration_contract.judging.ledger import Finding, Outcome, percentile
from getintegration_contract.report import files
from getintegration_contract.report.causes import Causes
from getintegration_contract.run import Run
from getintegration_contract.state.state import PREFIX

SCHEMA_VERSION = 2

_TARGET = re.compile(r"/domains/([A-Za-z0-9_-]{1,64})/integrations")
#: Headers that clients make themselves.
_OWN = re.compile(
    r"host|content-length|accept|accept-encoding|user-agent|connection|authorization|x-amz-.*", re.I
)
#: What is wrong with a signature, or with how bytes are sent, no client says.
_UNSAYABLE = re.compile(r"sigv4\.(?!missing-auth)|precedence\.signature|transport|concurrency|routing")


def make(run: Run, exit_status: int) -> dict[str, Any]:
    """The document of a run, redacted: nothing else of the run leaves the process."""
    ledger, target, settings = run.ledger, run.target, run.settings
    outcomes = ledger.outcomes()
    clauses = list(map(_clause, outcomes))
    found = [_finding(run, finding) for finding in ledger.findings.values() if ledger.claimed(finding)]
    document = {
        "schema_version": SCHEMA_VERSION,
        "suite_version": version("getintegration-contract"),
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 3),
        "verdict": {0: "pass", 1: "fail"}.get(exit_status, "indeterminate"),
        "exit_status": exit_status,
        "target": {
            "name": target.name,
            "endpoint": "shipped emulator" if run.is_emulator else target.endpoint,
            "region": target.region,
            "capabilities": sorted(target.capabilities),
            "state": run.state.origin if run.state else "none",
        },
        "run": {
            **{name: getattr(settings, name) for name in ("command", "seed", "strict", "workers")},
            "depth": target.depth,
            "partial": run.is_partial,
            "requests": ledger.requests or len(run.preparation),
            "statuses": dict(sorted(ledger.statuses.items())),
            "faults": dict(sorted(ledger.faults.items())),
            "latency": {
                phase: {
                    "requests": sum(buckets.values()),
                    "p50": percentile(buckets, 0.5),
                    "p99": percentile(buckets, 0.99),
                }
                for phase, buckets in sorted(ledger.latency.items())
                if buckets
            },
        },
        "counts": dict(Counter(entry.outcome for entry in outcomes)),
        "complaints": run.complaints(),
        "notes": [*([ledger.aborted] if ledger.aborted else []), *ledger.notes, *run.notes],
        "errors": run.internal_errors,
        "baseline": files.changes(run.baseline, clauses) if run.baseline else None,
        "clauses": clauses,
        "findings": Causes(run.contract).explain(found, ledger.checks, run.waived),
        "waivers": [{**asdict(waiver), "expires": waiver.expires.isoformat()} for waiver in run.waivers],
    }
    # Sentences of the contract hold no secret, and reasons are redacted where they are given.
    redact = run.redactor.value
    return {name: part if name == "clauses" else redact(part) for name, part in document.items()}


def _clause(entry: Outcome) -> dict[str, Any]:
    outcome = asdict(entry)
    return {**outcome.pop("clause"), **outcome, "tests": list(entry.tests)}


def _finding(run: Run, finding: Finding) -> dict[str, Any]:
    """A finding with commands that repeat it: the suite's own, curl and the AWS CLI where they can say it.

    Of a domain that the run made and removed there is nothing to ask.
    """
    exchange, also = finding.exchange, []
    if exchange and exchange["identity"] in (None, "caller") and not _UNSAYABLE.match(finding.clause):
        if PREFIX not in exchange["request"]["target"]:
            also = list(_others(exchange, run.target.region))
    repeat = own_command(run, finding.places)
    return {**vars(finding), "gating": run.ledger.gates(finding.clause), "repeat": repeat, "also": also}


def own_command(run: Run, places: list[str]) -> str:
    """A command line that repeats the first of some tests; secrets stay where they are configured."""
    if not places:
        return run.settings.command
    return f"{run.settings.repeat} {shlex.quote(run.settings.root + places[0])}"


def _others(exchange: dict[str, Any], region: str) -> Iterator[str]:
    """What asks the same with other tools."""
    request, signed = exchange["request"], exchange["identity"] is not None
    body, target, url = request["body"], request["target"], exchange["endpoint"] + request["target"]
    is_text = body.isprintable() and "\\x" not in body  # as bytes that are none stand there
    if not (is_text and target.isascii() and request["method"] == "POST"):
        return
    headers = [f"{name}: {value}" for name, value in request["headers"] if not _OWN.fullmatch(name)]
    if not any(header.lower().startswith("content-type:") for header in headers):
        headers.append("Content-Type:")
    sent = [word for header in headers for word in ("-H", header)]
    key = f'--aws-sigv4 aws:amz:{region}:profile --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" '
    yield f"curl --path-as-is -i {key if signed else ''}{shlex.join([*sent, '--data-raw', body, url])}"
    found = _TARGET.fullmatch(target)
    try:
        members = json.loads(body, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return
    match members:
        case (("Uri", str(uri)),) if signed and found and isinstance(members, tuple):
            what = [f"--domain-name={found[1]}", f"--uri={uri}"]  # which may begin with a hyphen
            where = ["--endpoint-url", exchange["endpoint"], "--region", region]
            yield shlex.join(["aws", "customer-profiles", "get-integration", *what, *where])
