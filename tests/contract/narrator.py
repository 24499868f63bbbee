"""What stories share: names, versions, what a story remembers, and those that broke."""

import json
import unicodedata
from dataclasses import dataclass, field
from typing import Any, NoReturn

from getintegration_contract.exchange import Exchange
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.sending.client import Client
from getintegration_contract.state.state import URI
from getintegration_contract.state.workspace import Workspace

DOMAINS = ("X", "x", "X0")
URIS = {
    "A": URI,
    "a": URI.lower(),
    "A/": URI + "/",
    "A-": URI[:-1],
    "A%": URI.replace("%20", " "),
    "A~": unicodedata.normalize("NFD", URI),
}
#: What is put; later versions change, add and leave out members.
VERSIONS: tuple[dict[str, Any], ...] = (
    {"ObjectTypeName": "One"},
    {"ObjectTypeName": "Two", "Tags": {"team": "two", "two": "\u00e9"}, "Scope": "PROFILE"},
    {"ObjectTypeName": "Three", "Tags": {"team": "three"}, "ObjectTypeNames": {"Event": "Three"}},
)


@dataclass(frozen=True)
class Depth:
    """How many stories, of how many steps; ``requests`` bounds one item, shrinking included."""

    shards: int
    stories: int
    steps: int
    requests: int
    look_at_all: bool


class RefusedError(Exception):
    """The target did not take a write."""


def refuse(reason: str) -> NoReturn:
    raise RefusedError(reason)


class BrokenError(AssertionError):
    """A reading is not what the story so far makes due."""


class KnownError(Exception):
    """The same, of a clause that an earlier story broke."""


@dataclass
class Record:
    """An integration as the model has it: what was put, and what was read since the last write to it."""

    members: dict[str, Any]
    event: str
    created: Any = None
    updated: Any = None
    document: dict[str, Any] | None = None
    read_at: int = 0


@dataclass(frozen=True)
class BrokenStory:
    """The steps of a story up to a reading that is not what they make due."""

    steps: tuple[str, ...]
    clause: str
    expected: str
    actual: str
    exchange: Exchange


@dataclass
class Narrator:
    """What all stories of one item share."""

    workspace: Workspace
    check: Checker
    name: str
    versions: tuple[dict[str, Any], ...]
    accounts: tuple[Identity, ...]
    depth: Depth
    client: Client
    #: Requests that the client had sent when the round began.
    begun: int = 0
    number: int = 0
    broken: list[BrokenStory] = field(default_factory=list)
    #: Clauses that earlier stories broke: others are looked for behind them.
    known: set[str] = field(default_factory=set)
    refusal: str = ""
    #: Why everything after it is not done: the endpoint is gone, or the budget is spent.
    stop: Exception | None = None

    def is_over(self) -> bool:
        """Whether no more may be sent; Hypothesis then finds every story well, and ends soon."""
        return self.stop is not None or self.client.sent - self.begun > self.depth.requests

    def shortest(self) -> list[BrokenStory]:
        """Of each clause the shortest of its broken stories."""
        found: dict[str, BrokenStory] = {}
        for story in sorted(self.broken, key=lambda story: (len(story.steps), sum(map(len, story.steps)))):
            found.setdefault(story.clause, story)
        return [found[clause] for clause in sorted(found)]


def without_moves(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two readings without LastUpdatedAt where that moved on.

    By the reference page it is the time when the domain was edited, so it may move with its neighbours.
    """
    old, new = before.get("LastUpdatedAt"), after.get("LastUpdatedAt")
    if not (isinstance(old, int | float) and isinstance(new, int | float) and new > old):
        return before, after
    return {**before, "LastUpdatedAt": None}, {**after, "LastUpdatedAt": None}


def described(story: BrokenStory) -> str:
    """A story in numbered steps, with what its letters stand for: in ASCII, so that NFC and NFD differ."""
    words = {word.strip(",") for step in story.steps for word in step.split()}
    meanings = [f"{letter} is {json.dumps(uri)}" for letter, uri in URIS.items() if letter in words]
    steps = ", ".join(f"{number}. {step}" for number, step in enumerate(story.steps, start=1))
    return f"{story.expected} after {steps} ({', '.join(meanings)})"
