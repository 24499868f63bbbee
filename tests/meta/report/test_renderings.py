"""What each rendering of a stored report must say and must not: one table for terminal, summary and page."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from getintegration_contract.report import html, markdown, terminal

from . import documents
from .documents import Report
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
    """What renderings of a failing run, changed in some way, have and lack; case and space do not matter."""

    has: tuple[str, ...]
    where: str = FULL
    lacks: tuple[str, ...] = ()
    change: Callable[[Report], object] = lambda report: None


def _finding(**changed: Any) -> Callable[[Report], object]:
    return lambda report: report["findings"][0].update(changed)


def _run(**changed: Any) -> Callable[[Report], object]:
    return lambda report: report["run"].update(changed)


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
        change=lambda report: report.update(baseline=_BASELINE),
    ),
    "a hint": Case(("Nobody verifies it.",), change=_finding(hint="Nobody verifies it.")),
    "white space": Case(
        (r'"s3://a\x20\x20b\x20" and',),
        ALL,
        (r"s3://a  b ",),
        change=_finding(actual='the Uri "s3://a  b " and "\t"'),
    ),
    "markup of a rendering": Case(
        ("[bold red]:smile: [/] {{ 7 * 7 }}",),
        ALL,
        change=_finding(actual="[bold red]:smile: [/] {{ 7 * 7 }}"),
    ),
    "a part of the suite": Case(("part of the suite",), ALL, change=_run(partial=True)),
    "strictness": Case((", strict",), "summary", change=_run(strict=True)),
    "complaints and errors": Case(
        ("a waiver has expired", "it broke"),
        ALL,
        change=lambda report: report.update(complaints=["a waiver has expired"], errors=["it broke"]),
    ),
    "the name of the target": Case(
        ("nightly mock", "http://127.0.0.1:4566"),
        "summary page",
        change=lambda report: report["target"].update(name="nightly mock"),
    ),
    "an exchange that is printed already": Case(
        ("as under error.ResourceNotFoundException.type",),
        change=lambda report: [
            finding.update(exchange=report["findings"][0]["exchange"]) for finding in report["findings"]
        ],
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
    report = documents.failing()
    case.change(report)
    text = RENDERINGS[rendering](report)
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
    report = documents.every_clause_violated()
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
    assert RENDERINGS[rendering](report).count("the only one") == 1
