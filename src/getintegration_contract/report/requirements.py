"""The requirement document: every clause of the contract, and how contradictions were decided."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from getintegration_contract.report.markdown import cell, code, inline

if TYPE_CHECKING:
    from getintegration_contract.contract import Clause, Contract

_WIDTH = 100


def clauses(contract: Contract, form: str) -> str:
    """The requirement document.

    Args:
        contract: The contract.
        form: ``text``, ``markdown`` or ``json``.

    Raises:
        ValueError: There is no such form.
    """
    forms = {"text": _text, "markdown": _markdown, "json": _json}
    if form not in forms:
        raise ValueError(f"clauses come as {', '.join(forms)}, not as {form}")
    return forms[form](contract)


def rulings(document: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Where the sources contradict each other and how the description decides it: place, ruling."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "x-ruling":
                yield " / ".join(place), value
            else:
                yield from rulings(value, (*place, str(key)))
    elif isinstance(document, list):
        for value in document:
            name = value.get("name", value.get("group", "")) if isinstance(value, dict) else ""
            yield from rulings(value, (*place, name) if name else place)


def _groups(contract: Contract) -> dict[str, list[Clause]]:
    groups: dict[str, list[Clause]] = {}
    for clause in contract.clauses.values():
        groups.setdefault(clause.group, []).append(clause)
    return groups


def _counts(contract: Contract) -> str:
    found = contract.clauses.values()
    by_level = Counter(clause.level for clause in found)
    by_provenance = Counter(clause.provenance for clause in found)
    levels = ", ".join(f"{count} {level}" for level, count in by_level.most_common())
    provenances = ", ".join(f"{count} {provenance}" for provenance, count in by_provenance.most_common())
    return f"{len(contract.clauses)} clauses: {levels}; {provenances}."


def _text(contract: Contract) -> str:
    lines = [_counts(contract)]
    for group, found in _groups(contract).items():
        lines += ["", group]
        for clause in found:
            needs = f"; only if {clause.claim} is claimed" if clause.claim else ""
            lines.append(f"  {clause.id}")
            lines += textwrap.wrap(
                clause.text, _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6, break_on_hyphens=False
            )
            lines.append(f"      ({clause.provenance}: {clause.source}{needs})")
    return "\n".join(lines) + "\n"


def _markdown(contract: Contract) -> str:
    info = contract.document["info"]
    lines = [
        f"# {inline(info['title'])}: the clauses",
        "",
        f"{_counts(contract)} Provenance says what a violation means: one of a doc, model or protocol clause",
        "fails a target (SHOULD clauses only with `--fail-on-should`); observed and inferred ones are "
        "reported.",
    ]
    for group, found in _groups(contract).items():
        lines += ["", f"## {inline(group)}", "", "| clause | | provenance | applies |", "|---|---|---|---|"]
        for clause in found:
            needs = f"if {cell(clause.claim)} is claimed" if clause.claim else "always"
            origin = f"{clause.provenance}: {inline(clause.source)}"
            lines.append(f"| {cell(clause.id)} | {inline(clause.text)} | {origin} | {needs} |")
    decided = list(rulings(contract.document))
    if decided:
        lines += [
            "",
            "## Rulings",
            "",
            "Where the sources contradict each other or leave something open.",
            "",
        ]
        lines += [f"- {code(_short(place))}: {inline(ruling)}" for place, ruling in decided]
    return "\n".join(lines) + "\n"


def _short(place: str) -> str:
    """The last steps of a place, which name it."""
    return " / ".join(place.split(" / ")[-2:])


def _json(contract: Contract) -> str:
    document = {
        "title": contract.document["info"]["title"],
        "version": contract.document["info"]["version"],
        "clauses": [
            {
                "id": clause.id,
                "group": clause.group,
                "level": clause.level,
                "text": clause.text,
                "provenance": clause.provenance,
                "source": clause.source,
                "claim": clause.claim,
                "gating": clause.gates(),
            }
            for clause in contract.clauses.values()
        ],
        "rulings": [{"place": place, "text": ruling} for place, ruling in rulings(contract.document)],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
