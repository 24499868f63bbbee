"""The terminal: a screen for a healthy run, one finding per clause, the verdict last, nothing forged."""

from __future__ import annotations

import re
from typing import Any

import pytest

from getintegration_contract.report import terminal
from getintegration_contract.target.waivers import Waiver

from . import documents
from .documents import CONTRACT, STARTED, Session


def _render(report: dict[str, Any], **changed: Any) -> str:
    options: dict[str, Any] = {"colour": False, "width": 100, "quiet": False, "verbose": False}
    return terminal.render(report, **{**options, **changed})


def _without_commands(text: str) -> list[str]:
    """The lines but those that may be long: a command line to copy, the verdict."""
    return [line for line in text.splitlines()[:-1] if not line.startswith("  repeat ")]


def test_a_healthy_run_fits_on_a_screen(healthy: dict[str, Any]) -> None:
    lines = _render(healthy).splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_lines_keep_the_width(document: dict[str, Any], width: int) -> None:
    for verbose in (False, True):
        for line in _without_commands(_render(document, width=width, verbose=verbose)):
            assert len(line) <= width, line


def test_the_verdict_is_last_and_alone_when_quiet(healthy: dict[str, Any], failing: dict[str, Any]) -> None:
    verdict = _render(healthy).splitlines()[-1]
    assert _render(healthy, quiet=True) == verdict
    count = len(CONTRACT.clauses)
    assert verdict == (
        f"PASS  {count - 2} upheld, 0 violated, 0 waived, 2 not exercised, 0 not claimed;"
        f" {count - 2} requests in 2.1 s"
    )
    failed = _render(failing, quiet=True)
    assert re.fullmatch(
        r"FAIL  \d+ upheld, 3 violated, 2 reported, 1 waived, \d+ not exercised, 9 not claimed;"
        r" 5 stray faults repeated;"
        r" [\d,]+ requests in 2.1 s: response.timestamps.unit, error.ResourceNotFoundException.type, \S+",
        failed,
    )


@pytest.mark.parametrize(
    ("status", "word"),
    [(2, "INTERRUPTED"), (3, "INTERNAL ERROR"), (5, "NOTHING RAN"), (6, "INDETERMINATE")],
)
def test_every_exit_status_has_its_word(status: int, word: str) -> None:
    assert _render(Session().report(status), quiet=True).startswith(f"{word}  ")


def test_every_count_of_every_group_is_there(failing: dict[str, Any]) -> None:
    lines = _render(failing, width=140).splitlines()
    head = next(line for line in lines if "upheld  violated" in line)
    row = next(line for line in lines if line.startswith("Near misses of a Uri"))
    counts = {
        column: row[: head.index(column) + len(column)].split()[-1] for column in ("upheld", "violated")
    }
    assert counts == {"upheld": "8", "violated": "1"}
    for group in {clause.group for clause in CONTRACT.clauses.values()}:
        assert sum(line.startswith(group) for line in lines) == 1


def test_the_worst_group_is_first(failing: dict[str, Any]) -> None:
    text = _render(failing)
    order = ("The answer to a valid request  ", "Errors  ", "Transport  ", "Request members  ")
    places = [text.index(f"\n{group}") for group in order]
    assert places == sorted(places)


def test_what_is_not_claimed_is_in_the_first_lines() -> None:
    lines = _render(documents.partial_claims()).splitlines()
    assert "not claimed" in lines[1]
    assert "throttling (4)" in lines[1]


def test_what_was_not_exercised_is_named_with_why(failing: dict[str, Any]) -> None:
    text = _render(failing)
    assert "  transport.encoding: no test came to check it" in text
    assert re.search(r"response\.Tags\.type.* and \d more: no response carried Tags", text)
    for clause in failing["clauses"]:
        if clause["outcome"] == "not exercised" and clause["level"] == "MUST":
            assert clause["id"] in _render(failing, verbose=True)


def test_a_finding_is_told_once_with_all_that_is_needed(failing: dict[str, Any]) -> None:
    text = _render(failing)
    for clause in ("missing.uri.trailing-slash", "error.ResourceNotFoundException.type"):
        assert text.count(f"VIOLATED  {clause} ") == 1
    finding = text[text.index("VIOLATED  error.ResourceNotFoundException.type") :].split("\n\n")[0]
    assert "doc: API reference, GetIntegration" in finding
    assert "An error of status 404 MUST have the type that is declared for it" in finding
    assert re.search(r"expected  404 ResourceNotFoundException +\| actual  404 NotFoundException\n", finding)
    assert "POST /domains/gic-absent/integrations  signed by caller" in finding
    assert '{"Uri": "arn:aws:flow' in finding
    assert "404 Not Found" in finding
    assert '"__type": "NotFoundException"' in finding
    places = next(
        entry["places"]
        for entry in failing["findings"]
        if entry["clause"] == "error.ResourceNotFoundException.type"
    )
    assert f"4 times, in {places[0].removeprefix('tests/contract/')}, " in finding
    assert f"'{places[0]}'" in finding


def test_reported_and_waived_ones_have_a_line_each(failing: dict[str, Any]) -> None:
    text = _render(failing, width=160)
    assert text.count("response.request-id: expected") == 1
    assert "VIOLATED  response.request-id" not in text
    assert "missing.uri.whitespace: The mock trims white space" in text
    assert "integrations team, until 2027-06-30" in text


def test_many_findings_stay_readable() -> None:
    session = Session()
    for clause in CONTRACT.clauses:
        session.violate(clause, "one thing", "another", documents.exchange())
    report = session.report()
    short, full = _render(report), _render(report, verbose=True)
    gating = sum(clause["gating"] for clause in report["clauses"])
    assert short.count("VIOLATED  ") == 12
    assert full.count("VIOLATED  ") == gating
    for clause in CONTRACT.clauses:
        assert f"{clause}" in short


def test_complaints_faults_and_notes_are_told(failing: dict[str, Any]) -> None:
    text = _render(failing)
    assert "429 4 times, no connection could be made once; each was repeated" in text
    assert "the mock answers HEAD like POST" in text
    assert re.search(r"median/p99 in ms: .*valid \d", text.replace("\n            ", " "))
    session = documents.upheld(Session(waivers=[Waiver("missing.domain", "x", STARTED.date(), "me")]))
    report = session.report()
    assert report["exit_status"] == 1
    assert "complaint the waiver of missing.domain no longer applies" in _render(report)
    assert ", 1 complaint;" in _render(report, quiet=True)


def test_colour_only_when_asked(document: dict[str, Any]) -> None:
    assert "\x1b" not in _render(document)
    coloured = _render(document, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == _render(document)


def test_a_server_forges_nothing(hostile: dict[str, Any]) -> None:
    for width in range(60, 140):
        text = _render(hostile, width=width, verbose=True)
        assert text.replace("\n", "").isprintable()
        assert "##[" not in text
        assert not re.search(r"^\s*::", text, re.M)
        text.encode("utf-8")


def test_a_note_that_wraps_is_no_command(healthy: dict[str, Any]) -> None:
    forged = "::error title=forged::forged"
    healthy["notes"] = [f"{'x' * length} {forged}" for length in range(60, 100)]
    text = _render(healthy)
    assert text.count("title=forged") == 40
    assert not re.search(r"^\s*::", text, re.M)
