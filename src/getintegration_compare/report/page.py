"""compare.html: the comparison as one page that needs nothing else, with the templates of report.html."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, NamedTuple

from getintegration_compare.report import text
from getintegration_contract.report import html as pages
from getintegration_contract.report import view

#: Differences that are shown with their exchanges; of further ones, compare.json has them.
_WITH_EXCHANGES = 200
_ABSENT = object()


class Row(NamedTuple):
    """A line of two answers side by side.

    Attributes:
        mark: ``here`` for the difference in question, ``differs`` for another, empty for none.
    """

    reference: str
    candidate: str
    mark: str


def html(report: dict[str, Any]) -> str:
    """The comparison as one page."""
    groups = report["differences"]
    return pages.render(
        "differences.html",
        script="filter.js",
        package="getintegration_compare.report",
        report=report,
        text=text,
        rows=rows,
        with_exchanges=_WITH_EXCHANGES,
        facets={
            "state": list(dict.fromkeys(map(text.state, groups))),
            "kind": list(dict.fromkeys(group["kind"] for group in groups)),
        },
    )


def rows(group: dict[str, Any], example: dict[str, Any]) -> Iterator[Row]:
    """Two answers side by side: status, headers, body, with what differs marked."""
    one, other = example["reference"]["response"], example["candidate"]["response"]
    here = {
        "header": f"header {group['where']}",
        "error type": "header x-amzn-errortype",
        "status": "status",
    }.get(group["kind"], group["where"])
    for place, left, right in (*_heads(one, other), ("", "", ""), *_bodies(one["body"], other["body"])):
        is_here = here and (place == here or place.startswith((f"{here}.", f"{here}[")))
        yield Row(left, right, "" if left == right else "here" if is_here else "differs")


def _heads(one: dict[str, Any], other: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    yield "status", view.status_line(one), view.status_line(other)
    named: dict[str, tuple[list[str], list[str]]] = {}
    for number, side in enumerate((one, other)):
        for name, value in side["headers"]:
            named.setdefault(name.lower(), ([], []))[number].append(f"{name}: {value}")
    for name, lines in sorted(named.items()):
        for left, right in zip_longest(*lines, fillvalue=""):
            yield f"header {name}", left, right


def _bodies(one: str, other: str) -> Iterator[tuple[str, str, str]]:
    try:
        yield from list(_values("", json.loads(one), json.loads(other)))
    except (ValueError, RecursionError):
        for left, right in zip_longest(one.splitlines(), other.splitlines(), fillvalue=""):
            yield "body", left, right


def _values(
    path: str, one: Any, other: Any, label: str = "", depth: int = 0
) -> Iterator[tuple[str, str, str]]:
    """Two JSON values line by line, members of the same name beside each other."""
    pad, kind = "  " * depth, type(one)
    if kind is type(other) and kind in (dict, list) and (one or other):
        opening, closing = "{}" if kind is dict else "[]"
        yield path, f"{pad}{label}{opening}", f"{pad}{label}{opening}"
        if kind is list:
            one, other = dict(enumerate(one)), dict(enumerate(other))
        for key in dict.fromkeys((*one, *other)):
            item = f"{path}[{key}]" if kind is list else f"{path}.{key}" if path else key
            name = "" if kind is list else f"{json.dumps(key, ensure_ascii=False)}: "
            yield from _values(item, one.get(key, _ABSENT), other.get(key, _ABSENT), name, depth + 1)
        yield path, pad + closing, pad + closing
    else:
        for left, right in zip_longest(_lines(one, pad, label), _lines(other, pad, label), fillvalue=""):
            yield path or "body", left, right


def _lines(value: Any, pad: str, label: str) -> list[str]:
    if value is _ABSENT:
        return []
    return [pad + line for line in (label + json.dumps(value, indent=2, ensure_ascii=False)).split("\n")]
