"""A comparison in words, and for a terminal."""

from __future__ import annotations

from typing import Any

from getintegration_contract.report import view
from getintegration_contract.text import visible

_ROWS = 40
_SIDES = ("reference", "candidate")


def title(report: dict[str, Any]) -> str:
    """Which endpoints were compared, and which is which."""
    one, other = report["reference"], report["candidate"]
    if report["mode"] == "drift":
        return (
            f"drift of {one['where']} from {one['date'][:10]} (reference) to {other['date'][:10]} (candidate)"
        )
    return f"candidate {other['where']} compared with reference {one['where']}"


def headline(report: dict[str, Any]) -> str:
    """How many answers differ openly, as a sentence without a full stop."""
    divergence = report["divergence"]
    compared, count = f"{divergence['compared']:,} compared answers", divergence["unaccepted"]
    if not divergence["compared"]:
        return "nothing could be compared"
    parts = [f"no open difference in {compared}"]
    if count:
        parts = [f"open differences in {count:,} of {compared} ({_per_cent(divergence['open_share'])})"]
    if settled := divergence["different"] - count:
        contradicted = any(group["contradicted"] for group in report["differences"])
        ways = "where that is accepted or the contract is wrong" if contradicted else "in accepted ways"
        parts.append(f"{settled:,} {'more differ' if count else 'differ'} only {ways}")
    if report["complaints"]:
        parts.append(view.many(len(report["complaints"]), "complaint"))
    return "; ".join(parts)


def coverage(report: dict[str, Any]) -> str:
    """How much was compared, as a sentence without a full stop."""
    found = report["coverage"]
    return (
        f"coverage {_per_cent(found['share'])}: {found['compared']:,} of {found['requests']:,}"
        " requests were compared"
    )


def _per_cent(share: float) -> str:
    """A share in per cent that says 0 or 100 only where that is exact."""
    text = f"{share * 100:.1f}"
    if text in ("0.0", "100.0") and share not in (0.0, 1.0):
        text = "less than 0.1" if share < 0.5 else "more than 99.9"
    return f"{text} %"


def remarks(report: dict[str, Any]) -> list[str]:
    """What a reader must know beside the figures."""
    lines = [*report["stale"], *report["complaints"]]
    lines += [
        f"normalisation left out: {step['name']}" for step in report["normalisations"] if not step["applied"]
    ]
    lines += [
        f"the recording of the {side} is incomplete: its run was interrupted"
        for side in _SIDES
        if not report[side]["complete"]
    ]
    lines += [
        f"{entry['clause']} is contradicted by evidence: due was {entry['expected']},"
        f" AWS answered {entry['actual']} ({view.times(entry['count'])})"
        for entry in report["contradicted"]
    ]
    if report["promotable"]:
        names = ", ".join(report["promotable"])
        lines.append(f"confirmed by this recording of AWS, so --promote can raise: {names}")
    return lines


def state(group: dict[str, Any]) -> str:
    """How a group of differences stands: open, accepted, or contradicted."""
    return "open" if group["open"] else "accepted" if group["accepted"] else "contradicted"


def standing(group: dict[str, Any]) -> str:
    """How a group of differences stands, and whether a repeat confirms it."""
    words = state(group)
    if words == "accepted":
        words += f" until {group['accepted']['expires']}"
    elif words == "contradicted":
        words = "contract contradicted by evidence"
    if group["confirmed"] is None:
        return words
    return f"{words}, {'' if group['confirmed'] else 'not '}confirmed by a repeat"


def terminal(report: dict[str, Any]) -> str:
    """The comparison for a terminal; its patterns can be pasted into a file of waivers."""
    lines = [title(report), f"{view.word(report)}  {headline(report)}", coverage(report)]
    for name, reasons in (("not compared", "not_compared"), ("only in the candidate", "only_candidate")):
        lines += [f"  {name}: {count:,}, {why}" for why, count in report["coverage"][reasons].items()]
    lines += [f"note: {line}" for line in remarks(report)]
    groups = report["differences"][:_ROWS]
    for heading, wanted in (("open (patterns for --accept):", True), ("not open:", False)):
        rows = [_row(group) for group in groups if group["open"] is wanted]
        lines += [heading, *rows] if rows else []
    if len(report["differences"]) > _ROWS:
        lines.append(f"{len(report['differences']) - _ROWS} more kinds of differences are in the reports")
    return "\n".join(map(visible, lines))


def _row(group: dict[str, Any]) -> str:
    first, *more = group["clauses"] or ["no clause"]
    clauses = first + (f" and {view.many(len(more), 'more clause')}" if more else "")
    sides = ", ".join(f"{side} {group[side]}" for side in _SIDES)
    return f"{group['count']:>6,} x {group['pattern']}   {sides} ({standing(group)}) [{clauses}]"
