"""A run's exchanges, kept as HAR 1.2: an exchange a line, a test a line.

While a run is under way, its recording is ``FILE.har.partial``: the beginning of the HAR file, and then, as
each test ends, its exchanges and its entry of the ledger. The controlling process alone writes, and whatever
kills a process loses only the tests under way. At the end the same lines, in order, become the HAR file.
"""

import datetime
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from getintegration_contract.errors import UsageError
from getintegration_contract.exchange import no_constant
from getintegration_contract.fileio import naming, replacing
from getintegration_contract.recording import har
from getintegration_contract.recording.har import Recorded
from getintegration_contract.redact import Redactor
from getintegration_contract.schema import schema_fault
from getintegration_contract.state.state import State
from getintegration_contract.target.target import Target, is_aws
from getintegration_contract.text import shorten

CREATOR = "getintegration-contract"
#: What must be the same for a recording to be continued, beside an endpoint that is not the emulator.
_SAME = ("suite_version", "region", "seed", "depth", "max_examples", "emulator")
#: Behind it, an entry a line.
_ENTRIES = '"entries": [\n'
#: Members by which an entry is known.
_ENTRY = {"startedDateTime", "request", "response"}
#: An entry begins with its moment, so that a line's first characters give its place in the run.
_MOMENT = 60


@dataclass(frozen=True)
class Suite:
    """What was recorded: endpoint, suite, seed, state, date.

    Attributes:
        date: When it began, as ISO 8601.
        states: What existed on the target, for each session that recorded.
        complete: Whether the run came to its end.
        replay_of: The recording whose requests were replayed, None for a run of the suite.
    """

    suite_version: str
    model_version: str
    endpoint: str
    region: str
    date: str
    seed: int
    depth: str
    states: tuple[Mapping[str, Any], ...]
    max_examples: int = 0
    emulator: bool = False
    complete: bool = False
    replay_of: str | None = None

    @classmethod
    def begun(cls, target: Target, state: State | None, *, seed: int = 0, depth: str, **more: Any) -> Self:
        """What a recording is about that begins now, by the suite and the model that are installed."""
        model = f"customer-profiles/2020-08-15, botocore {version('botocore')}"
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        states = (asdict(state),) if state else ()
        return cls(version(CREATOR), model, target.endpoint, target.region, now, seed, depth, states, **more)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """The description in a file that keeps the schema.

        Raises:
            ValueError: Its date is none, or its endpoint.
        """
        known = {field.name: document[field.name] for field in fields(cls) if field.name in document}
        suite = cls(**known | {"states": tuple(document["states"])})
        _ = suite.day, suite.is_aws
        return suite

    def continuing(self, earlier: Self) -> Self:
        """What a recording is about that continues an earlier one: begun then, with all states.

        Raises:
            UsageError: The run would not go on as the earlier one began.
        """
        for name in _SAME if self.emulator else (*_SAME, "endpoint"):
            recorded, wanted = getattr(earlier, name), getattr(self, name)
            if recorded != wanted:
                difference = f"its {name.replace('_', ' ')} is {recorded}, that of this run {wanted}"
                raise UsageError(f"the recording cannot be continued: {difference}")
        new = [state for state in self.states if state not in earlier.states]
        return replace(self, date=earlier.date, states=(*earlier.states, *new))

    @property
    def day(self) -> datetime.date:
        """When the recording began."""
        return har.moment(self.date).date()

    @property
    def is_aws(self) -> bool:
        """Whether AWS itself was recorded."""
        return is_aws(self.endpoint)

    @property
    def where(self) -> str:
        """The endpoint, by a name that means the same in another run."""
        return "the shipped emulator" if self.emulator else self.endpoint


@dataclass(frozen=True)
class Recording:
    """A recording that was read.

    Attributes:
        suite: What it is about.
        tests: The ledger's entries of the tests that ended, by test id.
        exchanges: In the order of the run.
    """

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
        UsageError: Its folder cannot be written; the methods raise it as well.
    """

    def __init__(
        self, path: Path, redactor: Redactor, suite: Suite, *, earlier: Recording | None = None
    ) -> None:
        self.path = path
        self.suite = suite
        self._redactor = redactor
        self._partial = _partial(path)
        #: Where the lines of exchanges begin, each with its moment, and those of tests.
        self._exchanges: list[tuple[str, int]] = []
        self._tests: list[int] = []
        fresh = path.with_name(f".{self._partial.name}.{os.getpid()}")
        with naming("write", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = fresh.open("w+b")
            self._file.write(self._head(complete=False))
            if earlier is not None:
                kept = [recorded for recorded in earlier.exchanges if recorded.test in earlier.tests]
                self.add(har.line(recorded, redactor) for recorded in kept)
                for entry in earlier.tests.values():
                    self.add((), entry)
            self._file.flush()
            fresh.replace(self._partial)

    def add(self, lines: Iterable[str], entry: Mapping[str, Any] | None = None) -> None:
        """Keep exchanges, as :func:`har.line` made them; when this returns, they outlive the process.

        Args:
            entry: The ledger's entry of their test, if the test came to its end.
        """
        with naming("write", self.path):
            for line in lines:
                self._exchanges.append((line[:_MOMENT], self._file.tell()))
                self._file.write(f"{line}\n".encode())
            if entry is not None:
                self._tests.append(self._file.tell())
                self._file.write(f"{json.dumps(self._redactor.value(dict(entry)))}\n".encode())
            self._file.flush()

    def finish(self, *, complete: bool, alone: bool = False) -> None:
        """Make the HAR file of all exchanges, in the order of the run; it replaces an earlier one at once.

        Args:
            alone: Whether one process sent everything, so that no line is older than a signature in it.
        """
        in_order = [offset for _, offset in sorted(self._exchanges)]
        with closing(self), naming("remove", self._partial):
            with replacing(self.path) as file:
                file.write(self._head(complete=complete))
                file.writelines(self._array(in_order, alone))
                file.write(b'], "_tests": [\n')
                file.writelines(self._array(self._tests, alone))
                file.write(b"]}}\n")
            self._partial.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file; safe to call again."""
        with suppress(OSError):  # what a full disk did not take
            self._file.close()

    def _head(self, *, complete: bool) -> bytes:
        suite = {**self._redactor.value(asdict(self.suite)), "complete": complete}
        creator = {"name": CREATOR, "version": version(CREATOR)}
        log = {"version": "1.2", "creator": creator, "_suite": suite}
        return f'{{"log": {json.dumps(log)[:-1]}, {_ENTRIES}'.encode()

    def _array(self, offsets: list[int], alone: bool) -> Iterator[bytes]:
        """Lines as members of an array, without signatures that only became known after they were written."""
        for number, offset in enumerate(offsets, 1):
            self._file.seek(offset)
            line = self._file.readline().rstrip(b"\n")
            if not alone:
                line = self._redactor.without_signatures(line.decode()).encode()
            yield line + (b",\n" if number < len(offsets) else b"\n")


def read(path: Path) -> Recording:
    """Read a recording: a HAR file of this suite, or what an interrupted run left of it.

    Raises:
        UsageError: It cannot be read, or is not what it should be; one sentence says why.
    """
    try:
        with naming("read", path):
            return _read(path)
    except ValueError as error:
        raise UsageError(f"{path} is no recording of this suite: {shorten(str(error), 400)}") from None


def interrupted(path: Path) -> bool:
    """Whether an earlier run left a recording that never became a HAR file."""
    return _partial(path).exists()


def _read(path: Path) -> Recording:
    exchanges: list[Recorded] = []
    tests: dict[str, dict[str, Any]] = {}

    def taken(value: dict[str, Any]) -> Any:
        """An exchange in place of an entry, which would take many times the memory."""
        if not value.keys() >= _ENTRY:
            return value
        try:
            _check(value, "entry")
            exchanges.append(har.recorded(value))
        except ValueError as error:
            raise ValueError(f"entry {len(exchanges) + 1}: {error}") from None
        return exchanges[-1]

    def parse(text: str) -> Any:
        try:
            return json.loads(text, parse_constant=no_constant, object_hook=taken)
        except (json.JSONDecodeError, RecursionError):
            raise ValueError("it is not JSON") from None

    found: list[Any] = []
    is_whole = not interrupted(path)
    with (path if is_whole else _partial(path)).open(encoding="utf-8-sig") as file:
        frame = file.readline()
        if frame.endswith(_ENTRIES):  # as the recorder writes it: read by the line, it takes half the memory
            for line in file:
                if not line.startswith("{"):
                    frame += line
                elif line.endswith("\n"):  # otherwise it was under way when the process died
                    found.append(parse(line.rstrip(",\n")))
        else:
            frame += file.read()
    document = parse(frame if is_whole else frame + "]}}")
    log: Any = document.get("log") if isinstance(document, dict) else None
    for part in ("entries", "_tests") if isinstance(log, dict) else ():
        if isinstance(log.get(part), list):
            found += log.pop(part)
    _check(document)
    for value in found:
        if not isinstance(value, Recorded):
            part = "test" if isinstance(value, dict) and "test" in value else "entry"
            _check(value, part, part)
            tests[value["test"]] = value
    exchanges.sort(key=lambda recorded: recorded.exchange.started)
    return Recording(Suite.read(log["_suite"]), tests, exchanges)


def _check(value: Any, part: str | None = None, *root: str) -> None:
    if fault := schema_fault(value, __package__, part, *root):
        raise ValueError(fault)


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")
