"""A run's exchanges, kept as HAR 1.2.

While a run is under way, its recording is a file of lines beside the HAR file, ``FILE.har.partial``: what it
is about and then, as each test ends, its exchanges and its entry of the ledger. The controlling process alone
writes, and whatever kills a process loses only the tests under way. At the end the lines become the HAR file.
A recording that was broken off is read from its lines.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from getintegration_contract.errors import RecordingError
from getintegration_contract.exchange import Exchange, no_constant
from getintegration_contract.recording import har
from getintegration_contract.recording.about import CREATOR, Suite, check_test
from getintegration_contract.recording.har import Recorded
from getintegration_contract.redact import Redactor

#: An entry begins with its moment, so that a line's first characters give its place in the run.
_MOMENT = 60


@dataclass(frozen=True)
class Recording:
    """A recording that was read.

    Attributes:
        suite: What it is about.
        tests: The ledger's entries of the tests that ended, by test id.
        exchanges: In the order of the run.
    """

    path: Path
    suite: Suite
    tests: dict[str, dict[str, Any]] = field(default_factory=dict)
    exchanges: list[Recorded] = field(default_factory=list)


class Recorder:
    """Writes a recording.

    Args:
        path: The HAR file that the recording will be.
        redactor: Keeps secrets out of it.
        suite: What is recorded.
        earlier: A recording that this one continues: the tests that ended are taken over.

    Raises:
        RecordingError: Its folder cannot be written; the methods raise it as well.
    """

    def __init__(
        self, path: Path, redactor: Redactor, suite: Suite, *, earlier: Recording | None = None
    ) -> None:
        self.path = path
        self.suite = suite
        self._redactor = redactor
        self._partial = _partial(path)
        self._tests: list[dict[str, Any]] = []
        #: For each exchange: moment, offset and length of its line.
        self._places: list[tuple[str, int, int]] = []
        fresh = path.with_name(f".{self._partial.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = fresh.open("w+b")
            self._write(_line({"_suite": redactor.value(suite.to_dict())}))
            if earlier is not None:
                kept = [recorded for recorded in earlier.exchanges if recorded.test in earlier.tests]
                self.add(har.line(recorded, redactor) for recorded in kept)
                for entry in earlier.tests.values():
                    self.add((), entry)
            fresh.replace(self._partial)
        except OSError as error:
            raise RecordingError(f"cannot write {path}: {error.strerror}") from None

    def write(
        self,
        exchange: Exchange,
        *,
        test: str = "",
        clauses: tuple[str, ...] = (),
        signing: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep one exchange."""
        self.add([har.line(Recorded(exchange, test, clauses, signing or {}), self._redactor)])

    def add(self, lines: Iterable[str], entry: Mapping[str, Any] | None = None) -> None:
        """Keep exchanges, as :func:`har.line` made them; when this returns, they outlive the process.

        Args:
            entry: The ledger's entry of their test, if the test came to its end.
        """
        try:
            for line in lines:
                offset = self._file.tell()
                self._places.append((line[:_MOMENT], offset, self._write(line)))
            if entry is not None:
                self._tests.append(self._redactor.value(dict(entry)))
                self._write(_line({"_done": self._tests[-1]}))
            self._file.flush()
        except OSError as error:
            raise RecordingError(f"cannot write {self.path}: {error.strerror}") from None

    def finish(self, *, complete: bool, redactor: Redactor | None = None) -> None:
        """Make the HAR file of all exchanges, in the order of the run; it replaces an earlier one at once.

        Args:
            redactor: Knows signatures that were not known when the exchanges were written.
        """
        suite = {**self._redactor.value(self.suite.to_dict()), "complete": complete}
        creator = {"name": CREATOR, "version": version(CREATOR)}
        head = {"version": "1.2", "creator": creator, "_suite": suite}
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write('{"log": ' + json.dumps(head)[:-1])
                for name, lines in (("entries", self._in_order()), ("_tests", map(_line, self._tests))):
                    file.write(f', "{name}": [')
                    for number, line in enumerate(lines):
                        file.write(",\n" if number else "\n")
                        file.write(redactor.without_signatures(line) if redactor else line)
                    file.write("\n]")
                file.write("}}\n")
            temporary.replace(self.path)
            self._partial.unlink(missing_ok=True)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise RecordingError(f"cannot write {self.path}: {error.strerror}") from None
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the file; safe to call again."""
        with suppress(OSError):  # what a full disk did not take
            self._file.close()

    def _in_order(self) -> Iterator[str]:
        for _, offset, length in sorted(self._places):
            self._file.seek(offset)
            yield self._file.read(length - 1).decode()

    def _write(self, line: str) -> int:
        return self._file.write(line.encode() + b"\n")


def read(path: Path) -> Recording:
    """Read a recording: a HAR file of this suite, or the lines that an interrupted run left.

    Raises:
        RecordingError: It cannot be read, or is not what it should be; one sentence says why.
    """
    try:
        return _read_lines(path) if interrupted(path) else _read_har(path)
    except RecordingError as error:
        raise RecordingError(f"{path} is no recording of this suite: {error}") from None
    except OSError as error:
        raise RecordingError(f"cannot read {path}: {error.strerror or error}") from None


def interrupted(path: Path) -> bool:
    """Whether an earlier run left lines that never became a HAR file."""
    return _partial(path).exists()


def _read_har(path: Path) -> Recording:
    exchanges: list[Recorded] = []
    with path.open("rb") as file:
        content = file.readline()
        if content.endswith(b'"entries": [\n'):
            # As the recorder writes it, an entry a line. Read whole, it would take many times the memory.
            line = b""
            for number, line in enumerate(file, 1):
                if line.startswith(b"]"):
                    break
                where = f"entry {number}"
                exchanges.append(_entry(_parse(line.rstrip(b",\n"), where), where))
            content += line
        content += file.read()
    number = 0

    def entry(value: dict[str, Any]) -> Any:
        """An entry becomes an exchange as soon as it is read: documents take many times the memory."""
        nonlocal number
        if not value.keys() >= {"request", "response", "startedDateTime"}:
            return value
        number += 1
        return _entry(value, f"entry {number}")

    document = _parse(content, "it", entry)
    log = document.get("log") if isinstance(document, dict) else None
    if not isinstance(log, dict) or "_suite" not in log:
        raise RecordingError("it has no log._suite")
    recording = Recording(path, Suite.read(log["_suite"]), exchanges=exchanges)
    for name in ("entries", "_tests"):
        if not isinstance(log.get(name, []), list):
            raise RecordingError(f"log.{name} is no array")
    for number, value in enumerate(log.get("entries", ()), 1):
        recording.exchanges.append(value if isinstance(value, Recorded) else _entry(value, f"entry {number}"))
    for value in log.get("_tests", ()):
        recording.tests[check_test(value)] = value
    return recording


def _read_lines(path: Path) -> Recording:
    recording = None
    # Behind the last line break is what was under way when the process died.
    for number, line in enumerate(_partial(path).read_bytes().split(b"\n")[:-1], 1):
        where = f"line {number} of its lines"
        value = _parse(line, where)
        if recording is None:
            if not isinstance(value, dict) or "_suite" not in value:
                raise RecordingError("it has no log._suite")
            recording = Recording(path, Suite.read(value["_suite"]))
        elif isinstance(value, dict) and "_done" in value:
            recording.tests[check_test(value["_done"])] = value["_done"]
        else:
            recording.exchanges.append(_entry(value, where))
    if recording is None:
        raise RecordingError("it is empty")
    recording.exchanges.sort(key=lambda recorded: recorded.exchange.started)
    return recording


def _entry(value: Any, where: str) -> Recorded:
    try:
        return har.recorded(value)
    except RecordingError as error:
        raise RecordingError(f"{where}: {error}") from None


def _parse(content: bytes, where: str, hook: Any = None) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"), object_hook=hook, parse_constant=no_constant)
    except RecordingError:
        raise
    except (ValueError, RecursionError):
        raise RecordingError(f"{where} is not JSON") from None


def _line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")
