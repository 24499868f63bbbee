"""All mutants, all lawful variants, pairs of both, and faults that nobody can tell from a lawful server."""

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from importlib import import_module
from itertools import groupby
from pathlib import Path

from .kit import Mutant


def _of(modules: str) -> tuple[Mutant, ...]:
    """The mutants of these modules, in this order."""
    found = (import_module(f"{__package__}.{name}") for name in modules.split())
    return tuple(mutant for module in found for mutant in module.THEME.mutants)


#: Every mutant, in a stable order.
MUTANTS = _of(
    "uris names bodies members lookup errors signatures credentials access throttling precedence state stale"
    " concurrency transport connections habits sdks escaped unnoticed official"
)

#: Servers that differ from the base only where the contract leaves the choice: none of them may fail.
LAWFUL = _of("lawful_forms lawful_choices lawful_targets lawful_alarms lawful_smithy")

_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
#: Broken servers that nobody outside can tell from a lawful one, each with the reason.
UNCATCHABLE: dict[str, str] = _DATA["uncatchable"]

#: Kinds of habits, with patterns of the mutants whose fault shows together with these, and does not.
KINDS = [
    (kind["habits"].split(), kind["faults"].split(), kind["hidden"].replace("bare", _DATA["bare"]).split())
    for kind in _DATA["pairs"]
]


def _fits(mutant: Mutant, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(mutant.name, pattern) for pattern in patterns)


def pairs() -> list[Mutant]:
    """One mutant of each theme under each lawful habit, the mutants spread evenly over the theme.

    What is wrong with such a server must be seen through its habit.
    """
    lawful = {variant.name: variant for variant in LAWFUL}
    # What does not say "100 Continue" differs in no answer.
    able = [mutant for mutant in MUTANTS if mutant.continues and not mutant.needs]
    found = []
    for habits, faults, hidden in KINDS:
        shown = [mutant for mutant in able if _fits(mutant, faults) and not _fits(mutant, hidden)]
        for index, name in enumerate(habits):
            habit = lawful[f"lawful-{name}"]
            for mutant in sample(shown, len(habits))[index :: len(habits)]:
                paired = f"{mutant.name} + {habit.name}"
                found.append(replace(mutant, name=paired, habit=habit.handler))
    return found


def sample(mutants: Sequence[Mutant], each: int = 1) -> list[Mutant]:
    """A fixed choice: some of every theme, whose mutants stand together, spread evenly over it."""
    themes = [list(members) for _, members in groupby(mutants, lambda mutant: mutant.theme)]
    return [
        members[(2 * index + 1) * len(members) // (2 * each)] for members in themes for index in range(each)
    ]
