"""The report on a terminal: what changed, the matrix, findings by their causes, the verdict last.

No text of a server can pass for a command of the terminal, or of the CI system that reads the output; own
text is ASCII, so that any terminal can show it.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from getintegration_contract.report import view
from getintegration_contract.report.view import Found
from getintegration_contract.text import shorten, visible

_STYLES = {
    "upheld": "green",
    "violated": "red",
    "reported": "yellow",
    "waived": "yellow",
    "indeterminate": "yellow",
    "not exercised": "cyan",
    "not claimed": "dim",
    "pass": "green",
    "fail": "red",
}
#: Findings shown in full, and reasons and names that are listed, unless verbose.
_IN_FULL, _FEW = 12, 6
_LABEL = 10
#: Where the rest is.
_WHERE = "in full: report.html of --report-dir, or -v"

#: A block of output: paragraphs, tables, and lines that are not wrapped since they are to be copied.
Block = Iterable["RenderableType | _Line"]
#: A label, what stands behind it, and in which style.
Row = tuple[str, str, str]


class _Line(Text):
    """A line that is left whole."""


def render(
    report: dict[str, Any], *, colour: bool, width: int, quiet: bool, verbose: bool, cut: bool = False
) -> str:
    """The report as text.

    Args:
        colour: Whether to use ANSI colours.
        width: Columns of the terminal; only lines to copy may be longer.
        quiet: A line for each violated clause, and the verdict.
        verbose: All findings, headers and tests in full.
        cut: Whether lines of the quiet form are cut to the width.
    """
    width = max(width, 60)
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    blocks = [_brief(report, width if cut else None)] if quiet else _Full(report, width, verbose).blocks()
    written = []
    for block in (*blocks, _verdict(report)):
        with console.capture() as captured:
            for part in block:
                console.print(part, soft_wrap=isinstance(part, _Line))
        written.append("\n".join(map(str.rstrip, captured.get().splitlines())))
    # Wrapping may bring text of a server to the start of a line, where "::" is a command to GitHub.
    text = ("\n" if quiet else "\n\n").join(filter(None, written))
    return re.sub(r"(?m)^([ ]*)::", r"\1: :", text)


def _verdict(report: dict[str, Any]) -> Block:
    style = _STYLES.get(report["verdict"], "yellow")
    yield _Line.assemble((view.word(report), f"{style} bold"), f"  {view.verdict(report)}")


def _brief(report: dict[str, Any], width: int | None) -> Block:
    """All that fails the run, a line each."""
    lines = []
    for entry in view.findings(report, "violated"):
        violated = (each for each in entry.followers if each.outcome == "violated")
        lines += [f"VIOLATED  {_short(entry)}", *(f"  follows {_short(each)}" for each in violated)]
    for line in map(_plain, (*lines, *report["complaints"], *report["errors"])):
        yield _Line(shorten(line, width) if width else line)


class _Full:
    """Everything, a block at a time."""

    def __init__(self, report: dict[str, Any], width: int, verbose: bool) -> None:
        self.report = report
        self.verbose = verbose
        self.room = width * (20 if verbose else 4)
        self.violated = view.findings(report, "violated")
        self.same = view.printed_before([entry.finding for entry in self.violated])

    def blocks(self) -> Iterator[Block]:
        report = self.report
        limit = len(self.violated) if self.verbose else _IN_FULL
        left = self.violated[limit:]
        reported, waived = view.findings(report, "reported"), view.findings(report, "waived")
        yield (_indented(line, "bold") for line in view.changes(report))
        yield [self._matrix()]
        yield _listed("MUST, but not decided:", "cyan", list(self._undecided()))
        yield from map(self._finding, self.violated[:limit])
        yield _listed(f"violated too ({_WHERE}):", "red", [*map(_short, left)])
        yield _listed("reported, cannot fail the target:", "yellow", [*map(_short, reported)])
        yield _listed(
            "waived:", "yellow", [f"{entry.clause['id']}: {view.waived(entry)}" for entry in waived]
        )
        yield [_grid(self._about_the_run())]

    def _matrix(self) -> Table:
        columns = view.columns(self.report)
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        table.add_column("")
        for column in columns:
            table.add_column(column, justify="right")
        for group in view.groups(self.report):
            cells = [Text(str(group.counts[name] or ""), _STYLES[name]) for name in columns]
            table.add_row(Text(_plain(group.name)), *cells)
        return table

    def _undecided(self) -> Iterator[str]:
        reasons = list(view.undecided(self.report).items())
        few = reasons if self.verbose else reasons[:_FEW]
        for reason, clauses in few:
            named = clauses if self.verbose else clauses[:2]
            more = f" and {len(clauses) - len(named)} more" if len(clauses) > len(named) else ""
            said = "see the note below" if reason in self.report["notes"] else reason
            yield f"{', '.join(named)}{more}: {said}"
        if left := sum(len(clauses) for _, clauses in reasons[len(few) :]):
            yield f"and {left} more ({_WHERE})"

    def _finding(self, entry: Found) -> Block:
        finding, clause = entry.finding, entry.clause
        head = Table.grid(expand=True, padding=(0, 2, 0, 0))
        head.add_column(no_wrap=True)
        head.add_column(ratio=1)
        head.add_row(
            Text(f"VIOLATED  {clause['id']}{entry.mark}", "red bold"),
            Text(_plain(f"{clause['provenance']}: {clause['source']}"), "dim", justify="right"),
        )
        yield head
        yield _indented(clause["text"])
        if finding["hint"]:
            yield _indented(finding["hint"], "yellow bold")
        yield _grid(self._rows(entry))
        for number, line in enumerate((finding["repeat"], *finding["also"])):
            yield _Line.assemble((f"  {'or' if number else 'repeat':<{_LABEL + 1}}", "dim"), _plain(line))

    def _rows(self, entry: Found) -> Iterator[Row]:
        finding = entry.finding
        yield "expected", self._fitting(view.spaces(finding["expected"])), "green"
        yield "actual", self._fitting(view.spaces(finding["actual"])), "red"
        yield "mend", finding["mend"], ""
        if entry.clause["id"] in self.same:
            yield "request", f"as under {self.same[entry.clause['id']]}", "dim"
        elif finding["exchange"]:
            yield from self._exchange(entry)
        places = list(map(view.test_name, finding["places"]))
        few = places if self.verbose else places[:3]
        others = " and others" if len(places) > len(few) else ""
        yield "seen", f"{view.times(finding['count'])}, in {', '.join(few) or 'no single test'}{others}", ""
        if entry.followers and not self.verbose:
            yield "follow", _counted([follower.clause["id"] for follower in entry.followers]), ""
        elif entry.followers:
            yield from (("follow", _short(follower), "") for follower in entry.followers)

    def _exchange(self, entry: Found) -> Iterator[Row]:
        exchange = entry.finding["exchange"]
        who = f"signed by {exchange['identity']}" if exchange["identity"] else "unsigned"
        sent, came = exchange["request"], exchange["response"]
        for label, first, message in (
            ("request", f"{sent['method']} {sent['target']}  ({who})", sent),
            ("response", view.status_line(came), came),
        ):
            yield label, self._fitting(first), ""
            headers = message["headers"] if self.verbose else view.telling(entry, message, label)
            yield from (("", self._fitting(f"{name}: {value}"), "dim") for name, value in headers)
            yield "", self._fitting(view.spaces(message["body"]) or "no body"), "dim"

    def _fitting(self, text: str) -> str:
        return shorten(_plain(text), self.room)

    def _about_the_run(self) -> Iterator[Row]:
        for label, lines in (("complaint", "complaints"), ("error", "errors"), ("note", "notes")):
            yield from ((label, line, "" if label == "note" else "red") for line in self.report[lines])
        if found := view.faults(self.report):
            yield "faults", f"{found}; each was repeated", ""
        if latency := self.report["run"]["latency"]:
            phases = (
                f"{phase} {view.milliseconds(entry['p50'])}/{view.milliseconds(entry['p99'])}"
                for phase, entry in latency.items()
            )
            yield "latency", f"median/p99 in ms: {', '.join(phases)}", ""


def _counted(names: list[str]) -> str:
    """How many clauses, and which; of many, how many of each theme."""
    themes = Counter(name.partition(".")[0] for name in names)
    counted = ", ".join(f"{theme} ({count})" for theme, count in themes.most_common())
    few = ", ".join(names) if len(names) <= _FEW else f"{counted} ({_WHERE})"
    return f"{view.many(len(names), 'more clause')}: {few}"


def _listed(title: str, style: str, lines: list[str]) -> Block:
    return [Text(title, style), *map(_indented, lines)] if lines else []


def _grid(rows: Iterable[Row]) -> RenderableType:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=_LABEL, style="dim")
    table.add_column(overflow="fold")
    for label, text, style in rows:
        table.add_row(label, Text(_plain(text), style))
    return Padding(table, (0, 0, 0, 2))


def _indented(text: str, style: str = "") -> RenderableType:
    return Padding(Text(_plain(text), style), (0, 0, 0, 2))


def _short(entry: Found) -> str:
    finding = entry.finding
    text = f"expected {shorten(finding['expected'], 500)}; got {shorten(finding['actual'], 500)}"
    return view.spaces(f"{entry.clause['id']}{entry.mark}: {text} ({view.times(finding['count'])})")


def _plain(text: str) -> str:
    """One line that neither a terminal nor a CI system takes for a command."""
    return visible(text).replace("##[", "#\\x23[")
