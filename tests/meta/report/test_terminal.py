"""The terminal: a screen for a healthy run, lines of its width, the verdict last, nothing forged."""

import re

import pytest

from . import documents
from .documents import Report
from .test_renderings import on_terminal


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("verbose", [False, True])
def test_only_lines_to_copy_are_wider_than_the_terminal(document: Report, width: int, verbose: bool) -> None:
    for line in on_terminal(document, width=width, verbose=verbose).splitlines()[:-1]:
        assert len(line) <= width or re.match("  (repeat|or) ", line), line


def test_a_healthy_run_fits_on_a_screen_and_its_verdict_is_last(healthy: Report) -> None:
    lines = on_terminal(healthy).splitlines()
    assert len(lines) <= 40
    assert on_terminal(healthy, quiet=True) == lines[-1]
    assert re.match(r"PASS  \d+ upheld, 0 violated, 0 waived, ", lines[-1])


def test_quiet_has_a_line_for_each_violated_clause(failing: Report) -> None:
    lines = on_terminal(failing, quiet=True).splitlines()
    assert [re.split(r"[ :]+", line.strip())[1] for line in lines[:-1]] == [
        finding["clause"] for finding in failing["findings"] if finding["gating"]
    ]
    failing["findings"][0]["actual"] = "x" * 400
    assert "x" * 400 in on_terminal(failing, quiet=True), "where output is no terminal nothing is cut"
    assert max(map(len, on_terminal(failing, quiet=True, cut=True).splitlines()[:-1])) <= 100


def test_the_matrix_counts_by_group_the_worst_first(failing: Report) -> None:
    lines = on_terminal(failing, width=140).splitlines()
    head = next(line for line in lines if "upheld  violated" in line)
    row = next(line for line in lines if line.startswith("Near misses of a Uri"))
    column = head.index("violated") + len("violated")
    assert row[:column].split()[-1] == "1"
    assert lines.index(row) < lines.index(next(line for line in lines if line.startswith("Transport  ")))


def test_headers_that_the_clause_names_are_shown_even_if_absent(failing: Report) -> None:
    finding = failing["findings"][0]
    failing["clauses"][0] |= {
        **{"id": "request.content-type", "text": "A request without Content-Type MUST be processed."},
        **{"outcome": "violated", "gating": True},
    }
    finding["clause"] = "request.content-type"
    assert "Content-Type: application/json\n" in on_terminal(failing)
    finding["exchange"]["request"]["headers"] = []
    assert "Content-Type: absent\n" in on_terminal(failing)


def test_colour_only_when_asked(document: Report) -> None:
    coloured = on_terminal(document, colour=True)
    assert "\x1b[" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in plain.splitlines()] == on_terminal(document).splitlines()


def test_a_server_forges_nothing() -> None:
    hostile = documents.hostile()
    hostile["notes"] += [f"{'x' * length} ::error title=forged::forged" for length in range(60, 100)]
    for width in (*range(60, 140, 7), 80):
        text = on_terminal(hostile, width=width, verbose=True)
        assert text.replace("\n", "").isprintable()
        assert "##[" not in text
        assert not re.search(r"^\s*::", text, re.M)
