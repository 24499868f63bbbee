"""What tests of recording and comparing share: recordings, edits of them, the command in this process."""

from __future__ import annotations

import json
from collections.abc import Container
from pathlib import Path
from typing import Any

from getintegration_compare import cli
from getintegration_contract.exchange import Exchange, Request, Response
from getintegration_contract.judging.ledger import Entry
from getintegration_contract.operations import get_integration
from getintegration_contract.recording import Recorder, Suite, har
from getintegration_contract.recording.har import Recorded
from getintegration_contract.redact import Redactor
from getintegration_contract.target.emulator import emulator_identities

STATE = {
    "domain": "Domain",
    "uri": "s3://Bucket/Caf\u00e9",
    "other_domain": "Other",
    "other_uri": "s3://Other",
}


def about(
    endpoint: str = "http://127.0.0.1:1", date: str = "2026-11-01T10:00:00+00:00", **more: Any
) -> Suite:
    """What a recording made up by a test is about."""
    states = more.pop("states", (STATE,))
    return Suite("0.1.0", "model", endpoint, "us-east-1", date, 0, "gate", states, **more)


def exchange(
    status: int = 200,
    document: Any = None,
    *,
    request: Request | None = None,
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"), ("x-amzn-RequestId", "1")),
    body: bytes | None = None,
    attempt: int = 1,
    started: float = 1.7e9,
    identity: str | None = "caller",
) -> Exchange:
    """An exchange made up by a test."""
    request = request or get_integration(STATE["domain"], STATE["uri"])
    if body is None:
        body = json.dumps(found() if document is None else document).encode()
    faults = ("429",) * (attempt - 1)
    response = Response(status, "", headers, body)
    return Exchange("http://127.0.0.1:1", request, response, identity, started, 0.01, faults)


def found(**members: Any) -> dict[str, Any]:
    """An integration as it is answered."""
    known = {"DomainName": STATE["domain"], "Uri": STATE["uri"], "CreatedAt": 1.5e9, "LastUpdatedAt": 1.6e9}
    return known | members


def missing(status: int = 404, *more: tuple[str, str], request: Request | None = None) -> Exchange:
    """An exchange that ends in an error."""
    document, headers = error("ResourceNotFoundException")
    return exchange(status, document, headers=(*headers, *more), request=request)


def error(error_type: str, message: str = "no") -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
    """Body and headers of an error in the emulator's form."""
    typed = ("X-Amzn-ErrorType", error_type)
    return {"Message": message}, (("Content-Type", "application/json"), ("x-amzn-RequestId", "1"), typed)


def record(
    path: Path,
    *exchanges: Exchange,
    suite: Suite | None = None,
    test: str = "test[{}]",
    clauses: tuple[str, ...] = (),
    finish: bool = True,
    ended: Container[int] = (),
    secret: str = "",
) -> Path:
    """A recording of these exchanges, each of a test of its own; one that is not finished was broken off.

    Args:
        ended: The tests that came to their end, by number.
        secret: Is kept out of it; the tests note it.
    """
    redactor = Redactor(filter(None, (secret,)))
    recorder = Recorder(path, redactor, suite or about())
    for number, each in enumerate(exchanges):
        recorded = Recorded(each, test.format(number), clauses, {"kind": "signed"})
        entry = Entry(recorded.test, notes=[secret]).to_dict() if number in ended else None
        recorder.add([har.line(recorded, redactor)], entry)
    if finish:
        recorder.finish(complete=True)
    recorder.close()
    return path


def load(path: Path) -> dict[str, Any]:
    """The log of a HAR file, to be looked at or changed."""
    log: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["log"]
    return log


def save(log: dict[str, Any], path: Path, **suite: Any) -> Path:
    """A HAR file of a log, with changes of what it says of its suite."""
    log["_suite"] |= suite
    path.write_text(json.dumps({"log": log}, indent=1), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> int:
    """The command, in this process."""
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as end:
        return int(end.code or 0)


def compared(tmp_path: Path, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """Exit status and compare.json of the command."""
    folder = tmp_path / "compared"
    status = run(*arguments, "--report-dir", folder)
    return status, json.loads((folder / "compare.json").read_text(encoding="utf-8"))


def places(report: dict[str, Any]) -> set[tuple[str, str]]:
    """Kind and place of all differences of a report."""
    return {(group["kind"], group["where"]) for group in report["differences"]}


def accept(path: Path, *patterns: str, expires: str = "2099-01-01") -> Path:
    """A file of accepted differences."""
    tables = (
        f'[[waiver]]\ndifference = "{pattern}"\nreason = "known"\nowner = "me"\nexpires = {expires}\n'
        for pattern in patterns
    )
    path.write_text("\n".join(tables))
    return path


IDENTITIES = emulator_identities()
