"""The report on a terminal: what changed, the matrix, findings by their causes, the verdict last.

No text of a server can pass for a command of the terminal, or of the CI system that reads the output; own
text is ASCII, so that any terminal can show it.
"""

import io
import re
from collections import Counter
from typing import Any

from markupsafe import Markup
from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from getintegration_contract.report import engine, view
from getintegration_contract.report.files import Report
from getintegration_contract.report.view import View
from getintegration_contract.text import shorten, visible

_STYLES = {
    **{"upheld": "green", "violated": "red", "reported": "yellow", "waived": "yellow"},
    **{"indeterminate": "yellow", "not exercised": "cyan", "not claimed": "dim"},
    **{"pass": "green", "fail": "red"},
}
#: Findings shown in full, unless verbose.
_IN_FULL = 12

#: Headers that say what an answer is, and those that a clause may name.
_TELLING = frozenset(
    {"x-amzn-errortype", "x-amzn-requestid", "content-type", "content-encoding", "retry-after", "allow"}
)
_NAMED = (
    *("Content-Type", "Accept", "Authorization", "X-Amz-Date", "X-Amz-Security-Token", "Host", "Connection"),
    *("Expect", "Transfer-Encoding", "Content-Length", "Content-Encoding", "X-Amzn-ErrorType"),
    *("Date", "Allow", "Retry-After"),
)
#: Where the text of a paragraph begins: behind its label, if it has one.
_LABEL = re.compile(r"  (?:[a-z ]{10} )?")


def render(report: Report, *, colour: bool, width: int, quiet: bool, verbose: bool, cut: bool = False) -> str:
    """The report as text.

    Args:
        colour: Whether to use ANSI colours.
        width: Columns of the terminal; only lines to copy may be longer.
        quiet: A line for each violated clause, and the verdict.
        verbose: All findings, headers and tests in full.
        cut: Whether lines of the quiet form are cut to the width.
    """
    width = max(width, 60)
    output = io.StringIO()
    console = Console(
        file=output,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    shown = View(report)
    with console.capture() as matrix:
        console.print(_matrix(shown))
    paragraphs = engine.render(
        "terminal.txt",
        _plain,
        view=shown,
        report=report,
        matrix=Markup(matrix.get()),
        same=view.printed_before(shown.violated),
        limit=len(shown.violated) if verbose else _IN_FULL,
        quiet=quiet,
        verbose=verbose,
        brief=lambda text: shorten(_plain(text), width) if cut else text,
        fitting=lambda text: shorten(_plain(text), width * (20 if verbose else 4)),
        styled=_styled,
        styles=_STYLES,
        telling=_telling,
        short=_short,
        themes=_themes,
    )
    for line in paragraphs.splitlines():
        paragraph, is_to_copy = Text.from_ansi(line), line.startswith("\t")
        console.print(paragraph[1:] if is_to_copy else _laid_out(paragraph), soft_wrap=is_to_copy)
    # Wrapping may bring text of a server to the start of a line, where "::" is a command to GitHub.
    text = "\n".join(map(str.rstrip, output.getvalue().splitlines()))
    return re.sub(r"(?m)^([ ]*)::", r"\1: :", re.sub(r"\n{3,}", "\n\n", text).strip("\n"))


def _laid_out(paragraph: Text) -> RenderableType:
    """A paragraph wrapped under its own text; what stands behind a tab goes to the right."""
    if "\t" in paragraph.plain:
        head = Table.grid(expand=True, padding=(0, 2, 0, 0))
        head.add_column(no_wrap=True)
        head.add_column(ratio=1, justify="right")
        head.add_row(*paragraph.split("\t"))
        return head
    begin = _LABEL.match(paragraph.plain)
    if begin is None:
        return paragraph
    grid = Table.grid()
    grid.add_column(width=begin.end())
    grid.add_column(overflow="fold")
    grid.add_row(paragraph[: begin.end()], paragraph[begin.end() :])
    return grid


def _matrix(shown: View) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("")
    for column in shown.columns:
        table.add_column(column, justify="right")
    for name, _, counts in shown.groups:
        cells = [Text(str(counts[outcome] or ""), _STYLES[outcome]) for outcome in shown.columns]
        table.add_row(Text(_plain(name)), *cells)
    return table


def _telling(clause: dict[str, Any], message: dict[str, Any], side: str) -> list[list[str]]:
    """The headers of a message that matter for a violated clause, those that it names even if absent."""
    sentence, about = f"{clause['id']} {clause['text']}", clause["id"].partition(".")[0]
    if about == "transport":
        about = "request" if "equest" in sentence else "response"
    about = "response" if about in ("response", "error") else "request"
    named = [name for name in _NAMED if re.search(rf"(?i)(?<![\w-]){name}(?![\w-])", sentence)]
    named = named if side == about else []
    wanted = {name.lower() for name in named} | (_TELLING if side == "response" else set())
    found = [header for header in message["headers"] if header[0].lower() in wanted]
    there = {name.lower() for name, _ in found}
    return found + [[name, "absent"] for name in named if name.lower() not in there]


def _themes(names: list[str]) -> str:
    """How many clauses there are of each theme."""
    themes = Counter(name.partition(".")[0] for name in names)
    return ", ".join(f"{theme} ({count})" for theme, count in themes.most_common())


def _short(entry: dict[str, Any]) -> str:
    """A finding in a line."""
    text = f"expected {shorten(entry['expected'], 500)}; got {shorten(entry['actual'], 500)}"
    return _plain(view.spaces(f"{entry['id']}{entry['mark']}: {text} ({view.times(entry['count'])})"))


def _styled(text: str, style: str) -> Markup:
    return Markup(Style.parse(style).render(_plain(text), color_system=ColorSystem.STANDARD))


def _plain(text: str) -> str:
    """One line that neither a terminal nor a CI system takes for a command."""
    return visible(text).replace("##[", "#\\x23[")
