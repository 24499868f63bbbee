"""Servers that differ from the base only where the contract leaves the choice: none of them may fail."""

from __future__ import annotations

from . import lawful_alarms, lawful_choices, lawful_forms, lawful_smithy, lawful_targets
from .kit import Mutant
from .lawful_kit import STOCK

__all__ = ["LAWFUL", "STOCK"]

#: Every lawful variant, in a stable order.
LAWFUL: tuple[Mutant, ...] = (
    *lawful_forms.THEME.mutants,
    *lawful_choices.THEME.mutants,
    *lawful_targets.THEME.mutants,
    *lawful_alarms.THEME.mutants,
    *lawful_smithy.THEME.mutants,
)
