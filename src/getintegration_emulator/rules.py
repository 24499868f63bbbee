"""The request rules of a shape of the service model: one small class for each kind of shape.

A value of the wrong JSON type ends the reading at once, with 400 SerializationException, as a
deserialiser would. A broken constraint (required, min, max, pattern, enum) is noted, and the rest
is read on, so that one 400 BadRequestException can name them all.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from .errors import serialization

Bound = int | float


class Rule(Protocol):
    """What a member must be."""

    def check(self, value: Any, where: str, problems: list[str]) -> Any:
        """Return the value as it is to be kept: members that the model does not know left out.

        ``where`` names the member for people. Each broken constraint is added to ``problems``.
        Raises :class:`ApiError` (400 SerializationException) for a value of the wrong type.
        """

    def from_text(self, text: str, where: str) -> Any:
        """Read the value from a query string. Raises like :meth:`check`."""


def _note(problems: list[str], where: str, constraint: str) -> None:
    problems.append(f"Value at '{where}' failed to satisfy constraint: Member must {constraint}")


def _wrong_type(where: str, wanted: str) -> Exception:
    return serialization(f"The value at '{where}' must be {wanted}.")


@dataclass(frozen=True, slots=True)
class Range:
    """The ``min`` and ``max`` of a shape; what they measure is said by ``noun``."""

    noun: str
    least: Bound = -math.inf
    most: Bound = math.inf

    def check(self, measure: Bound, where: str, problems: list[str]) -> None:
        """Note it if ``measure`` is not within the range."""
        if measure < self.least:
            _note(problems, where, f"have {self.noun} greater than or equal to {self.least}")
        elif measure > self.most:
            _note(problems, where, f"have {self.noun} less than or equal to {self.most}")


class _BodyOnly:
    """A kind of shape that a query string cannot carry."""

    def from_text(self, text: str, where: str) -> Any:
        raise _wrong_type(where, "in the body")


@dataclass(frozen=True, slots=True)
class StringRule:
    """A string. Its length counts Unicode code points (restJson1)."""

    length: Range
    pattern: re.Pattern[str] | None
    source: str | None
    enum: frozenset[str] | None

    def check(self, value: Any, where: str, problems: list[str]) -> str:
        if not isinstance(value, str):
            raise _wrong_type(where, "a string")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise _wrong_type(where, "Unicode text without lone surrogates")
        size = len(value)
        if self.length.least <= size <= self.length.most:
            if self.pattern is not None and not self.pattern.search(value):
                _note(problems, where, f"satisfy regular expression pattern: {self.source}")
            if self.enum is not None and value not in self.enum:
                _note(problems, where, f"satisfy enum value set: {sorted(self.enum)}")
        else:
            self.length.check(size, where, problems)
        return value

    def from_text(self, text: str, where: str) -> str:
        return text


@dataclass(frozen=True, slots=True)
class IntegerRule:
    """A whole number of ``bits`` bits; 3.0 is one, as it is in JSON Schema."""

    limits: Range
    bits: int

    def check(self, value: Any, where: str, problems: list[str]) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong_type(where, "an integer")
        if not -(1 << self.bits - 1) <= value < 1 << self.bits - 1:
            raise _wrong_type(where, f"an integer of {self.bits} bits")
        self.limits.check(value, where, problems)
        return value

    def from_text(self, text: str, where: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,20}", text):
            raise _wrong_type(where, "an integer")
        return int(text)


@dataclass(frozen=True, slots=True)
class NumberRule:
    """A floating-point number, or a time as epoch seconds (the protocol's default in bodies)."""

    limits: Range

    def check(self, value: Any, where: str, problems: list[str]) -> Bound:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise _wrong_type(where, "a number")
        if not math.isfinite(value) if isinstance(value, float) else abs(value) > 1 << 1000:
            raise _wrong_type(where, "a number within range")
        self.limits.check(value, where, problems)
        return value

    def from_text(self, text: str, where: str) -> float:
        try:
            return float(text)
        except ValueError as error:
            raise _wrong_type(where, "a number") from error


@dataclass(frozen=True, slots=True)
class BooleanRule:
    """``true`` or ``false``."""

    def check(self, value: Any, where: str, problems: list[str]) -> bool:
        if not isinstance(value, bool):
            raise _wrong_type(where, "a boolean")
        return value

    def from_text(self, text: str, where: str) -> bool:
        if text not in ("true", "false"):
            raise _wrong_type(where, "a boolean")
        return text == "true"


@dataclass(frozen=True, slots=True)
class ListRule(_BodyOnly):
    """A list; null is no item (restJson1: lists are dense)."""

    size: Range
    item: Rule

    def check(self, value: Any, where: str, problems: list[str]) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong_type(where, "a list")
        self.size.check(len(value), where, problems)
        return [self.item.check(item, f"{where}[{index}]", problems) for index, item in enumerate(value)]


@dataclass(frozen=True, slots=True)
class MapRule(_BodyOnly):
    """A map from strings; null is no value (restJson1: maps are dense)."""

    size: Range
    key: Rule
    value: Rule

    def check(self, value: Any, where: str, problems: list[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong_type(where, "an object")
        self.size.check(len(value), where, problems)
        return {
            self.key.check(key, f"{where}.key", problems): self.value.check(item, f"{where}.value", problems)
            for key, item in value.items()
        }


@dataclass(frozen=True, slots=True)
class StructureRule(_BodyOnly):
    """An object with known members; an unknown one is ignored, and null means absent."""

    members: dict[str, Rule] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    def check(self, value: Any, where: str, problems: list[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong_type(where, "an object")
        prefix = f"{where}." if where else ""
        kept: dict[str, Any] = {}
        for name, rule in self.members.items():
            item = value.get(name)
            if item is not None:
                kept[name] = rule.check(item, prefix + name, problems)
        for name in self.required:
            if name not in kept:
                _note(problems, prefix + name, "not be null")
        return kept
