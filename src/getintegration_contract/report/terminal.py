"""The report on a terminal: what was not looked at, the matrix, every finding once, the verdict last.

No text of a server can pass for a command of the terminal, or of the CI system that reads the output; own
text is ASCII, so that any terminal can show it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

from getintegration_contract.report import view
from getintegration_contract.report.view import Found
from getintegration_contract.text import shorten, visible

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_STYLES = {
    "upheld": "green",
    "violated": "red",
    "reported": "yellow",
    "waived": "yellow",
    "indeterminate": "yellow",
    "not exercised": "cyan",
    "not claimed": "dim",
}
_SHORT = {
    "violated": "viol.",
    "reported": "rep.",
    "not exercised": "not ex.",
    "not claimed": "not cl.",
    "indeterminate": "indet.",
}
_LABEL = 10
#: Findings told in full; the rest have a line each, unless verbose.
_IN_FULL = 12
_REASONS = 8

#: Violated clauses that the verdict names when it stands alone.
_NAMED = 3


def render(report: dict[str, Any], *, colour: bool, width: int, quiet: bool, verbose: bool) -> str:
    """The report as text.

    Args:
        report: The report document.
        colour: Whether to use ANSI colours.
        width: Columns of the terminal; only command lines to copy may be longer.
        quiet: The verdict line alone.
        verbose: All findings, headers and tests in full.
    """
    return _Terminal(report, colour, max(width, 60), verbose).render(quiet)


class _Terminal:
    def __init__(self, report: dict[str, Any], colour: bool, width: int, verbose: bool) -> None:
        self.report = report
        self.colour = colour
        self.width = width
        self.verbose = verbose

    def render(self, quiet: bool) -> str:
        if quiet:
            return self._verdict() + self._why()
        blocks = (
            self._head(),
            self._matrix(),
            self._undecided(),
            self._violations(),
            self._reported(),
            self._waived(),
            self._troubles(),
            self._measured(),
        )
        shown = ["\n".join(lines) for block in blocks if (lines := list(block))]
        # Wrapping may bring text of a server to the start of a line, where "::" is a command to GitHub.
        return re.sub(r"(?m)^([ ]*)::", r"\1: :", "\n\n".join([*shown, self._verdict()]))

    def _paint(self, text: str, *styles: str) -> str:
        if not self.colour:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"

    def _verdict(self) -> str:
        style = {"pass": "green", "fail": "red"}.get(self.report["verdict"], "yellow")
        return f"{self._paint(view.word(self.report), style, 'bold')}  {view.verdict(self.report)}"

    def _why(self) -> str:
        """What failed a run, in a few words."""
        violated = [found.clause["id"] for found in view.findings(self.report, "violated")]
        named = ", ".join(violated[:_NAMED]) + (", …" if len(violated) > _NAMED else "")
        reasons = [*([named] if named else []), *self.report["complaints"][:1]]
        return f": {_plain('; '.join(reasons))}" if reasons else ""

    def _head(self) -> Iterator[str]:
        target, run = self.report["target"], self.report["run"]
        strict = ", strict" if run["strict"] else ""
        line = f"{target['endpoint']}, {target['region']}; {run['depth']} depth, seed {run['seed']}{strict}"
        yield self._paint(shorten(f"GetIntegration contract: {_plain(line)}", self.width), "bold")
        missing = view.not_claimed(self.report)
        if missing:
            listed = ", ".join(f"{claim} ({count})" for claim, count in missing.most_common())
            lines = self._wrap(f"not claimed, so not checked: {_plain(listed)}", "  ")
            yield from (self._paint(line, "yellow") for line in lines)
        else:
            yield from self._wrap("claimed: everything that a target can claim", "  ")

    def _matrix(self) -> Iterator[str]:
        groups, columns = view.groups(self.report), view.columns(self.report)
        name = max((len(group.name) for group in groups), default=0)
        heads = columns
        if name + sum(len(head) + 2 for head in heads) > self.width:
            heads = [_SHORT.get(column, column) for column in columns]
        name = min(name, self.width - sum(len(head) + 2 for head in heads))
        yield self._paint(" " * name + "".join(f"  {head}" for head in heads), "dim")
        for group in groups:
            line = f"{shorten(_plain(group.name), name):<{name}}"
            for column, head in zip(columns, heads, strict=True):
                cell = f"{group.counts[column] or '':>{len(head) + 2}}"
                line += self._paint(cell, _STYLES[column]) if group.counts[column] else cell
            yield line.rstrip()

    def _undecided(self) -> Iterator[str]:
        reasons = view.undecided(self.report)
        if not reasons:
            return
        yield self._paint("MUST, but not decided:", "cyan")
        limit = len(reasons) if self.verbose else _REASONS
        for reason, clauses in list(reasons.items())[:limit]:
            if self.verbose:
                yield from self._wrap(_plain(f"{', '.join(clauses)}: {reason}"), "  ")
            else:
                yield f"  {self._because(clauses, _plain(reason))}"
        if len(reasons) > limit:
            left = sum(map(len, list(reasons.values())[limit:]))
            yield f"  and {left} more (-v names them)"

    def _because(self, clauses: list[str], reason: str) -> str:
        """As many clauses as fit on a line with their reason."""
        line = ""
        for number in range(len(clauses), 0, -1):
            left = len(clauses) - number
            line = f"{', '.join(clauses[:number])}{f' and {left} more' if left else ''}: {reason}"
            if len(line) <= self.width - 2:
                break
        return shorten(line, self.width - 2)

    def _violations(self) -> Iterator[str]:
        found = view.findings(self.report, "violated")
        limit = len(found) if self.verbose else _IN_FULL
        for number, entry in enumerate(found[:limit]):
            if number:
                yield ""
            yield from self._finding(entry)
        if len(found) > limit:
            yield ""
            yield self._paint(f"violated too (-v shows {len(found) - limit} more in full):", "red")
            yield from (self._short(entry) for entry in found[limit:])

    def _reported(self) -> Iterator[str]:
        found = view.findings(self.report, "reported")
        if found:
            yield self._paint("reported, cannot fail the target:", "yellow")
            yield from (self._short(entry) for entry in found)

    def _waived(self) -> Iterator[str]:
        found = view.findings(self.report, "waived")
        if found:
            yield self._paint("waived:", "yellow")
        for entry in found:
            waiver = entry.waiver or {"reason": "", "owner": None, "link": None, "expires": "?"}
            who = waiver["owner"] or waiver["link"] or "nobody"
            line = f"  {entry.clause['id']}: {waiver['reason']} ({who}, until {waiver['expires']})"
            yield shorten(_plain(line), self.width)

    def _finding(self, entry: Found) -> Iterator[str]:
        finding, clause = entry.finding, entry.clause
        origin = _plain(f"{clause['provenance']}: {clause['source']}")
        title = f"VIOLATED  {clause['id']}"
        room = self.width - len(title) - 2
        if room >= min(len(origin), 30):
            origin = f"{shorten(origin, room):>{room}}"
            yield f"{self._paint(title, 'red', 'bold')}  {self._paint(origin, 'dim')}"
        else:
            yield self._paint(title, "red", "bold")
            yield self._paint(shorten(f"  {origin}", self.width), "dim")
        yield from self._wrap(_plain(clause["text"]), "  ")
        yield from self._side_by_side(finding["expected"], finding["actual"])
        if finding["exchange"] is not None:
            yield from self._exchange(finding["exchange"])
        places = [view.test_name(_plain(place)) for place in finding["places"]]
        shown = places if self.verbose else places[:3]
        others = " and others" if len(places) > len(shown) else ""
        seen = f"{view.times(finding['count'])}, in {', '.join(shown)}{others}"
        yield from self._labelled("seen", self._wrap(seen, "", self._room))
        yield self._label("repeat") + _plain(finding["repeat"])

    def _exchange(self, exchange: dict[str, Any]) -> Iterator[str]:
        request, response = exchange["request"], exchange["response"]
        who = f"signed by {exchange['identity']}" if exchange["identity"] else "unsigned"
        line = _plain(f"{request['method']} {request['target']}")
        yield (
            self._label("request") + shorten(line, self._room - len(who) - 3) + self._paint(f"  {who}", "dim")
        )
        yield from self._gutter(self._headers(request["headers"]) if self.verbose else ())
        yield from self._gutter(self._body(request["body"]))
        yield self._label("response") + shorten(_plain(view.status_line(response)), self._room)
        yield from self._gutter(self._headers(response["headers"]))
        yield from self._gutter(self._body(response["body"]))

    def _headers(self, headers: list[list[str]]) -> Iterator[str]:
        for name, value in headers:
            if self.verbose or name.lower() in view.TELLING_HEADERS:
                yield shorten(_plain(f"{name}: {value}"), self._room - 2)

    def _body(self, body: str) -> list[str]:
        room = self._room - 2
        return self._wrap(shorten(_plain(body), room * (20 if self.verbose else 3)), "", room) if body else []

    def _side_by_side(self, expected: str, actual: str) -> Iterator[str]:
        lines = 20 if self.verbose else 4
        left = self._room
        if self.width >= 80:
            left = (self.width - 2 * _LABEL - 6) // 2
        first, second = (
            self._wrap(shorten(_plain(text), left * lines), "", left) or [""] for text in (expected, actual)
        )
        if self.width < 80:
            yield from self._labelled("expected", first)
            yield from self._labelled("actual", second)
            return
        for number, (one, two) in enumerate(zip_longest(first, second, fillvalue="")):
            label = f"  {'' if number else 'expected':<{_LABEL}}"
            other = f"{'' if number else 'actual':<{_LABEL - 2}}"
            yield (
                f"{self._paint(label, 'dim')}{self._paint(f'{one:<{left}}', 'green')}"
                f" | {self._paint(other, 'dim')}{self._paint(two, 'red')}"
            ).rstrip()

    def _short(self, entry: Found) -> str:
        finding = entry.finding
        line = (
            f"{entry.clause['id']}: expected {finding['expected']}; got {finding['actual']}"
            f" ({entry.clause['provenance']}, {view.times(finding['count'])})"
        )
        return shorten(f"  {_plain(line)}", self.width)

    def _troubles(self) -> Iterator[str]:
        for label, lines in (("complaint", self.report["complaints"]), ("error", self.report["errors"])):
            for line in lines:
                yield from self._labelled(label, self._wrap(_plain(line), "", self._room), "red")
        for line in self.report["notes"]:
            yield from self._labelled("note", self._wrap(_plain(line), "", self._room))

    def _measured(self) -> Iterator[str]:
        run = self.report["run"]
        if run["faults"]:
            listed = ", ".join(f"{kind} {view.times(count)}" for kind, count in run["faults"].items())
            text = f"{_plain(listed)}; each was repeated"
            yield from self._labelled("faults", self._wrap(text, "", self._room))
        if run["latency"]:
            phases = [
                f"{_plain(phase)} {view.milliseconds(entry['p50'])}/{view.milliseconds(entry['p99'])}"
                for phase, entry in run["latency"].items()
            ]
            text = f"median/p99 in ms: {', '.join(phases)}"
            yield from self._labelled("latency", self._wrap(text, "", self._room))

    @property
    def _room(self) -> int:
        return self.width - _LABEL - 2

    def _label(self, label: str) -> str:
        return self._paint(f"  {label:<{_LABEL}}", "dim")

    def _labelled(self, label: str, lines: Iterable[str], style: str = "dim") -> Iterator[str]:
        for number, line in enumerate(lines):
            yield self._paint(f"  {'' if number else label:<{_LABEL}}", style) + line

    def _gutter(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            yield f"  {'':<{_LABEL}}{self._paint('|', 'dim')} {line}"

    def _wrap(self, text: str, indent: str, width: int | None = None) -> list[str]:
        return textwrap.wrap(
            text,
            width or self.width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_on_hyphens=False,
        )


def _plain(text: str) -> str:
    """One line that neither a terminal nor a CI system takes for a command."""
    return visible(text).replace("##[", "#\\x23[")
