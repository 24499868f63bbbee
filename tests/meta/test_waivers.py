"""Waivers accept a violation for a while, and say when they no longer should; a gate can demand coverage."""

import datetime
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from getintegration_contract.errors import UsageError
from getintegration_contract.judging.ledger import Entry, Finding
from getintegration_contract.run import Run, Settings
from getintegration_contract.target import waivers
from getintegration_contract.target.target import CAPABILITIES, Target

from .conftest import RunSuite
from .support import CONTRACT, Process, Result, suite

TODAY = datetime.datetime.now(datetime.UTC).date()
TOMORROW, YESTERDAY = TODAY + datetime.timedelta(days=1), TODAY - datetime.timedelta(days=1)
BROKEN = "error.content-type"


def waiver(clause: str, expires: datetime.date = TOMORROW, **more: str) -> str:
    """One waiver, as it stands in a file."""
    entry = {"clause": clause, "reason": "known", "owner": "somebody", **more}
    lines = [f"{key} = {value!r}" for key, value in entry.items()]
    return "\n".join(["[[waiver]]", *lines, f"expires = {expires.isoformat()}", ""])


# --- What a run makes of them -------------------------------------------------------------------------------


def run(*accepted: waivers.Waiver, broken: tuple[str, ...] = (BROKEN,), require: str = "") -> Run:
    """A run with these waivers, in which one clause was violated and one was upheld."""
    target = Target("http://127.0.0.1:1", capabilities=frozenset(CAPABILITIES) - {"throttling"})
    settings = Settings(require_exercised=(require,) if require else ())
    made = Run(CONTRACT, target, settings, list(accepted), lambda _: None)
    entry = Entry("tests/contract/test_x.py::test")
    entry.checks.update((BROKEN, "missing.domain"))
    entry.findings = {name: Finding(name, "due", "came", None, 0) for name in broken}
    entry.not_exercised = {"missing.integration": "there was none"}
    made.ledger.add(entry.to_dict())
    return made


def accepted(clause: str = BROKEN, expires: datetime.date = TODAY) -> waivers.Waiver:
    """A waiver that counts until today is over."""
    return waivers.Waiver(clause, "known", expires, "somebody")


STALE = "missing.domain"
EXPIRED = f"the waiver of {BROKEN} expired on {YESTERDAY.isoformat()}"
APPLIES_NOT = f"the waiver of {STALE} no longer applies: the clause is upheld"
ACCEPTED = {
    "nothing": ([], "violated", 1, []),
    "another clause": ([accepted(STALE)], "violated", 1, [APPLIES_NOT]),
    "until its day is over": ([accepted()], "waived", 0, []),
    "expired": ([accepted(expires=YESTERDAY)], "violated", 1, [EXPIRED]),
    "one that is upheld": ([accepted(), accepted(STALE)], "waived", 1, [APPLIES_NOT]),
    "one that was not exercised": ([accepted(), accepted("missing.integration")], "waived", 0, []),
    "one that is not claimed": ([accepted(), accepted("throttling.occurs")], "waived", 0, []),
}


@pytest.mark.parametrize(("waived", "comes_out", "status", "complaints"), ACCEPTED.values(), ids=ACCEPTED)
def test_a_waiver_accepts_what_it_names_until_its_day_is_over(
    waived: list[waivers.Waiver], comes_out: str, status: int, complaints: list[str]
) -> None:
    made = run(*waived)
    assert (made.exit_status(), made.complaints()) == (status, complaints)
    assert [each.outcome for each in made.ledger.outcomes() if each.clause.id == BROKEN] == [comes_out]


def test_an_expired_waiver_fails_even_if_nothing_is_violated() -> None:
    assert run(accepted(expires=YESTERDAY), broken=()).exit_status() == 1


def test_a_run_that_was_broken_off_or_left_tests_out_proves_nothing() -> None:
    partial = run(accepted(), accepted(STALE))
    partial.is_partial = True
    assert (partial.exit_status(), partial.complaints()) == (0, [])
    aborted = run(accepted(), accepted(STALE), require="transport.*")
    aborted.ledger.aborted = "the limit of 3 requests is reached"
    assert (aborted.exit_status(), aborted.complaints()) == (6, [])


def test_writing_waivers_keeps_those_that_there_are(tmp_path: Path) -> None:
    kept = waivers.Waiver("missing.uri.case", 'says "why"', datetime.date(2030, 1, 31), link="https://x.y/1")
    path = tmp_path / "waivers.toml"
    found = ["missing.domain", "missing.uri.case"]
    waivers.write(path, found, datetime.date(2026, 1, 1), kept=[kept])
    with pytest.raises(UsageError, match="2: reason is not filled in: say why this is accepted"):
        waivers.read(path)
    path.write_text(path.read_text().replace("say why", "see why").replace("say who", "see who"))
    first, second = waivers.read(path)
    assert first == kept
    assert (second.clause, second.expires) == ("missing.domain", datetime.date(2026, 1, 31))


def test_a_waiver_of_no_clause_is_wrong_use_and_names_the_nearest(
    run_suite: RunSuite, tmp_path: Path
) -> None:
    path = tmp_path / "waivers.toml"
    waivers.write(path, (), TODAY, kept=[accepted("missing.domian")])
    result = run_suite(suite("access"), "--waivers", path, report=False, status=4)
    assert "the waiver of missing.domian matches no clause; the nearest is missing.domain" in result.stderr


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("missing.domain", ""),
        (BROKEN, ""),
        ("missing.integration", "missing.integration was not exercised: there was none"),
        (
            "throttling.occ*",
            "throttling.occurs was not claimed: the target does not claim throttling;"
            " it takes [identities.low-quota] or throttling-rate in the target file",
        ),
    ],
)
def test_coverage_can_be_demanded(pattern: str, told: str) -> None:
    demanding = run(accepted(), require=pattern)
    assert demanding.complaints() == ([f"--require-exercised {pattern}: {told}"] if told else [])
    assert demanding.exit_status() == (1 if told else 0)


# --- Files --------------------------------------------------------------------------------------------------

WRONG = {
    "no TOML": ("[[waiver]", "is not TOML"),
    "no reason": (f'[[waiver]]\nclause = "x"\nowner = "o"\nexpires = {TODAY}', "reason is missing"),
    "an empty reason": (waiver("x", reason=""), "reason"),
    "neither owner nor link": (
        f'[[waiver]]\nclause = "x"\nreason = "r"\nexpires = {TODAY}',
        "must have owner or link",
    ),
    "no date": ('[[waiver]]\nclause = "x"\nreason = "r"\nowner = "o"', "expires is missing"),
    "a date in words": (waiver("x").replace(TOMORROW.isoformat(), '"next year"'), "expires must be a date"),
    "an unknown key": (waiver("x", until="2030"), "[[waiver]] 1: until is no key"),
    "waivers of another name": ('[[waivers]]\nclause = "x"', "waivers"),
    "a table instead of a list": ('waiver = "x"', "waiver"),
    "a list of text": ('waiver = ["x"]', "waiver"),
    "a placeholder": (waiver("x", reason="say why this is accepted"), "reason is not filled in"),
    "the same clause twice": (waiver("x") + waiver("x"), "x is waived twice"),
}


def _read(folder: Path, text: str) -> list[waivers.Waiver]:
    path = folder / "waivers.toml"
    path.write_text(text, encoding="utf-8")
    return waivers.read(path)


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG.keys())
def test_a_file_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=rf"^--waivers: .*{re.escape(told)}[^\n]*$"):
        _read(tmp_path, text)


def test_a_file_may_be_empty_or_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert _read(tmp_path, "# nothing") == []
    assert [entry.clause for entry in _read(tmp_path, "\ufeff" + waiver(BROKEN))] == [BROKEN]


@pytest.mark.parametrize("written", ["2030-01-31", '"2030-01-31"', "2030-01-31T10:00:00Z"])
def test_a_date_may_be_written_as_toml_or_as_text(tmp_path: Path, written: str) -> None:
    (read,) = _read(tmp_path, waiver("x").replace(TOMORROW.isoformat(), written))
    assert read.expires == datetime.date(2030, 1, 31)


# --- Whole runs ---------------------------------------------------------------------------------------------


def _told(result: Result, text: str) -> bool:
    """Whether people are told of it after the tests."""
    return text in result.stdout.rpartition("%]")[2]


def test_waivers_are_written_filled_in_and_kept_until_they_no_longer_apply(
    run_suite: RunSuite, mislabelling: str, endpoint: Process, tmp_path: Path
) -> None:
    written = tmp_path / "deep" / "written.toml"
    part, broken = (suite("missing"), "-k", "unknown"), ("--endpoint-url", mislabelling)
    run_suite(*part, *broken, "--write-waivers", written, status=1)
    (entry,) = tomllib.loads(written.read_text(encoding="utf-8"))["waiver"]
    assert entry["clause"] == BROKEN
    assert TODAY < entry["expires"] < TODAY + datetime.timedelta(days=100)

    untouched = run_suite(*part, *broken, "--waivers", written, status=4)
    assert "reason is not filled in" in untouched.output
    text = written.read_text(encoding="utf-8").replace("say why this is accepted", "known")
    written.write_text(text.replace("say who answers for it", "somebody"), encoding="utf-8")

    second = run_suite(*part, *broken, "--waivers", written, status=0)
    assert second.outcomes[BROKEN] == "waived"
    assert _told(second, BROKEN)

    upheld = ("--endpoint-url", endpoint.url, "--waivers", written)
    run_suite(*part, *upheld, status=0)  # some of the tests do not prove that a clause is upheld
    assert "no longer applies" in run_suite(*upheld, status=1).stdout


def test_a_target_file_names_its_waivers_and_a_gate_its_coverage(
    run_suite: RunSuite, mislabelling: str, target_file: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "accepted.toml").write_text(waiver(BROKEN), encoding="utf-8")
    path = target_file(f'endpoint-url = "{mislabelling}"', 'waivers = "accepted.toml"')
    part = (suite("missing"), "-k", "unknown", "--target", path)
    result = run_suite(*part, "--require-exercised", "missing.uri.*", status=1)
    assert result.outcomes[BROKEN] == "waived"
    complaints = result.report["complaints"]
    assert len(complaints) == sum(clause.startswith("missing.uri.") for clause in result.outcomes)
    assert all("missing.uri." in complaint and "was not exercised" in complaint for complaint in complaints)
    assert _told(result, "missing.uri.case")
