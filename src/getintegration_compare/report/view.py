"""A comparison as people read it: its sentences, and both answers side by side."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from getintegration_contract.report.view import many, status_line, times

_SIDES = ("reference", "candidate")


@dataclass(frozen=True)
class View:
    """What every rendering of a report shows; sentences are without a full stop."""

    report: dict[str, Any]

    @property
    def title(self) -> str:
        """Which endpoints were compared, and which is which."""
        one, other = (self.report[side] for side in _SIDES)
        if self.report["mode"] == "drift":
            days = f"{one['date'][:10]} (reference) to {other['date'][:10]} (candidate)"
            return f"drift of {one['where']} from {days}"
        return f"candidate {other['where']} compared with reference {one['where']}"

    @property
    def headline(self) -> str:
        """How many answers differ openly."""
        divergence = self.report["divergence"]
        compared, count = f"{divergence['compared']:,} compared answers", divergence["unaccepted"]
        if not divergence["compared"]:
            return "nothing could be compared"
        parts = [f"no open difference in {compared}"]
        if count:
            parts = [f"open differences in {count:,} of {compared} ({_per_cent(divergence['open_share'])})"]
        if settled := divergence["different"] - count:
            contradicted = any(group["contradicted"] for group in self.report["differences"])
            ways = "where that is accepted or the contract is wrong" if contradicted else "in accepted ways"
            parts.append(f"{settled:,} {'more differ' if count else 'differ'} only {ways}")
        if self.report["complaints"]:
            parts.append(many(len(self.report["complaints"]), "complaint"))
        return "; ".join(parts)

    @property
    def coverage(self) -> str:
        """How much was compared."""
        found = self.report["coverage"]
        count = f"{found['compared']:,} of {found['requests']:,} requests were compared"
        return f"coverage {_per_cent(found['share'])}: {count}"

    @property
    def not_compared(self) -> dict[str, dict[str, int]]:
        """Requests that were not compared: by where they stand, how many for which reason."""
        found = self.report["coverage"]
        return {"not compared": found["not_compared"], "only in the candidate": found["only_candidate"]}

    @property
    def remarks(self) -> list[str]:
        """What a reader must know beside the figures."""
        report = self.report
        left_out = [step["name"] for step in report["normalisations"] if not step["applied"]]
        lines = [*report["stale"], *report["complaints"]]
        lines += [f"normalisation left out: {name}" for name in left_out]
        lines += [
            f"the recording of the {side} is incomplete: its run was interrupted"
            for side in _SIDES
            if not report[side]["complete"]
        ]
        lines += [
            f"{entry['clause']} is contradicted by evidence: due was {entry['expected']},"
            f" AWS answered {entry['actual']} ({times(entry['count'])})"
            for entry in report["contradicted"]
        ]
        if report["promotable"]:
            names = ", ".join(report["promotable"])
            lines.append(f"confirmed by this recording of AWS, so --promote can raise: {names}")
        return lines

    @property
    def facets(self) -> dict[str, list[str]]:
        """What differences can be filtered by."""
        groups = self.report["differences"]
        return {
            "state": list(dict.fromkeys(map(self.state, groups))),
            "kind": list(dict.fromkeys(group["kind"] for group in groups)),
        }

    def state(self, group: dict[str, Any]) -> str:
        """How a group of differences stands: open, accepted, or contradicted."""
        return "open" if group["open"] else "accepted" if group["accepted"] else "contradicted"

    def standing(self, group: dict[str, Any]) -> str:
        """How a group of differences stands, and whether a repeat confirms it."""
        words = self.state(group)
        if words == "accepted":
            words += f" until {group['accepted']['expires']}"
        elif words == "contradicted":
            words = "contract contradicted by evidence"
        if group["confirmed"] is None:
            return words
        return f"{words}, {'' if group['confirmed'] else 'not '}confirmed by a repeat"

    def rows(self, example: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Two answers line by line, headers and members of the same name beside each other."""
        one, other = (list(_lines(example[side]["response"])) for side in _SIDES)
        names = [[line.partition(": ")[0].lower() for line in side] for side in (one, other)]
        matched = SequenceMatcher(None, names[0], names[1], autojunk=False)
        for _, first, last, start, end in matched.get_opcodes():
            yield from zip_longest(one[first:last], other[start:end], fillvalue="")


def _per_cent(share: float) -> str:
    """A share in per cent that says 0 or 100 only where that is exact."""
    text = f"{share * 100:.1f}"
    if text in ("0.0", "100.0") and share not in (0.0, 1.0):
        text = "less than 0.1" if share < 0.5 else "more than 99.9"
    return f"{text} %"


def _lines(response: dict[str, Any]) -> Iterator[str]:
    """Status, headers by name, body; of JSON, members by name, without the commas between them."""
    yield status_line(response)
    yield from sorted((f"{name}: {value}" for name, value in response["headers"]), key=str.lower)
    yield ""
    try:
        body = json.dumps(json.loads(response["body"]), indent=2, sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        yield from response["body"].splitlines()
    else:
        yield from (line.removesuffix(",") for line in body.splitlines())
