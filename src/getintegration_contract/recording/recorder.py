"""A run's exchanges, kept as HAR 1.2: written one by one while it runs, read one by one to be compared.

While a run is under way its recording is a folder beside the file, ``FILE.har.parts``: for each session (a
run, or a run resumed) what it is about, and for each worker one part with a JSON line for every exchange and
for every test that ended. A line is written at once, so that whatever kills a worker loses at most the
exchange under way. At the end the parts become one HAR file. Parts that nobody merged are read as they are.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from getintegration_contract.errors import RecordingError
from getintegration_contract.exchange import Exchange
from getintegration_contract.recording import har
from getintegration_contract.recording.about import Suite, check_test
from getintegration_contract.recording.har import Recorded
from getintegration_contract.recording.jsonstream import HarError, members
from getintegration_contract.redact import Redactor

CREATOR = "getintegration-contract"


class Recorder:
    """Writes one part of a recording; used by all threads of a worker.

    Args:
        path: The HAR file that the recording will be.
        redactor: Keeps secrets out of it.
        suite: What is recorded; starts a session. None for a worker that joins one.
        worker: Name of the worker, one part each.
        session: The session that a worker joins.
        resume: Whether the session goes on from an earlier one.
    """

    def __init__(
        self,
        path: Path,
        redactor: Redactor,
        suite: Suite | None,
        *,
        worker: str = "main",
        session: int | None = None,
        resume: bool = False,
    ) -> None:
        self.path = path
        self.session = session if session is not None else _next_session(path)
        self._redactor = redactor
        self._lock = threading.Lock()
        folder = _folder(path)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if suite is not None:
                about = redactor.value({**suite.to_dict(), "resume": resume})
                _write_whole(folder / f"{self.session:03d}.json", json.dumps(about).encode())
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            self._file = os.open(folder / f"{self.session:03d}-{worker}.jsonl", flags, 0o644)
        except OSError as error:
            raise RecordingError(f"cannot write {folder}: {error.strerror}") from None

    def write(
        self,
        exchange: Exchange,
        *,
        test: str = "",
        clauses: tuple[str, ...] = (),
        signing: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep one exchange; when this returns, it outlives the process."""
        recorded = Recorded(exchange, test, clauses, len(exchange.faults) + 1, dict(signing or {}))
        self._append(har.entry(recorded, self._redactor))

    def done(self, entry: Mapping[str, Any]) -> None:
        """Note that a test ended, with the entry of the ledger that tells its checks."""
        self._append({"_done": self._redactor.value(dict(entry))})

    def close(self) -> None:
        """Close the part; safe to call again."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _append(self, document: dict[str, Any]) -> None:
        line = memoryview(json.dumps(document, separators=(",", ":")).encode() + b"\n")
        with self._lock:
            while line:
                line = line[os.write(self._file, line) :]


class Recording:
    """A recording, open for reading; iterating reads one exchange at a time.

    Attributes:
        suite: What it is about.
        tests: The ledger's entries of the tests that ended, by test id.
    """

    def __init__(
        self,
        path: Path,
        suite: Suite,
        tests: dict[str, dict[str, Any]],
        spool: Any,
        places: list[tuple[int, int]],
    ) -> None:
        self.path = path
        self.suite = suite
        self.tests = tests
        self._spool = spool
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Recorded]:
        return (self.at(index) for index in range(len(self)))

    def at(self, index: int) -> Recorded:
        """One exchange, in the order of the run."""
        return har.recorded(json.loads(self.text(index)))

    def text(self, index: int) -> str:
        """The HAR entry of one exchange, as JSON."""
        offset, length = self._places[index]
        self._spool.seek(offset)
        text: str = self._spool.read(length).decode("utf-8", "surrogatepass")
        return text

    def close(self) -> None:
        """Let go of the temporary file."""
        self._spool.close()

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def read(path: Path) -> Recording:
    """Open a recording: a HAR file of this suite, or the parts that an interrupted run left.

    Raises:
        RecordingError: It cannot be read, or is not what it should be; one sentence says why.
    """
    spool = tempfile.TemporaryFile(prefix="getintegration-contract-")  # noqa: SIM115
    try:
        return _Reader(path, spool).read()
    except HarError as error:
        spool.close()
        raise RecordingError(f"{path} is no recording of this suite: {error}") from None
    except OSError as error:
        spool.close()
        raise RecordingError(f"cannot read {path}: {error.strerror or error}") from None


def merge(path: Path, *, complete: bool) -> None:
    """Make one HAR file of all parts, in the order of the run; it replaces an earlier one at once.

    Raises:
        RecordingError: The parts cannot be read, or the file cannot be written.
    """
    with read(path) as recording:
        suite = {**recording.suite.to_dict(), "complete": complete}
        creator = {"name": CREATOR, "version": version(CREATOR)}
        head = {"version": "1.2", "creator": creator, "_suite": suite}
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with temporary.open("w", encoding="utf-8", errors="surrogatepass") as file:
                file.write('{"log": ' + json.dumps(head)[:-1] + ', "entries": [')
                for index in range(len(recording)):
                    file.write((",\n" if index else "\n") + recording.text(index))
                file.write('\n], "_tests": [')
                for number, entry in enumerate(recording.tests.values()):
                    file.write((",\n" if number else "\n") + json.dumps(entry))
                file.write("\n]}}\n")
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise RecordingError(f"cannot write {path}: {error.strerror or error}") from None
    discard(path)


def discard(path: Path) -> None:
    """Remove what an interrupted run left of a recording."""
    shutil.rmtree(_folder(path), ignore_errors=True)


def interrupted(path: Path) -> bool:
    """Whether an earlier run left parts that nobody merged."""
    return any(_folder(path).glob("*.json"))


class _Reader:
    """Brings a HAR file, or parts, or both where one goes on from the other, into one order."""

    def __init__(self, path: Path, spool: Any) -> None:
        self._path = path
        self._spool = spool
        #: For each exchange: session, test, moment, place.
        self._rows: list[tuple[int, str, float, int, int]] = []
        self._suites: list[Suite] = []
        self._tests: dict[str, dict[str, Any]] = {}
        self._latest: dict[str, int] = {}

    def read(self) -> Recording:
        folder = _folder(self._path)
        headers = sorted(folder.glob("*.json")) if folder.is_dir() else []
        goes_on = False
        for header in headers:
            about = self._json(header.read_bytes(), header.name)
            self._suites.append(Suite.read(about))
            goes_on = goes_on or (header == headers[0] and bool(about.get("resume")))
        if not headers or (goes_on and self._path.exists()):
            self._read_har()
        for header, part in ((h, p) for h in headers for p in sorted(folder.glob(f"{h.stem}-*.jsonl"))):
            self._read_part(part, int(header.stem))
        if not self._suites:
            raise HarError("it has no log._suite")
        # A test that was recorded again, after an interruption, counts once: as the later session saw it.
        rows = [row for row in self._rows if row[0] == self._latest[row[1]]]
        rows.sort(key=lambda row: row[2])
        first, last = self._suites[0], self._suites[-1]
        every = [state for suite in self._suites for state in suite.states]
        states = {json.dumps(state, sort_keys=True): state for state in every}
        about = {**last.to_dict(), "date": first.date, "states": list(states.values())}
        places = [(offset, length) for _, _, _, offset, length in rows]
        return Recording(self._path, Suite.read(about), self._tests, self._spool, places)

    def _read_har(self) -> None:
        with self._path.open(encoding="utf-8-sig", newline="") as stream:
            number = 0
            for name, value, text in members(stream):
                if name == "entries":
                    number += 1
                    self._entry(value, text, 0, f"entry {number}")
                elif name == "_tests":
                    self._test(value)
                elif name == "_suite":
                    self._suites.insert(0, Suite.read(value))

    def _read_part(self, part: Path, session: int) -> None:
        with part.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if not line.endswith(b"\n"):
                    return  # the line under way when the worker died
                where = f"{part.name}, line {number}"
                value = self._json(line, where)
                if isinstance(value, dict) and "_done" in value:
                    self._test(value["_done"])
                else:
                    self._entry(value, line[:-1].decode(), session, where)

    def _entry(self, value: Any, text: str, session: int, where: str) -> None:
        try:
            named, started = har.check(value)
        except HarError as error:
            raise HarError(f"{where}: {error}") from None
        test = sys.intern(named)
        self._latest[test] = max(session, self._latest.get(test, 0))
        content = text.encode("utf-8", "surrogatepass")
        offset = self._spool.tell()
        self._spool.write(content)
        self._rows.append((session, test, started, offset, len(content)))

    def _test(self, value: Any) -> None:
        check_test(value)
        self._tests[value["test"]] = value

    def _json(self, content: bytes, where: str) -> Any:
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise HarError(f"{where} is not JSON") from None


def _folder(path: Path) -> Path:
    return path.with_name(path.name + ".parts")


def _next_session(path: Path) -> int:
    numbers = [int(part.stem) for part in _folder(path).glob("*.json") if re.fullmatch(r"\d+", part.stem)]
    return max(numbers, default=0) + 1


def _write_whole(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_bytes(content)
    temporary.replace(path)


def model_version() -> str:
    """The service model that the contract was written from, and the botocore that is installed."""
    return f"customer-profiles/2020-08-15, botocore {version('botocore')}"
