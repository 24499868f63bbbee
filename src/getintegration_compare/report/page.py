"""compare.html: the comparison as one page that needs nothing else, with the templates of report.html."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from getintegration_compare.report import text
from getintegration_contract.report import html as pages
from getintegration_contract.report import view

#: Differences that are shown with their exchanges; of further ones, compare.json has them.
_WITH_EXCHANGES = 200


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


def rows(example: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Two answers line by line, headers and members of the same name beside each other."""
    one, other = (list(_lines(example[side]["response"])) for side in ("reference", "candidate"))
    names = [[line.partition(": ")[0].lower() for line in side] for side in (one, other)]
    matched = SequenceMatcher(None, names[0], names[1], autojunk=False)
    for _, first, last, start, end in matched.get_opcodes():
        yield from zip_longest(one[first:last], other[start:end], fillvalue="")


def _lines(response: dict[str, Any]) -> Iterator[str]:
    """Status, headers by name, body; of JSON, members by name, without the commas between them."""
    yield view.status_line(response)
    yield from sorted((f"{name}: {value}" for name, value in response["headers"]), key=str.lower)
    yield ""
    try:
        body = json.dumps(json.loads(response["body"]), indent=2, sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        yield from response["body"].splitlines()
    else:
        yield from (line.removesuffix(",") for line in body.splitlines())
