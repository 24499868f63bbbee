"""Recordings that several tests look at: of the emulator, of a second server; the command in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from getintegration_compare import cli
from getintegration_contract.exchange import Exchange

from ..support import IDENTITIES, SUITE, finish, start_suite, started, suite
from .kit import Result, exchange, missing, record

#: A part of the suite that sees every kind of answer, in a few seconds.
PART: tuple[str | Path, ...] = (
    *map(suite, ("valid", "missing", "access", "signatures", "canonical")),
    f"{suite('malformed')}::test_body",
    f"{suite('transport')}::test_tampered_chunked_body",
)
#: A smaller part, slow enough for a rate of 5 a second.
SMALL = (suite("access"), f"{suite('missing')}::test_unknown_domain", f"{suite('missing')}::test_unknown_uri")

Shared = Callable[[str, Callable[[Path], Any]], Any]
Compare = Callable[..., Result]


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
    return one, record(tmp_path / "d.har", *[missing(404, ("ETag", "<b>"))] * 3)


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
    ) -> Result:
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
        result = Result(ended, *capsys.readouterr(), folder)
        assert status in (None, ended), (status, result)
        return result

    return compare
