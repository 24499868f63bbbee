"""The requirement document: every clause of the contract, and how contradictions were decided."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from getintegration_contract.report.markdown import render

if TYPE_CHECKING:
    from getintegration_contract.clause import Clause
    from getintegration_contract.contract import Contract

_WIDTH = 100


def clauses(contract: Contract, form: str) -> str:
    """The requirement document, as ``text``, ``markdown`` or ``json``."""
    return {"text": _text, "markdown": _markdown, "json": _json}[form](contract)


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
    parts = []
    for key in ("level", "provenance"):
        counted = Counter(getattr(clause, key) for clause in contract.clauses.values())
        parts.append(", ".join(f"{count} {name}" for name, count in counted.most_common()))
    return f"{len(contract.clauses)} clauses: {'; '.join(parts)}."


def _text(contract: Contract) -> str:
    lines = [_counts(contract)]
    for group, found in _groups(contract).items():
        lines += ["", group]
        for clause in found:
            needs = f"; only if {clause.capability} is claimed" if clause.capability else ""
            lines.append(f"  {clause.id}")
            wrapped = textwrap.wrap(clause.text, _WIDTH - 6, break_on_hyphens=False)
            lines += [f"      {line}" for line in wrapped]
            lines.append(f"      ({clause.provenance}: {clause.source}{needs})")
    return "\n".join(lines) + "\n"


def _markdown(contract: Contract) -> str:
    return render(
        "clauses.md",
        title=contract.document["info"]["title"],
        counts=_counts(contract),
        groups=_groups(contract),
        rulings=list(rulings(contract.document)),
    )


def _json(contract: Contract) -> str:
    document = {
        "title": contract.document["info"]["title"],
        "version": contract.document["info"]["version"],
        "clauses": [{**asdict(clause), "gating": clause.gates()} for clause in contract.clauses.values()],
        "rulings": [{"place": place, "text": ruling} for place, ruling in rulings(contract.document)],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
