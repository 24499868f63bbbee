"""What tests of recording and comparing share: recordings, edits of them, the command in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from getintegration_compare import cli
from getintegration_compare.comparison import Comparison, Settings
from getintegration_contract.exchange import Exchange, Request, Response
from getintegration_contract.operations import get_integration
from getintegration_contract.recording import Recorder, Recording, har
from getintegration_contract.recording.about import Suite
from getintegration_contract.recording.har import Recorded
from getintegration_contract.redact import Redactor
from getintegration_contract.target.emulator import emulator_identities

from ..support import CONTRACT

STATE = {
    "domain": "Domain",
    "uri": "s3://Bucket/Caf\u00e9",
    "other_domain": "Other",
    "other_uri": "s3://Other",
}

Entry = dict[str, Any]
Edit = Callable[[Entry], None]


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


def missing(status: int = 404, *more: tuple[str, str], **members: Any) -> Exchange:
    """An exchange that ends in an error."""
    document, headers = error("ResourceNotFoundException")
    return exchange(status, document | members, headers=(*headers, *more))


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
) -> Path:
    """A recording of these exchanges, each of a test of its own; one that is not finished was broken off."""
    redactor = Redactor()
    recorder = Recorder(path, redactor, suite or about())
    for number, each in enumerate(exchanges):
        recorded = Recorded(each, test.format(number), clauses, {"kind": "signed"})
        recorder.add([har.line(recorded, redactor)])
    if finish:
        recorder.finish(complete=True)
    recorder.close()
    return path


def load(path: Path) -> dict[str, Any]:
    """A HAR file as JSON."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


@dataclass
class Edited:
    """A copy of a recording whose entries are changed."""

    document: dict[str, Any]

    @classmethod
    def of(cls, path: Path) -> Edited:
        """A copy of a recording."""
        return cls(load(path))

    @property
    def entries(self) -> list[Entry]:
        """The entries, to be changed."""
        entries: list[Entry] = self.document["log"]["entries"]
        return entries

    def suite(self, **changes: Any) -> Edited:
        self.document["log"]["_suite"].update(changes)
        return self

    def write(self, path: Path) -> Path:
        path.write_text(json.dumps(self.document, indent=1), encoding="utf-8")
        return path

    def answered(self, status: int) -> Iterator[Entry]:
        """The entries of one status that are ordinary enough to be changed for a test."""
        return (
            entry
            for entry in self.entries
            if entry["response"]["status"] == status and len(entry["response"]["content"].get("text", "")) > 2
        )


def document(entry: Entry) -> Any:
    """The JSON of an entry's answer."""
    return json.loads(entry["response"]["content"]["text"])


def set_document(entry: Entry, value: Any, **layout: Any) -> None:
    """Give an entry's answer another JSON body."""
    entry["response"]["content"]["text"] = json.dumps(value, **layout)


def change(edit: Callable[[dict[str, Any]], Any]) -> Edit:
    """An edit of the JSON of an answer."""

    def apply(entry: Entry) -> None:
        value = document(entry)
        edit(value)
        set_document(entry, value)

    return apply


def set_header(name: str, value: str | None) -> Edit:
    """An edit of a header of an answer: set, or removed where None."""

    def apply(entry: Entry) -> None:
        headers = entry["response"]["headers"]
        kept = [header for header in headers if header["name"].lower() != name.lower()]
        entry["response"]["headers"] = kept + ([] if value is None else [{"name": name, "value": value}])

    return apply


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


def compare(reference: Recording, candidate: Recording) -> Comparison:
    """Two recordings, compared."""
    return Comparison(reference, candidate, Settings(CONTRACT))


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
