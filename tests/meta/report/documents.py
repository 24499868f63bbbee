"""Report documents: a stored one of a mock with faults, what is derived from it, and made-up runs."""

import copy
import datetime
import json
from pathlib import Path
from typing import Any

from getintegration_contract.exchange import Exchange, Request, Response
from getintegration_contract.judging.judge import Check
from getintegration_contract.judging.ledger import Entry
from getintegration_contract.redact import SHOWN
from getintegration_contract.report import document
from getintegration_contract.run import Run, Settings
from getintegration_contract.target.target import Target
from getintegration_contract.target.waivers import Waiver

from ..support import CONTRACT

Report = dict[str, Any]

_STORED = (Path(__file__).parent / "stored" / "failing.json").read_text(encoding="utf-8")

#: What a server could answer to break a page, a terminal or a log.
ATTACK = (
    "</script><script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"
    "</pre><b id=injected>bold</b>{{ 7 * 7 }}<!-- \u202egnp.exe \x1b[31mred\x1b[0m ``` |cell| "
    "\n::error title=forged::forged\n##[add-mask]a \x00"
)


def failing() -> Report:
    """A mock with four causes, two consequences, two reported violations and a waived one."""
    report: Report = json.loads(_STORED)
    return report


def healthy() -> Report:
    """The same clauses, nothing wrong."""
    report = failing()
    for clause in report["clauses"]:
        if clause["outcome"] in ("violated", "waived"):
            clause |= {"outcome": "upheld", "violations": 0}
    empty: dict[str, Any] = {"findings": [], "waivers": [], "notes": [], "exit_status": 0, "verdict": "pass"}
    return {**report, **empty, "run": {**report["run"], "faults": {}}}


def hostile() -> Report:
    """A server that says what it can to attack who reads the report, wherever it has a say."""
    report = failing()
    for finding in report["findings"]:
        finding |= {"actual": ATTACK, "expected": ATTACK, "places": [ATTACK], "also": [ATTACK]}
        response = copy.deepcopy(finding["exchange"]["response"])
        response |= {"reason": ATTACK, "body": ATTACK, "headers": [[ATTACK, ATTACK], *response["headers"]]}
        finding["exchange"] = {**finding["exchange"], "response": response}
    report["run"]["faults"] = {ATTACK: 1}
    report["clauses"][0]["reason"] = ATTACK
    return {**report, "notes": [ATTACK], "errors": [ATTACK], "complaints": [ATTACK]}


def every_clause_violated() -> Report:
    """A mock that does nothing right, each fault on its own."""
    report = failing()
    clause, finding = report["clauses"][0], report["findings"][0]
    ids = [f"some.clause-{number}" for number in range(200)]
    broken = {"outcome": "violated", "gating": True, "violations": 1}
    long = {"expected": "e" * 4_000, "actual": "a" * 4_000}
    report["clauses"] = [{**clause, **broken, "id": name} for name in ids]
    report["findings"] = [{**finding, **long, "clause": name, "follows": None} for name in ids]
    return report


def exchange(status: int = 404, body: bytes = b'{"Message": "none"}', domain: str = "gic-domain") -> Exchange:
    """One exchange, as the client keeps it."""
    sent = (("Host", "127.0.0.1:4566"), ("Content-Type", "application/json"), ("Authorization", "REDACTED"))
    request = Request("POST", f"/domains/{domain}/integrations", sent, b'{"Uri": "s3://bucket"}')
    answer = Response(status, "", (("Content-Type", "application/json"),), body)
    return Exchange("http://127.0.0.1:4566", request, answer, "caller", 0.0, 0.002)


def made(*found: tuple[str, Exchange | None], upheld: tuple[str, ...] = (), **changed: Any) -> Report:
    """The document of a run whose tests found clauses violated, each with its exchange."""
    settings = Settings(command="pytest tests/contract", **changed.pop("settings", {}))
    target = Target(
        "http://127.0.0.1:4566", capabilities=frozenset(changed.pop("capabilities", ("signatures",)))
    )
    waivers = [Waiver(clause, "known", datetime.date.max) for clause in changed.pop("waived", ())]
    run = Run(CONTRACT, target, settings, waivers, lambda line: None)
    for name, value in changed.items():
        setattr(run, name, value)
    for number, (clause, shown) in enumerate(found):
        entry = Entry(f"tests/contract/test_it.py::test_{number}")
        redacted = run.redactor.exchange(shown.to_dict(), SHOWN) if shown else None
        entry.record(Check(clause, False, "this", "that"), redacted, shown.size if shown else 0)
        run.ledger.add(json.loads(json.dumps(entry.to_dict())))
    for clause in upheld:
        entry = Entry("tests/contract/test_it.py::test_good")
        entry.record(Check(clause, True), None, 0)
        run.ledger.add(entry.to_dict())
    return document.make(run, run.exit_status())
