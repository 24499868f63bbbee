"""Pairs: broken servers that have a lawful habit, too; what is wrong with them must be seen through it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from .catalogue import LAWFUL, MUTANTS
from .kit import Mutant


@dataclass(frozen=True)
class Kind:
    """Habits that change the same answers, with patterns of the mutants whose fault shows in these."""

    habits: str
    faults: str = "*"
    hidden: str = ""

    def mutants(self) -> list[Mutant]:
        """The mutants whose fault shows together with these habits."""
        # What does not say "100 Continue" differs in no answer.
        able = (mutant for mutant in MUTANTS if mutant.continues and not mutant.needs)
        return [mutant for mutant in able if _fits(mutant, self.faults) and not _fits(mutant, self.hidden)]


def _fits(mutant: Mutant, patterns: str) -> bool:
    return any(fnmatchcase(mutant.name, pattern) for pattern in patterns.split())


#: The fault is no answer, an answer without a body, or something done besides answering.
_BARE = """
    *-204 *-redirected *-resets *-stalls *.resets *.drops-connections transport.closed-without-answer
    transport.garbage transport.half-a-head transport.head-only unnoticed.deletes-*
    concurrency.update-in-two-steps-*
"""
KINDS = (
    # Every answer. Lone surrogates are not among them: what writes the document again does not escape them.
    Kind(
        """
        form.chunked form.keys-reversed form.indented form.escaped form.extra-headers form.headers-lower-case
        form.headers-upper-case form.date-absent form.reason-odd form.content-type-amz-json-1.1 choice.all-1
        """,
        hidden=_BARE,
    ),
    # Every answer, on a connection that carries no second request.
    Kind("form.http-1.0 form.closed form.connection-close", hidden=_BARE + "connection.*"),
    # Every answer, which botocore then does not read.
    Kind("alarm.gzip-unasked", hidden=_BARE + "sdk.*"),
    # Every answer; a media type that is not JSON's is rejected before the fault can show.
    Kind("smithy.java", hidden=_BARE + "body.content-type-* official.accept-*"),
    # What holds an integration.
    Kind(
        "form.nulls form.unknown-members form.empty-collections form.whole-seconds form.exponents",
        """
        body.uri-from-*-key member.* lookup.echo-* lookup.found-* lookup.kept-* signature.*
        credential.*-minutes credential.*-hour credential.*-hours access.accounts-not-apart
        access.not-enforced access.wildcard throttling.never throttling.by-waiting state.EventTriggerNames-*
        state.ObjectTypeName-* stale.cached-* stale.deletion-* stale.overwrites-* concurrency.*-shared
        transport.content-length-*-short transport.folded-* transport.gzip-twice connection.*
        habit.member-missing-* sdk.boto3-gets-* escaped.uri-* escaped.host-unsigned unnoticed.uri-*
        unnoticed.updated-* official.query-signature-*
        """,
        hidden="connection.body-left-after-refusal connection.errors-again",
    ),
    # Errors.
    Kind(
        """
        form.type-with-both form.type-as-__type-with-prefix form.type-as-code form.message-lower-case
        form.message-absent smithy.rust
        """,
        """
        uri.* name.pattern-* name.invalid-answered-4* name.invalid-answered-5* name.*-rejected
        body.json-*-crashes lookup.missing-*-4* lookup.missing-*-50* error.*-as-4* error.*-named-*
        error.body-* error.content-type-* signature.path-not-covered credential.*-rejected access.*-401
        access.*-500 access.missing-*-for-* throttling.as-4* throttling.crashes-* throttling.without-type
        precedence.*-500 state.uri-with-*-lost stale.absence-remembered concurrency.not-found
        concurrency.update-with-a-gap transport.*-crashes transport.*-unimplemented connection.answers-*
        connection.errors-again connection.first-on-a-connection-only habit.crashes-* habit.untyped-*
        sdk.boto3-errors-* sdk.content-hash-required escaped.inherited-*-crashes
        escaped.uri-accents-in-any-case unnoticed.uri-full-stop unnoticed.uri-known-glob
        unnoticed.uri-backslashes official.header-lines-last
        """,
    ),
)


def pairs() -> list[Mutant]:
    """One mutant of each theme under each habit, the mutants spread evenly over the theme."""
    lawful = {variant.name: variant for variant in LAWFUL}
    found = []
    for kind in KINDS:
        habits = kind.habits.split()
        themes = by_theme(kind.mutants())
        for index, name in enumerate(habits):
            habit = lawful[f"lawful-{name}"]
            for members in themes:
                mutant = members[(2 * index + 1) * len(members) // (2 * len(habits))]
                paired = f"{mutant.name} + {habit.name}"
                found.append(replace(mutant, name=paired, habit=habit.build()))
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
