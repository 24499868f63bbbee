"""The report on a terminal: what was not looked at, the matrix, findings by their causes, the verdict last.

No text of a server can pass for a command of the terminal, or of the CI system that reads the output; own
text is ASCII, so that any terminal can show it.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
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
#: Findings told in full; the rest have a line each, unless verbose.
_IN_FULL = 12
#: Reasons, names and tests that are told of many.
_FEW = 6
_LABEL = 10

#: A block of output: paragraphs, tables, and lines that are not wrapped since they are to be copied.
Block = Iterator["RenderableType | _Line"]


class _Line(Text):
    """A line that is left whole."""


def render(
    report: dict[str, Any], *, colour: bool, width: int, quiet: bool, verbose: bool, cut: bool = False
) -> str:
    """The report as text.

    Args:
        report: The report document.
        colour: Whether to use ANSI colours.
        width: Columns of the terminal; only lines to copy may be longer.
        quiet: A line for each violated clause, and the verdict.
        verbose: All findings, headers and tests in full.
        cut: Whether lines of the quiet form are cut to the width.
    """
    return _Terminal(report, verbose, max(width, 60), cut).render(quiet, colour)


class _Terminal:
    def __init__(self, report: dict[str, Any], verbose: bool, width: int, cut: bool) -> None:
        self.report = report
        self.verbose = verbose
        self.width = width
        self.cut = cut
        self.violated = view.findings(report, "violated")

    def render(self, quiet: bool, colour: bool) -> str:
        console = Console(
            file=io.StringIO(),
            width=self.width,
            force_terminal=colour,
            color_system="standard" if colour else None,
            no_color=not colour,
            highlight=False,
            legacy_windows=False,
            _environ={},
        )
        told = (self._head, self._matrix, self._undecided, self._violations, self._reported, self._waived)
        blocks = (self._lines,) if quiet else (*told, self._troubles, self._measured)
        written = []
        for block in (*blocks, self._verdict):
            with console.capture() as captured:
                for part in block():
                    console.print(part, soft_wrap=isinstance(part, _Line))
            written.append("\n".join(map(str.rstrip, captured.get().splitlines())))
        # Wrapping may bring text of a server to the start of a line, where "::" is a command to GitHub.
        text = ("\n" if quiet else "\n\n").join(filter(None, written))
        return re.sub(r"(?m)^([ ]*)::", r"\1: :", text)

    def _verdict(self) -> Block:
        style = _STYLES.get(self.report["verdict"], "yellow")
        yield _Line.assemble((view.word(self.report), f"{style} bold"), f"  {view.verdict(self.report)}")

    def _lines(self) -> Block:
        """All that fails the run, a line each."""
        for entry in self.violated:
            yield self._line(f"VIOLATED  {_short(entry)}")
            for follower in (each for each in entry.followers if each.outcome == "violated"):
                yield self._line(f"  follows {_short(follower)}")
        for trouble in (*self.report["complaints"], *self.report["errors"]):
            yield self._line(_plain(trouble))

    def _line(self, text: str) -> _Line:
        return _Line(shorten(text, self.width) if self.cut else text)

    def _head(self) -> Block:
        run = self.report["run"]
        facts = f"{run['depth']} depth, seed {run['seed']}{', strict' if run['strict'] else ''}"
        yield Text(_plain(f"GetIntegration contract: {view.target(self.report)}; {facts}"), "bold")
        if missing := view.not_claimed(self.report):
            listed = ", ".join(f"{claim} ({count})" for claim, count in missing.most_common())
            yield _indented(f"not claimed, so not checked: {_plain(listed)}", "yellow")
        for line in view.changes(self.report):
            yield _indented(_plain(line), "bold")

    def _matrix(self) -> Block:
        columns = view.columns(self.report)
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        table.add_column("")
        for column in columns:
            table.add_column(column, justify="right")
        for group in view.groups(self.report):
            cells = [Text(str(group.counts[name] or ""), _STYLES[name]) for name in columns]
            table.add_row(Text(_plain(group.name)), *cells)
        yield table

    def _undecided(self) -> Block:
        reasons = list(view.undecided(self.report).items())
        if not reasons:
            return
        yield Text("MUST, but not decided:", "cyan")
        limit = len(reasons) if self.verbose else _FEW
        for reason, clauses in reasons[:limit]:
            named = ", ".join(clauses if self.verbose else clauses[:2])
            left = len(clauses) - 2 if not self.verbose else 0
            yield _indented(_plain(f"{named}{f' and {left} more' if left > 0 else ''}: {reason}"))
        if len(reasons) > limit:
            yield _indented(f"and {sum(len(names) for _, names in reasons[limit:])} more (-v names them)")

    def _violations(self) -> Block:
        limit = len(self.violated) if self.verbose else _IN_FULL
        shown: list[Any] = []
        for number, entry in enumerate(self.violated[:limit]):
            if number:
                yield Text("")
            yield from self._finding(entry, entry.finding["exchange"] in shown)
            shown.append(entry.finding["exchange"])
        if len(self.violated) > limit:
            yield Text(f"\nviolated too (-v shows {len(self.violated) - limit} more in full):", "red")
            yield from (_indented(_short(entry)) for entry in self.violated[limit:])

    def _finding(self, entry: Found, is_shown: bool) -> Block:
        finding, clause = entry.finding, entry.clause
        title = Text(f"VIOLATED  {clause['id']}{entry.mark}", "red bold")
        origin = Text(_plain(f"{clause['provenance']}: {clause['source']}"), "dim", justify="right")
        head = Table.grid(expand=True, padding=(0, 2, 0, 0))
        head.add_column(no_wrap=True)
        head.add_column(ratio=1)
        head.add_row(title, origin)
        yield head
        yield _indented(_plain(clause["text"]))
        if finding["hint"]:
            yield _indented(finding["hint"], "yellow bold")
        rows = Table.grid(padding=(0, 1, 0, 0))
        rows.add_column(width=_LABEL, style="dim")
        rows.add_column(overflow="fold")
        for label, text, style in self._rows(entry, is_shown):
            rows.add_row(label, Text(text, style))
        yield Padding(rows, (0, 0, 0, 2))
        for number, line in enumerate((finding["repeat"], *finding["also"])):
            yield _Line.assemble((f"  {'or' if number else 'repeat':<{_LABEL + 1}}", "dim"), _plain(line))

    def _rows(self, entry: Found, is_shown: bool) -> Iterator[tuple[str, str, str]]:
        finding, room = entry.finding, self.width * (20 if self.verbose else 4)
        yield "expected", shorten(_plain(view.spaces(finding["expected"])), room), "green"
        yield "actual", shorten(_plain(view.spaces(finding["actual"])), room), "red"
        yield "mend", finding["mend"], ""
        if is_shown:
            yield "request", "the same as above", "dim"
        elif finding["exchange"]:
            yield from self._exchange(entry, room)
        places = [view.test_name(_plain(place)) for place in finding["places"]]
        few = places if self.verbose else places[:3]
        others = " and others" if len(places) > len(few) else ""
        yield "seen", f"{view.times(finding['count'])}, in {', '.join(few) or 'no single test'}{others}", ""
        yield from self._followers(entry.followers)

    def _followers(self, followers: list[Found]) -> Iterator[tuple[str, str, str]]:
        if self.verbose:
            for number, follower in enumerate(followers):
                yield "" if number else "follow", _short(follower), ""
        elif followers:
            names = [follower.clause["id"] for follower in followers]
            themes = Counter(name.partition(".")[0] for name in names)
            counted = ", ".join(f"{theme} ({count})" for theme, count in themes.most_common())
            few = ", ".join(names) if len(names) <= _FEW else f"{counted}; -v names them"
            yield "follow", f"{view.many(len(names), 'more clause')}: {few}", ""

    def _exchange(self, entry: Found, room: int) -> Iterator[tuple[str, str, str]]:
        exchange = entry.finding["exchange"]
        who = f"signed by {exchange['identity']}" if exchange["identity"] else "unsigned"
        sent, came = exchange["request"], exchange["response"]
        for label, first, message in (
            ("request", f"{sent['method']} {sent['target']}  ({who})", sent),
            ("response", view.status_line(came), came),
        ):
            yield label, shorten(_plain(first), room), ""
            headers = message["headers"] if self.verbose else view.telling(entry, message, label)
            for name, value in headers:
                yield "", shorten(_plain(f"{name}: {value}"), room), "dim"
            if message["body"]:
                yield "", shorten(_plain(view.spaces(message["body"])), room), "dim"

    def _reported(self) -> Block:
        found = view.findings(self.report, "reported")
        if found:
            yield Text("reported, cannot fail the target:", "yellow")
            yield from (_indented(_short(entry)) for entry in found)

    def _waived(self) -> Block:
        found = view.findings(self.report, "waived")
        if found:
            yield Text("waived:", "yellow")
        for entry in found:
            yield _indented(_plain(f"{entry.clause['id']}: {view.waived(entry)}"))

    def _troubles(self) -> Block:
        for label, lines in (("complaint", "complaints"), ("error", "errors"), ("note", "notes")):
            for line in self.report[lines]:
                yield _labelled(label, line, "" if label == "note" else "red")

    def _measured(self) -> Block:
        run = self.report["run"]
        if run["faults"]:
            listed = ", ".join(f"{kind} {view.times(count)}" for kind, count in run["faults"].items())
            yield _labelled("faults", f"{listed}; each was repeated")
        if run["latency"]:
            phases = (
                f"{phase} {view.milliseconds(entry['p50'])}/{view.milliseconds(entry['p99'])}"
                for phase, entry in run["latency"].items()
            )
            yield _labelled("latency", f"median/p99 in ms: {', '.join(phases)}")


def _indented(text: str, style: str = "") -> RenderableType:
    return Padding(Text(text, style), (0, 0, 0, 2))


def _labelled(label: str, text: str, style: str = "") -> RenderableType:
    rows = Table.grid(padding=(0, 1, 0, 0))
    rows.add_column(width=_LABEL, style="dim")
    rows.add_column(overflow="fold")
    rows.add_row(label, Text(_plain(text), style))
    return Padding(rows, (0, 0, 0, 2))


def _short(entry: Found) -> str:
    finding = entry.finding
    told = f"expected {shorten(finding['expected'], 500)}; got {shorten(finding['actual'], 500)}"
    return _plain(view.spaces(f"{entry.clause['id']}{entry.mark}: {told} ({view.times(finding['count'])})"))


def _plain(text: str) -> str:
    """One line that neither a terminal nor a CI system takes for a command."""
    return visible(text).replace("##[", "#\\x23[")
