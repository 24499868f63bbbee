"""A clause: one checkable statement of the contract, and how one that follows from a schema is checked."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Any

from getintegration_contract.text import shown

#: The provenance of what a recording of AWS upheld.
RECORDED = "recorded"

#: Provenances that can fail a target; statements of any other provenance are only reported.
GATING_PROVENANCES = frozenset({"doc", "model", "protocol", "target", RECORDED})

#: How binding a clause is; its sentence says the same.
LEVELS = ("MUST", "SHOULD")

#: Steps of a location that stand for all keys, values or items of a container.
KEYS, VALUES, ITEMS = "keys", "values", "items"

#: Keywords that clauses follow from, each with the types of JSON that it says something about.
KEYWORDS: dict[str, tuple[type, ...]] = {
    "type": (object,),
    "enum": (object,),
    "minLength": (str,),
    "maxLength": (str,),
    "pattern": (str,),
    "minItems": (list,),
    "maxItems": (list,),
    "minProperties": (dict,),
    "maxProperties": (dict,),
    "minimum": (int, float),
    "maximum": (int, float),
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One checkable statement of the contract."""

    id: str
    text: str
    provenance: str
    source: str
    group: str
    #: What a target has to claim for the clause to apply, e.g. ``signatures``; None applies to all.
    capability: str | None = None
    level: str = "MUST"

    def is_claimed(self, capabilities: Container[str]) -> bool:
        """Whether the clause applies to a target with these capabilities."""
        return self.capability is None or self.capability in capabilities

    def gates(self, strict: bool = False) -> bool:
        """Whether a violation fails a target."""
        return self.provenance in GATING_PROVENANCES and (self.level == "MUST" or strict)


@dataclass(frozen=True, slots=True)
class SchemaClause:
    """A clause that follows from one keyword of a schema, with what is needed to check a value."""

    clause: Clause
    location: tuple[str, ...]
    keyword: str
    value: Any
    _is_valid: Callable[[Any], bool]

    def observations(self, document: Any) -> Iterator[Any]:
        """The values in ``document`` that could violate the clause; none if it carries no such value."""
        if self.keyword == "required":
            for parent in _select(document, self.location):
                if isinstance(parent, dict):
                    yield parent.get(self.value)
            return
        for value in _select(document, self.location):
            # A null member is an absent one, which only ``required`` can forbid.
            absent = value is None and self.location and self.location[-1] not in (KEYS, VALUES, ITEMS)
            if not absent and _applies(self.keyword, value):
                yield value

    def holds(self, value: Any) -> bool:
        """Whether one observed value keeps the clause."""
        try:
            return self._is_valid(value)
        except UnicodeEncodeError:  # a lone surrogate, which JSON can hold and the validator cannot
            return self._is_valid(value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    def actual(self, document: Any, value: Any) -> str:
        """What came, for a finding; for an absent member, also a similar name that is there."""
        if self.keyword != "required" or not isinstance(document, dict):
            return "null" if value is None else shown(value)
        found = "null" if self.value in document else "absent"
        near = [name for name in document if name.replace("_", "").lower() == self.value.lower()]
        return found + (f" (there is `{near[0]}`)" if near and near[0] != self.value else "")

    @property
    def expected(self) -> str:
        """What was due, for a finding."""
        if self.keyword == "required":
            return f"{self.value} present and not null"
        choices = self.value if isinstance(self.value, list) else [self.value]
        value = " or ".join(str(choice) for choice in choices if choice is not None)
        return f"{'.'.join(self.location) or 'body'}: {self.keyword} {value}"


def _applies(keyword: str, value: Any) -> bool:
    """Whether a keyword says anything about a value of this type."""
    numeric = KEYWORDS[keyword] == (int, float)
    return isinstance(value, KEYWORDS[keyword]) and not (numeric and isinstance(value, bool))


def _select(document: Any, location: tuple[str, ...]) -> Iterator[Any]:
    """The values at a location; absent members give nothing."""
    if not location:
        yield document
        return
    step, rest = location[0], location[1:]
    if step in (KEYS, VALUES):
        if isinstance(document, dict):
            for value in document.keys() if step == KEYS else document.values():
                yield from _select(value, rest)
    elif step == ITEMS:
        if isinstance(document, list):
            for value in document:
                yield from _select(value, rest)
    elif isinstance(document, dict) and step in document:
        yield from _select(document[step], rest)
