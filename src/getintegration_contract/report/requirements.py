"""The requirement document: every clause of the contract, and how contradictions were decided."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from getintegration_contract.contract import Contract
from getintegration_contract.report import engine, files, view


def clauses(contract: Contract, form: str) -> str:
    """The requirement document, as ``text``, ``markdown`` or ``json``."""
    about, listed = contract.document["info"], list(contract.clauses.values())
    rulings = list(_rulings(contract.document))
    if form == "json":
        document = {
            "title": about["title"],
            "version": about["version"],
            "clauses": [{**asdict(clause), "gating": clause.gates()} for clause in listed],
            "rulings": [{"place": place, "text": ruling} for place, ruling in rulings],
        }
        return files.to_json(document)
    counted = (Counter(getattr(clause, key) for clause in listed) for key in ("level", "provenance"))
    parts = [", ".join(f"{count} {name}" for name, count in each.most_common()) for each in counted]
    shown: dict[str, Any] = {
        "counts": f"{len(listed)} clauses: {'; '.join(parts)}.",
        "groups": view.by(map(asdict, listed), "group"),
    }
    if form == "markdown":
        return engine.render("clauses.md", engine.inline, title=about["title"], rulings=rulings, **shown)
    return engine.render("clauses.txt", str, **shown)


def _rulings(document: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Where the sources contradict each other and how the description decides it: place, ruling."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "x-ruling":
                yield " / ".join(place), value
            else:
                yield from _rulings(value, (*place, str(key)))
    elif isinstance(document, list):
        for value in document:
            name = value.get("name", value.get("group", "")) if isinstance(value, dict) else ""
            yield from _rulings(value, (*place, name) if name else place)
