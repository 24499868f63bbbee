"""What tests of recording and comparing share: exchanges made up, recordings, what a comparison said."""

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from getintegration_contract.exchange import Exchange, Request, Response
from getintegration_contract.judging.ledger import Entry
from getintegration_contract.operations import get_integration
from getintegration_contract.recording import Recorder, Suite, har
from getintegration_contract.recording.har import Recorded
from getintegration_contract.redact import Redactor

STATE = {
    "domain": "Domain",
    "uri": "s3://Bucket/Caf\u00e9",
    "other_domain": "Other",
    "other_uri": "s3://Other",
}
#: Headers that an exchange has.
HEADERS = (("Content-Type", "application/json"), ("x-amzn-RequestId", "1"))


def about(
    endpoint: str = "http://127.0.0.1:1",
    date: str = "2026-11-01T10:00:00+00:00",
    state: Mapping[str, str] = STATE,
) -> Suite:
    """What a recording made up by a test is about."""
    return Suite("0.1.0", "model", endpoint, "us-east-1", date, 0, "gate", (dict(state),))


def exchange(
    status: int = 200,
    document: Any = None,
    *,
    request: Request | None = None,
    headers: Iterable[tuple[str, str]] = HEADERS,
    body: bytes | None = None,
    attempt: int = 1,
    started: float = 1.7e9,
) -> Exchange:
    """An exchange made up by a test."""
    request = request or get_integration(STATE["domain"], STATE["uri"])
    if body is None:
        body = json.dumps(found() if document is None else document).encode()
    response, faults = Response(status, "", tuple(headers), body), ("429",) * (attempt - 1)
    return Exchange("http://127.0.0.1:1", request, response, "caller", started, 0.01, faults)


def found(**members: Any) -> dict[str, Any]:
    """An integration as it is answered."""
    known = {"DomainName": STATE["domain"], "Uri": STATE["uri"], "CreatedAt": 1.5e9, "LastUpdatedAt": 1.6e9}
    return known | members


def missing(
    status: int = 404,
    *more: tuple[str, str],
    error: str = "ResourceNotFoundException",
    request: Request | None = None,
) -> Exchange:
    """An exchange that ends in an error, in the emulator's form, with more headers."""
    headers = (*HEADERS, ("X-Amzn-ErrorType", error), *more)
    return exchange(status, {"Message": "no"}, headers=headers, request=request)


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


@dataclass(frozen=True)
class Result:
    """What the command did, and the folder of its reports."""

    status: int
    out: str
    err: str
    folder: Path

    @property
    def report(self) -> dict[str, Any]:
        """compare.json."""
        report: dict[str, Any] = json.loads((self.folder / "compare.json").read_text(encoding="utf-8"))
        return report

    @property
    def differences(self) -> list[dict[str, Any]]:
        """Its differences."""
        return list(self.report["differences"])

    @property
    def places(self) -> set[tuple[str, str]]:
        """Kind and place of each."""
        return {(group["kind"], group["where"]) for group in self.differences}


def accept(path: Path, *patterns: str, expires: str = "2099-01-01") -> Path:
    """A file of accepted differences."""
    tables = (
        f'[[waiver]]\ndifference = "{pattern}"\nreason = "known"\nowner = "me"\nexpires = {expires}\n'
        for pattern in patterns
    )
    path.write_text("\n".join(tables))
    return path
