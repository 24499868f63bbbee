"""The terminal: a screen for a healthy run, causes with what follows, the verdict last, nothing forged."""

from __future__ import annotations

import re
from typing import Any

import pytest

from getintegration_contract.report import terminal

from .documents import every_clause_violated, failing


def _render(report: dict[str, Any], **changed: Any) -> str:
    options: dict[str, Any] = {"colour": False, "width": 100, "quiet": False, "verbose": False}
    return terminal.render(report, **{**options, **changed})


def _finding(text: str, clause: str) -> str:
    return text[text.index(f"VIOLATED  {clause} ") :].split("\n\n")[0]


def test_a_healthy_run_fits_on_a_screen(healthy: dict[str, Any]) -> None:
    assert len(_render(healthy).splitlines()) <= 40


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("verbose", [False, True])
def test_only_lines_to_copy_are_wider_than_the_terminal(
    document: dict[str, Any], width: int, verbose: bool
) -> None:
    for line in _render(document, width=width, verbose=verbose).splitlines()[:-1]:
        assert len(line) <= width or re.match("  (repeat|or) ", line), line


def test_the_verdict_is_last_and_counts_causes(healthy: dict[str, Any], failing: dict[str, Any]) -> None:
    assert _render(healthy, quiet=True) == _render(healthy).splitlines()[-1]
    assert re.match(r"PASS  \d+ upheld, 0 violated, 0 waived, ", _render(healthy, quiet=True))
    verdict = _render(failing).splitlines()[-1]
    assert re.match(r"FAIL  \d+ upheld, 6 violated by 4 causes, 2 reported, 1 waived, ", verdict)
    assert "; 5 stray faults repeated; " in verdict


def test_quiet_says_a_line_for_each_violated_clause(failing: dict[str, Any]) -> None:
    lines = _render(failing, quiet=True).splitlines()
    assert [re.split(r"[ :]+", line.strip())[1] for line in lines[:-1]] == [
        finding["clause"] for finding in failing["findings"] if finding["gating"]
    ]
    assert "  follows sdk.boto3: expected an answer; got ValueError: " in "\n".join(lines)
    failing["findings"][0]["actual"] = "x" * 400
    assert "x" * 400 in _render(failing, quiet=True), "where output is no terminal nothing is cut"
    assert max(map(len, _render(failing, quiet=True, cut=True).splitlines()[:-1])) <= 100


@pytest.mark.parametrize(
    ("status", "word"),
    [(2, "INTERRUPTED"), (3, "INTERNAL ERROR"), (5, "NOTHING RAN"), (6, "INDETERMINATE")],
)
def test_every_exit_status_has_its_word(healthy: dict[str, Any], status: int, word: str) -> None:
    assert _render({**healthy, "exit_status": status}, quiet=True).startswith(f"{word}  ")


def test_a_run_of_a_part_says_so(healthy: dict[str, Any]) -> None:
    healthy["run"]["partial"] = True
    assert _render(healthy, quiet=True).startswith("PASS  part of the suite only: ")


def test_the_matrix_counts_by_group_the_worst_first(failing: dict[str, Any]) -> None:
    lines = _render(failing, width=140).splitlines()
    head = next(line for line in lines if "upheld  violated" in line)
    row = next(line for line in lines if line.startswith("Near misses of a Uri"))
    column = head.index("violated") + len("violated")
    assert row[:column].split()[-1] == "1"
    groups = [line for line in lines if any(line.startswith(c["group"] + "  ") for c in failing["clauses"])]
    assert groups.index(row) < groups.index(next(line for line in groups if line.startswith("Transport")))


def test_what_is_not_claimed_and_what_changed_come_first(failing: dict[str, Any]) -> None:
    failing["target"]["name"] = "nightly mock"
    failing["baseline"] = {
        **{"started": "2027-01-26T10:00:00+00:00", "target": "nightly mock", "undecided": []},
        **{"new": ["sigv4.clock-window"], "still": ["sdk.boto3"], "mended": ["request.json", "error.type"]},
    }
    text = _render(failing)
    first = " ".join(text.split("\n\n")[0].split())
    assert "nightly mock (http://127.0.0.1:4566, us-east-1)" in first
    assert re.search(r"not claimed, so not checked: .*throttling \(\d\)", first)
    assert "1 new (sigv4.clock-window), 2 mended (request.json, error.type), 1 still violated" in first
    assert "VIOLATED  sigv4.clock-window (new) " in text


def test_what_was_not_exercised_is_named_with_why(failing: dict[str, Any]) -> None:
    assert re.search(r"transport\.encoding.*: no test came to check it", _render(failing))
    for clause in failing["clauses"]:
        if clause["outcome"] == "not exercised" and clause["level"] == "MUST":
            assert clause["id"] in _render(failing, verbose=True)


def test_a_finding_says_all_that_is_needed_once(failing: dict[str, Any]) -> None:
    text = _render(failing)
    finding = re.sub(r"(?<=\S)  +", " ", _finding(text, "error.ResourceNotFoundException.type"))
    for needed in (
        "doc: API reference, GetIntegration",
        "An error of status 404 MUST have the type that is declared for it",
        "expected 404 ResourceNotFoundException",
        "actual 404 NotFoundException",
        "mend Use the type that the reference page lists",
        "POST /domains/gic-absent/integrations (signed by caller)",
        '{"Uri": "arn:aws:flow',
        "404 Not Found",
        '"__type": "NotFoundException"',
        "seen 4 times, in ",
        "repeat ",
    ):
        assert needed in finding
    assert "follow     2 more clauses: state.time, sdk.boto3" in _finding(text, "response.timestamps.unit")
    assert text.count("sdk.boto3") == 1
    assert "sdk.boto3: expected an answer; got ValueError" in " ".join(_render(failing, verbose=True).split())
    assert "response.request-id: expected" in text
    assert "VIOLATED  response.request-id" not in text
    assert "missing.uri.whitespace: The mock trims white space" in text


def test_headers_that_the_clause_names_are_shown_even_if_absent(failing: dict[str, Any]) -> None:
    finding, clause = failing["findings"][0], failing["clauses"][0]
    clause |= {"id": "request.content-type", "text": "A request without Content-Type MUST be processed."}
    finding |= {"clause": "request.content-type"}
    clause |= {"outcome": "violated", "gating": True}
    assert "Content-Type: application/json" in _finding(_render(failing), "request.content-type")
    finding["exchange"]["request"]["headers"] = []
    assert "Content-Type: absent" in _finding(_render(failing), "request.content-type")


def test_white_space_is_visible(failing: dict[str, Any]) -> None:
    failing["findings"][0]["actual"] = 'the Uri "s3://a  b " and "\t"'
    assert r'"s3://a\x20\x20b\x20" and "\t"' in _render(failing)


def test_the_same_exchange_is_not_printed_twice(failing: dict[str, Any]) -> None:
    one, other = (finding for finding in failing["findings"][:3:2])
    other["exchange"] = one["exchange"]
    assert _render(failing).count('"__type": "NotFoundException"') == 1
    assert "request    the same as above" in _finding(_render(failing), other["clause"])


def test_many_findings_stay_readable() -> None:
    report = every_clause_violated()
    short = _render(report)
    assert short.count("VIOLATED  ") == 12
    assert _render(report, verbose=True).count("VIOLATED  ") == 200
    assert all(clause["id"] in short for clause in report["clauses"])


def test_complaints_faults_and_notes_are_told(failing: dict[str, Any]) -> None:
    failing["complaints"] = ["the waiver of missing.domain no longer applies"]
    text = _render(failing)
    assert "complaint  the waiver of missing.domain no longer applies" in text
    assert "429 4 times, no connection could be made once; each was repeated" in text
    assert "the mock answers HEAD like POST" in text
    assert "median/p99 in ms: " in text
    assert ", 1 complaint;" in _render(failing, quiet=True)


def test_colour_only_when_asked(document: dict[str, Any]) -> None:
    assert "\x1b" not in _render(document)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", _render(document, colour=True))
    assert [line.rstrip() for line in plain.splitlines()] == _render(document).splitlines()
    assert "\x1b[" in _render(document, colour=True)


def test_a_server_forges_nothing(hostile: dict[str, Any]) -> None:
    hostile["notes"] += [f"{'x' * length} ::error title=forged::forged" for length in range(60, 100)]
    for width in (*range(60, 140, 7), 80):
        text = _render(hostile, width=width, verbose=True)
        assert text.replace("\n", "").isprintable()
        assert "##[" not in text
        assert not re.search(r"^\s*::", text, re.M)
        text.encode("utf-8")


def test_rich_takes_nothing_for_markup() -> None:
    report = failing()
    report["findings"][0]["actual"] = "[bold red]:smile: [/]"
    assert "[bold red]:smile: [/]" in _render(report)
