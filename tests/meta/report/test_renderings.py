"""Renderings of a stored report: what each must say and must not, what one alone has; nothing is forged."""

import copy
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from getintegration_contract.report import html, markdown, terminal
from getintegration_contract.report.engine import cell, code, inline

from ..support import CONTRACT, ROOT, edited
from . import documents
from .documents import Report, every_clause_violated
from .pages import Page


def on_terminal(report: Report, **changed: Any) -> str:
    options: dict[str, Any] = {"colour": False, "width": 100, "quiet": False, "verbose": False}
    return terminal.render(report, **{**options, **changed})


RENDERINGS: dict[str, Callable[[Report], str]] = {
    "terminal": on_terminal,
    "verbose": lambda report: on_terminal(report, verbose=True),
    "quiet": lambda report: on_terminal(report, quiet=True),
    "summary": markdown.summary,
    "page": lambda report: Page(html.page(report)).one("main").text,
}
FULL = "terminal verbose summary page"
ALL = f"{FULL} quiet"


class Case(NamedTuple):
    """What renderings of a failing run, with some changes, have and lack; case and space do not matter."""

    has: tuple[str, ...]
    where: str = FULL
    lacks: tuple[str, ...] = ()
    changes: Mapping[str, Any] = {}


_BASELINE = {
    **{"started": "2027-01-26T10:00:00+00:00", "target": "nightly mock", "undecided": ["request.valid"]},
    **{"new": ["sigv4.clock-window"], "still": ["sdk.boto3"], "mended": ["request.json", "error.type"]},
}
CASES = {
    "the verdict counts causes": Case(
        ("FAIL", "6 violated by 4 causes, 2 reported, 1 waived", "; 5 stray faults repeated; "),
        "terminal verbose quiet summary",
    ),
    "a finding has all that is needed": Case(
        (
            "error.ResourceNotFoundException.type",
            "doc: API reference, GetIntegration",
            "An error of status 404 MUST have the type that is declared for it",
            "404 ResourceNotFoundException",
            "404 NotFoundException",
            "Use the type that the reference page lists for this status",
            "POST /domains/gic-absent/integrations",
            '{"Uri": "arn:aws:flow',
            "404 Not Found",
            '"__type": "NotFoundException"',
            "content-type: application/",
            "seen 4 times",
            "test_missing.py::test_absent[case]",
            "pytest 'tests/contract/test_missing.py::test_absent[case]'",
            "aws customer-profiles get-integration --domain-name=gic-absent",
        )
    ),
    "what follows": Case(("2 more clauses", "state.time", "sdk.boto3"), "terminal summary page"),
    "what follows in full": Case(
        ("state.time", "sdk.boto3", "an answer", "ValueError: "),
        "verbose quiet summary page",
        ("VIOLATED  sdk.boto3",),
    ),
    "what is reported": Case(("cannot fail the target", "response.request-id")),
    "what is waived, by whom, how long": Case(
        ("missing.uri.whitespace", "The mock trims white space", "until 2027-06-30")
    ),
    "what was not decided, and why": Case(("transport.encoding", "no test came to check it")),
    "faults, notes and latency": Case(("429", "4 times", "the mock answers HEAD like POST", "median", "p99")),
    "what is not claimed": Case(("Not claimed, so not checked", "throttling"), "summary page"),
    "what changed": Case(
        ("since 2027-01-26 10:00: 1 new", "2 mended", "1 still violated, 1 no longer decided", "(new)"),
        "terminal verbose summary",
        changes={"baseline": _BASELINE},
    ),
    "a hint": Case(("Nobody verifies it.",), changes={"findings.0.hint": "Nobody verifies it."}),
    "white space": Case(
        (r'"s3://a\x20\x20b\x20" and',),
        ALL,
        (r"s3://a  b ",),
        changes={"findings.0.actual": 'the Uri "s3://a  b " and "\t"'},
    ),
    "markup of a rendering": Case(
        ("[bold red]:smile: [/] {{ 7 * 7 }}",),
        ALL,
        changes={"findings.0.actual": "[bold red]:smile: [/] {{ 7 * 7 }}"},
    ),
    "a part of the suite": Case(("part of the suite",), ALL, changes={"run.partial": True}),
    "strictness": Case((", strict",), "summary", changes={"run.strict": True}),
    "complaints and errors": Case(
        ("a waiver has expired", "it broke"),
        ALL,
        changes={"complaints": ["a waiver has expired"], "errors": ["it broke"]},
    ),
    "the name of the target": Case(
        ("nightly mock", "http://127.0.0.1:4566"),
        "summary page",
        changes={"target.name": "nightly mock"},
    ),
}


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "").split()).lower()


@pytest.mark.parametrize(
    ("rendering", "case"),
    [
        pytest.param(rendering, case, id=f"{rendering}: {name}")
        for name, case in CASES.items()
        for rendering in case.where.split()
    ],
)
def test_what_is_said(rendering: str, case: Case) -> None:
    text = RENDERINGS[rendering](edited(documents.failing(), case.changes))
    assert [part for part in case.has if _plain(part) not in _plain(text)] == []
    assert [part for part in case.lacks if part in text] == []


@pytest.mark.parametrize("rendering", RENDERINGS)
@pytest.mark.parametrize(
    ("status", "word"),
    [(0, "PASS"), (2, "INTERRUPTED"), (3, "INTERNAL ERROR"), (5, "NOTHING RAN"), (6, "INDETERMINATE")],
)
def test_a_run_without_violations(rendering: str, status: int, word: str) -> None:
    text = RENDERINGS[rendering]({**documents.healthy(), "exit_status": status})
    assert word in text
    assert not {"VIOLATED", "### Violated", "Findings"} & {line.strip() for line in text.splitlines()}
    RENDERINGS[rendering]({**documents.healthy(), "clauses": [], "counts": {}, "exit_status": status})


@pytest.mark.parametrize("rendering", FULL.split())
def test_many_findings_are_all_named_and_stay_readable(rendering: str) -> None:
    report = every_clause_violated()
    text = RENDERINGS[rendering](report)
    assert all(finding["clause"] in text for finding in report["findings"])
    assert rendering != "summary" or len(text.encode()) < 1024 * 1024 * 0.9, "GitHub takes no larger one"
    in_full = {"terminal": ("VIOLATED  ", 12), "verbose": ("VIOLATED  ", 200), "summary": ("\n#### ", 40)}
    if rendering in in_full:
        sign, count = in_full[rendering]
        assert text.count(sign) == count


@pytest.mark.parametrize("rendering", FULL.split())
def test_no_exchange_is_printed_twice(rendering: str) -> None:
    report = documents.failing()
    exchange = copy.deepcopy(report["findings"][0]["exchange"])
    exchange["response"]["body"] = "the only one"
    for finding in report["findings"]:
        finding["exchange"] = exchange
    text = RENDERINGS[rendering](report)
    assert text.count("the only one") == 1
    assert "as under error.ResourceNotFoundException.type" in text.replace("`", "")


# --- The terminal -------------------------------------------------------------------------------------------


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


# --- Markdown and annotations -------------------------------------------------------------------------------


def test_the_summary_is_laid_out_as_markdown(failing: Report, healthy: Report) -> None:
    text = markdown.summary(failing)
    assert text.startswith("## ❌ FAIL: 6 clauses violated, 4 causes\n\n**Not claimed, so not checked:** `")
    assert "\n| expected | actual |\n|---|---|\n| `404 ResourceNotFoundException` | `404 NotF" in text
    assert "| Near misses of a Uri | 2 | **1** |  | 1 |  |  |\n" in text
    assert "\n\n- `state.time`: expected" in text
    assert "\n- `sdk.boto3`: expected" in text
    assert len(markdown.summary(healthy)) < 4_000


def test_a_summary_of_hostile_answers_has_no_open_markup(hostile: Report) -> None:
    text = markdown.summary(hostile)
    text.encode("utf-8")
    outside = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", text)
    outside = re.sub(r"(`+)[^`].*?[^`]\1(?!`)", "", outside)
    assert not re.search(r"(?<!\\)<(?!/?(details|summary)>)", outside)


def test_text_is_shown_as_it_is() -> None:
    assert inline("a|b *c* <d> [e](f)") == r"a\|b \*c\* \<d\> \[e\](f)"
    assert code("a ``b`` c") == "```a ``b`` c```"
    assert code("`a") == "`` `a ``"
    assert cell("a|b") == "`a\\|b`"


def test_an_error_for_each_cause_and_a_warning_for_what_is_reported(failing: Report) -> None:
    commands = markdown.annotations(failing)
    assert [command.partition(" ")[0] for command in commands] == ["::error"] * 4 + ["::warning"] * 2
    assert any("title=missing.uri.trailing-slash violated::A Uri that differs" in line for line in commands)
    assert any("title=response.timestamps.unit violated%2C 2 more follow::" in line for line in commands)
    assert "%0Aexpected: 404 ResourceNotFoundException%0Aactual: 404 NotFoundException%0A" in commands[0]
    assert not any("missing.uri.whitespace" in command for command in commands)


def test_annotations_cannot_be_forged(hostile: Report) -> None:
    for command in markdown.annotations(hostile):
        assert command.isprintable()
        assert re.match(r"::(error|warning) title=[^:,]*::", command)


def test_annotations_keep_to_what_github_shows(healthy: Report) -> None:
    commands = markdown.annotations(every_clause_violated())
    assert len(commands) == 10
    assert re.match(r"::error title=\d+ more::", commands[9])
    indeterminate = {**healthy, "exit_status": 6, "notes": ["nothing listens there"]}
    assert markdown.annotations(indeterminate) == ["::error title=INDETERMINATE::nothing listens there"]


# --- The requirement document -------------------------------------------------------------------------------


def test_the_requirements_as_json_hold_all_of_every_clause() -> None:
    document = json.loads(markdown.clauses(CONTRACT, "json"))
    assert [entry["id"] for entry in document["clauses"]] == list(CONTRACT.clauses)
    for entry in document["clauses"]:
        clause = CONTRACT.clauses[entry["id"]]
        assert (entry["text"], entry["provenance"]) == (clause.text, clause.provenance)
        assert entry["gating"] == clause.gates()
    assert any("milliseconds" in ruling["text"] for ruling in document["rulings"])


def test_the_requirements_have_a_row_a_clause_and_a_heading_a_group_and_are_current() -> None:
    text = markdown.clauses(CONTRACT, "markdown")
    for clause in CONTRACT.clauses.values():
        assert text.count(f"| `{clause.id}` |") == 1
        assert text.count(f"## {clause.group}\n") == 1
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert all(line.replace("\\|", "").count("|") == 5 for line in rows)
    assert text.endswith("\n")
    kept = (ROOT / "docs" / "clauses.md").read_text(encoding="utf-8")
    assert kept == text, "run: pytest --list-clauses markdown > docs/clauses.md"
    assert max(map(len, markdown.clauses(CONTRACT, "text").splitlines())) <= 140
