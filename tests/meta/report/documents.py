"""Report documents as a run makes them: through the real contract, ledger, entries and run."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from getintegration_contract.contract import Contract
from getintegration_contract.exchange import Exchange, Headers, Request, Response
from getintegration_contract.judging.judge import Check
from getintegration_contract.judging.ledger import Entry
from getintegration_contract.report import document
from getintegration_contract.run import Run, Settings
from getintegration_contract.target.capabilities import CAPABILITIES as CLAIMS
from getintegration_contract.target.target import Target
from getintegration_contract.target.waivers import Waiver

CONTRACT = Contract.load(Path(__file__).parents[3] / "openapi" / "get-integration.yaml")
ENDPOINT = "http://127.0.0.1:4566"
STARTED = datetime.datetime(2027, 1, 27, 10, 12, 30, tzinfo=datetime.UTC)

#: What only a fault of the target shows.
ONLY_BY_FAULT = (
    "error.InternalServerException.status",
    "transport.encoding",
)

_ERROR_HEADERS = (
    ("Content-Type", "application/json"),
    ("X-Amzn-ErrorType", "ResourceNotFoundException"),
    ("x-amzn-RequestId", "5f0c2a9e-7d53-4d8e-9a51-0d9b8f4f0c11"),
    ("Date", "Wed, 27 Jan 2027 10:12:31 GMT"),
)


def exchange(
    target: str = "/domains/gic-domain/integrations",
    body: bytes = b'{"Uri": "arn:aws:flow:us-east-1:000000000000:flow/1"}',
    status: int = 404,
    answer: bytes = b'{"Message": "Integration not found."}',
    headers: Headers = _ERROR_HEADERS,
    reason: str = "Not Found",
    identity: str | None = "caller",
) -> Exchange:
    """One exchange, in the form that the client keeps it."""
    sent = (
        ("Host", "127.0.0.1:4566"),
        ("Content-Type", "application/json"),
        ("X-Amz-Date", "20270127T101231Z"),
        ("Authorization", "REDACTED"),
    )
    request = Request("POST", target, sent, body)
    return Exchange(ENDPOINT, request, Response(status, reason, headers, answer), identity, 0.0, 0.0021)


class Session:
    """A run whose tests are made up, so that its report is not."""

    def __init__(
        self,
        *,
        claims: Iterable[str] = CLAIMS,
        waivers: list[Waiver] | None = None,
        endpoint: str = ENDPOINT,
        started: datetime.datetime = STARTED,
        strict: bool = False,
    ) -> None:
        target = Target(endpoint, claims=frozenset(claims))
        command = f"pytest tests/contract --endpoint-url {endpoint}"
        settings = Settings(command=command, strict=strict)
        self.run = Run(CONTRACT, target, settings, waivers or [], lambda line: None)
        self.run.started = started
        self.run.seconds = 2.134

    def credit(self, clauses: Iterable[str], test: str = "tests/contract/test_valid.py::test_all") -> None:
        """A test that checked clauses and found them upheld."""
        entry = Entry(test)
        for number, clause in enumerate(clauses):
            entry.record(Check(clause, True), None, 0)
            seen = exchange(status=200 if number % 3 else 404)
            entry.observe(seen)
        self.run.ledger.add(json.loads(json.dumps(entry.to_dict())))

    def violate(
        self,
        clause: str,
        expected: str,
        actual: str,
        shown: Exchange | None = None,
        tests: Iterable[str] = ("tests/contract/test_missing.py::test_near_miss[slash]",),
    ) -> None:
        """Tests that found a clause broken."""
        for test in tests:
            entry = Entry(test)
            redacted = self.run.redactor.finding(shown.to_dict()) if shown else None
            entry.record(Check(clause, False, expected, actual), redacted, shown.size if shown else 0)
            if shown:
                entry.observe(shown)
            self.run.ledger.add(json.loads(json.dumps(entry.to_dict())))

    def entry(self, test: str, **values: Any) -> None:
        """A test with anything else in its entry."""
        self.run.ledger.add({**Entry(test).to_dict(), **values})

    def report(self, status: int | None = None) -> dict[str, Any]:
        """What the run reports."""
        return document.make(self.run, self.run.exit_status() if status is None else status)


def phases() -> dict[str, list[str]]:
    """Clauses by the test file that exercises them, roughly as the suite does."""
    files = {
        "request": "generated",
        "response": "valid",
        "error": "missing",
        "missing": "missing",
        "sigv4": "signatures",
        "routing": "malformed",
    }
    found: dict[str, list[str]] = {}
    for clause in CONTRACT.clauses:
        side = clause.partition(".")[0]
        found.setdefault(files.get(side, side), []).append(clause)
    return found


def upheld(session: Session, *, but: Iterable[str] = ()) -> Session:
    """Credit every clause but some."""
    left_out = set(but)
    for phase, clauses in phases().items():
        test = f"tests/contract/test_{phase}.py::test_{phase}"
        session.credit((clause for clause in clauses if clause not in left_out), test)
    return session


def healthy() -> dict[str, Any]:
    """The shipped emulator, more or less: all claimed, all upheld but what only a fault shows."""
    return upheld(Session(), but=ONLY_BY_FAULT).report()


def partial_claims() -> dict[str, Any]:
    """A mock server without access control and throttling."""
    session = Session(claims={"signatures", "writing"})
    return upheld(session, but=ONLY_BY_FAULT).report()


def failing(*, waived: bool = True) -> dict[str, Any]:
    """A mock server with faults, one of them waived, one only reported."""
    waiver = Waiver(
        "missing.uri.whitespace",
        "The mock trims white space; fixed in its next release.",
        datetime.date(2027, 6, 30),
        owner="integrations team",
        link="https://tracker.example/INT-418",
    )
    session = Session(
        claims={"signatures", "temporary-credentials", "writing"}, waivers=[waiver] if waived else []
    )
    scope = [clause for clause in CONTRACT.clauses if clause.startswith(("response.Scope", "response.Tags"))]
    broken = (
        "missing.uri.trailing-slash",
        "error.ResourceNotFoundException.type",
        "response.timestamps.unit",
        "missing.uri.whitespace",
        "response.request-id",
        "sigv4.unknown-key.type",
    )
    upheld(session, but=(*ONLY_BY_FAULT, *scope, *broken))
    found = exchange(
        body=b'{"Uri": "arn:aws:flow:us-east-1:000000000000:flow/1/"}',
        status=200,
        reason="OK",
        headers=(("Content-Type", "application/json"), ("Content-Length", "168")),
        answer=(
            b'{"CreatedAt": 1801044751.2, "DomainName": "gic-domain", "LastUpdatedAt": 1801044751.2,'
            b' "ObjectTypeName": "Account", "Uri": "arn:aws:flow:us-east-1:000000000000:flow/1"}'
        ),
    )
    session.violate("missing.uri.trailing-slash", "404 ResourceNotFoundException", "200", found)
    untyped = exchange(
        target="/domains/gic-absent/integrations",
        headers=(("Content-Type", "application/json; charset=utf-8"),),
        answer=b'{"__type": "NotFoundException", "message": "no such domain"}',
    )
    session.violate(
        "error.ResourceNotFoundException.type",
        "404 ResourceNotFoundException",
        "404 NotFoundException",
        untyped,
        [
            f"tests/contract/test_missing.py::test_absent[{name}]"
            for name in ("domain", "case", "near", "uri")
        ],
    )
    millis = exchange(
        status=200,
        reason="OK",
        headers=(("Content-Type", "application/json"),),
        answer=(
            b'{"CreatedAt": 1801044751200, "DomainName": "gic-domain", "LastUpdatedAt": 1801044751200,'
            b' "Uri": "arn:aws:flow:us-east-1:000000000000:flow/1"}'
        ),
    )
    session.violate(
        "response.timestamps.unit",
        "epoch seconds",
        "1801044751200",
        millis,
        ["tests/contract/test_valid.py::test_minimal"] * 37,
    )
    session.violate("missing.uri.whitespace", "404 ResourceNotFoundException", "200", found)
    session.violate(
        "response.request-id",
        "x-amzn-RequestId",
        "no such header",
        millis,
        ["tests/contract/test_valid.py::t"] * 212,
    )
    session.violate(
        "sigv4.unknown-key.type",
        "403 UnrecognizedClientException",
        "403 AccessDeniedException",
        exchange(status=403, reason="Forbidden", identity="unknown"),
        ["tests/contract/test_signatures.py::test_unknown_key"],
    )
    session.entry(
        "tests/contract/test_transport.py::test_close",
        faults={"429": 4, "no connection could be made": 1},
        notes=["the mock answers HEAD like POST"],
    )
    return session.report()


#: What a server could answer to break a page, a terminal or a log.
ATTACK = (
    "</script><script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"
    "</pre><b id=injected>bold</b>{{ 7 * 7 }}<!-- \u202egnp.exe \x1b[31mred\x1b[0m ``` |cell| "
    "\n::error title=forged::forged\n##[add-mask]a \ud800 \x00"
)


def hostile() -> dict[str, Any]:
    """A server that answers everything in its power to attack who reads the report."""
    session = upheld(Session(claims=set()), but=(*ONLY_BY_FAULT, "missing.domain"))
    raw = ATTACK.encode("utf-8", "surrogatepass")
    shown = exchange(
        answer=raw, reason=ATTACK.splitlines()[0], headers=((ATTACK.splitlines()[0], ATTACK), *_ERROR_HEADERS)
    )
    session.violate("missing.domain", "404 ResourceNotFoundException", f"404 {ATTACK}", shown)
    session.entry("tests/contract/test_x.py::test_y", faults={ATTACK: 1}, notes=[ATTACK])
    session.run.internal_errors.append(f"tests/contract/test_x.py::test_y[{ATTACK}]")
    return session.report()
