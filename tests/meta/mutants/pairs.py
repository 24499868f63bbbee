"""Pairs: broken servers that have a lawful habit, too; what is wrong with them must be seen through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .catalogue import MUTANTS
from .kit import Mutant
from .lawful import LAWFUL

#: Lawful variants that change every answer, those that hold an integration, and errors. Lone surrogates are
#: not among them: a mutant that writes the document again does not escape them.
_OF_ALL = (
    *("form.chunked", "form.http-1.0", "form.closed", "form.connection-close", "alarm.gzip-unasked"),
    *("form.keys-reversed", "form.indented", "form.escaped"),
    *("form.extra-headers", "form.headers-lower-case", "form.headers-upper-case", "form.date-absent"),
    *("form.content-type-amz-json-1.1", "form.reason-odd", "choice.all-1", "smithy.rust", "smithy.java"),
)
_OF_INTEGRATIONS = (
    *("form.nulls", "form.unknown-members", "form.empty-collections", "form.whole-seconds"),
    "form.exponents",
)
_OF_ERRORS = (
    *("form.type-with-both", "form.type-as-__type-with-prefix", "form.type-as-code"),
    *("form.message-lower-case", "form.message-absent"),
)
_HABITS = tuple(f"lawful-{name}" for name in (*_OF_ALL, *_OF_INTEGRATIONS, *_OF_ERRORS))

#: Habits and mutants, of each the beginning of the name, that cannot show together, by reason.
_APART: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "The fault is in errors, which hold no integration.": (
        _OF_INTEGRATIONS,
        ("uri.", "name.", "body.", "error.", "precedence."),
    ),
    "The fault is in an integration, which has neither type nor message.": (
        _OF_ERRORS,
        ("member.", "state.", "stale.", "signature.", "precedence."),
    ),
    "No connection carries a second request.": (
        ("form.http-1.0", "form.closed", "form.connection-close"),
        ("connection.",),
    ),
    "botocore does not read it, so that what it makes of answers is not exercised.": (
        ("alarm.gzip-unasked",),
        ("sdk.",),
    ),
    "What has no body is not compressed.": (
        ("alarm.gzip-unasked",),
        ("access.unauthorized-204", "access.other-account-204"),
    ),
    "The habit rejects the media type before the fault can show.": (
        ("smithy.",),
        ("body.content-type-", "official.accept-"),
    ),
}


def _apart(mutant: Mutant, habit: Mutant) -> bool:
    name = habit.name.removeprefix("lawful-")
    return any(
        name.startswith(habits) and mutant.name.startswith(mutants) for habits, mutants in _APART.values()
    )


def pairs() -> list[Mutant]:
    """One mutant of each theme under each habit, the mutants spread evenly over the theme."""
    lawful = {variant.name: variant for variant in LAWFUL}
    found = []
    for index, name in enumerate(_HABITS):
        habit = lawful[name]
        # What does not say "100 Continue" differs in no answer, so that no habit shows with it.
        able = (mutant for mutant in MUTANTS if mutant.continues and not mutant.needs)
        fitting = [mutant for mutant in able if not _apart(mutant, habit)]
        for members in by_theme(fitting):
            mutant = members[(2 * index + 1) * len(members) // (2 * len(_HABITS))]
            found.append(replace(mutant, name=f"{mutant.name} + {name}", habit=habit.build()))
    return found


def by_theme(mutants: Sequence[Mutant]) -> list[list[Mutant]]:
    """The mutants of each theme."""
    themes: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        themes.setdefault(mutant.theme, []).append(mutant)
    return list(themes.values())


def sample(mutants: Sequence[Mutant], each: int = 1) -> list[Mutant]:
    """A fixed choice: some of every theme, spread evenly over it."""
    return [
        members[(2 * index + 1) * len(members) // (2 * each)]
        for members in by_theme(mutants)
        for index in range(each)
    ]
