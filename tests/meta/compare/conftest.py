"""What tests of recording and comparing share: exchanges made up, recordings, the command in this process."""

import json
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any

import pytest

from getintegration_compare import cli
from getintegration_contract.exchange import Exchange
from getintegration_contract.judging.ledger import Entry
from getintegration_contract.recording import Recorder, Suite, har
from getintegration_contract.recording.har import Recorded
from getintegration_contract.redact import Redactor

from ..exchanges import DOMAIN, HEADERS, TYPE, URI, error, exchange, missing
from ..support import IDENTITIES, SUITE, Result, finish, start_suite, started, suite

#: A part of the suite that sees every kind of answer, in a few seconds.
PART: tuple[str | Path, ...] = (
    *map(suite, ("valid", "missing", "access", "signatures", "canonical")),
    f"{suite('malformed')}::test_body",
    f"{suite('transport')}::test_tampered_chunked_body",
)
#: A smaller part, slow enough for a rate of 5 a second.
SMALL = (suite("access"), f"{suite('missing')}::test_unknown_domain", f"{suite('missing')}::test_unknown_uri")

Shared = Callable[[str, Callable[[Path], Any]], Any]
Compare = Callable[..., "Compared"]

STATE = {"domain": DOMAIN, "uri": URI, "other_domain": "Other", "other_uri": "s3://Other%20one"}


def about(
    endpoint: str = "http://127.0.0.1:1",
    date: str = "2026-11-01T10:00:00+00:00",
    state: Mapping[str, str] = STATE,
) -> Suite:
    """What a recording made up by a test is about."""
    return Suite("0.1.0", "model", endpoint, "us-east-1", date, 0, "gate", (dict(state),))


def tagged(tag: str, name: str = "ETag") -> Exchange:
    """An exchange in which it was not found, with a header more."""
    return error(404, TYPE, None, *HEADERS, (name, tag))


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


def load(path: Path) -> Any:
    """The log of a HAR file, to be looked at or changed."""
    return json.loads(path.read_text(encoding="utf-8"))["log"]


def save(log: dict[str, Any], path: Path, **suite: Any) -> Path:
    """A HAR file of a log, with changes of what it says of its suite."""
    log["_suite"] |= suite
    path.write_text(json.dumps({"log": log}, indent=1), encoding="utf-8")
    return path


class Compared(Result):
    """What the command did; its reports are in the directory."""

    document = "compare.json"

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


def record_suite(path: Path, *options: str | Path) -> str:
    """Run a part of the suite and record it; the path, and beside it what the run printed."""
    result = finish(start_suite(*options, "--record", path), status=0)
    path.with_suffix(".txt").write_text(result.output, encoding="utf-8")
    return str(path)


@pytest.fixture(scope="session")
def emulator_har(shared: Shared) -> Path:
    """A recording of the emulator."""
    return Path(shared("emulator-har", lambda folder: record_suite(folder / "emulator.har", *PART)))


@pytest.fixture(scope="session")
def again_har(shared: Shared) -> Path:
    """The same requests to another emulator, by two workers."""
    return Path(shared("again-har", lambda folder: record_suite(folder / "again.har", *PART, "-n", "2")))


@pytest.fixture(scope="session")
def slow_har(shared: Shared) -> Path:
    """A small part, from the second server, throttled at 5 requests a second as AWS is."""

    def make(folder: Path) -> str:
        server = started(SUITE.parent / "meta" / "second_server", "--rate", "5")
        (target := folder / "target.toml").write_text(IDENTITIES, encoding="utf-8")
        options = ("--endpoint-url", server.url, "--target", target, "--rate", "5")
        path = record_suite(folder / "slow.har", *SMALL, *options)
        server.close()
        return path

    return Path(shared("slow-har", make))


@pytest.fixture
def alike(tmp_path: Path) -> tuple[Path, Path]:
    """Two recordings that do not differ."""
    return record(tmp_path / "a.har", exchange()), record(tmp_path / "b.har", exchange())


@pytest.fixture
def different(tmp_path: Path) -> tuple[Path, Path]:
    """Two recordings with one difference in each of three answers."""
    one = record(tmp_path / "c.har", *[missing()] * 3)
    return one, record(tmp_path / "d.har", *[tagged("<b>")] * 3)


@pytest.fixture
def compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Compare:
    """Runs the command, which must end with a status if one is given.

    An exchange, or a list of them, is recorded first. ``suites`` says what such recordings are about, ``how``
    how they are made.
    """

    def compare(
        *arguments: Exchange | list[Exchange] | str | Path,
        status: int | None = None,
        suites: tuple[Any, Any] = (None, None),
        **how: Any,
    ) -> Compared:
        words, folder = [], tmp_path / "compared"
        for number, given in enumerate(arguments):
            if isinstance(given, Exchange | list):
                made = given if isinstance(given, list) else [given]
                given = record(tmp_path / f"{number}.har", *made, suite=suites[number], **how)
            words.append(str(given))
        (folder / "compare.json").unlink(missing_ok=True)
        try:
            ended = cli.main(["--report-dir", str(folder), *words])
        except SystemExit as end:
            ended = int(end.code or 0)
        return Compared(ended, *capsys.readouterr(), folder).due(status)

    return compare
