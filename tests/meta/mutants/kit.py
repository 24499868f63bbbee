"""What mutants are made of: the record of one, and the few shapes that most handlers have."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial, reduce
from typing import Any, TypeVar

from .fates import BAD_REQUEST, CRASH
from .messages import GET, Answer, Forward, Handler, Request, Response
from .signing import refused, resigned

Function = TypeVar("Function", bound=Callable[..., Any])

When = Callable[[Request], bool]
#: Of a document, which it leaves as it is, makes another.
Change = Callable[[dict[str, Any]], Any]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Mutant:
    """A server with something broken on purpose, or, in ``lawful``, with another lawful habit.

    Attributes:
        expected: Clauses that it breaks; being reported for any one of them is being caught.
        handler: What it does; it may remember what it saw, since every run forks a proxy for itself.
        options: Command-line options that a run against it needs.
        settings: Settings of the target file that a run against it needs.
        continues: Whether it answers ``Expect: 100-continue``.
        without: Identities that it does not know, so that the target file must not name them.
        stocked: Whether the base holds a domain and an integration before the run begins.
        needs: Official clients that have to be installed: ``aws-cli``, ``javascript``.
        habit: What else it does, and may.
    """

    name: str
    expected: frozenset[str]
    handler: Handler
    options: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    continues: bool = True
    without: tuple[str, ...] = ()
    stocked: bool = False
    needs: tuple[str, ...] = ()
    habit: Handler | None = None

    @property
    def theme(self) -> str:
        """The first part of the name."""
        return self.name.partition(".")[0]


class Theme:
    """Gathers mutants under one heading.

    ``theme[clauses] = {"name: What it does.": handler}`` adds a mutant for each row, to those there are; the
    clauses, with spaces between them, are what it breaks. ``more`` is what they have besides. In tables ``r``
    is a request, ``a`` an answer, ``c`` a claim to be somebody, ``d`` a document, ``h`` a history.
    """

    def __init__(self, name: str, **more: Any) -> None:
        self.name = name
        self.mutants: list[Mutant] = []
        self.more = more

    def with_(self, **more: Any) -> Theme:
        """The same theme, whose further mutants have something besides."""
        theme = Theme(self.name, **{**self.more, **more})
        theme.mutants = self.mutants
        return theme

    def __setitem__(self, clauses: str, rows: Mapping[str, Handler]) -> None:
        for text, handler in rows.items():
            name, expected = text.partition(": ")[0], frozenset(clauses.split())
            self.mutants.append(Mutant(f"{self.name}.{name}", expected, handler, **self.more))

    def mutant(
        self, name: str, clauses: str, shape: Callable[[Function], Handler] | None = None
    ) -> Callable[[Function], Function]:
        """Make a mutant of the decorated function, a handler or of some shape."""

        def decorate(function: Function) -> Function:
            self[clauses] = {name: shape(function) if shape else function}
            return function

        return decorate


# --- What is said of requests -------------------------------------------------------------------------------


def always(*_: object) -> bool:
    """Whatever it is."""
    return True


def is_get(request: Request) -> bool:
    """Whether it is GetIntegration."""
    return request.operation == GET


def valid_name(request: Request) -> bool:
    """Whether its domain name keeps the constraints."""
    return _NAME.fullmatch(request.domain) is not None


def valid_uri(request: Request) -> bool:
    """Whether its Uri keeps the constraints; a lone surrogate is no text."""
    return 1 <= len(request.text) <= 255 and not SURROGATE.search(request.text)


def bad_name(request: Request, *_: object) -> bool:
    """Whether its domain name breaks them; an empty one is routed elsewhere."""
    return bool(request.domain) and not valid_name(request)


def bad_input(request: Request, *_: object) -> bool:
    """Whether its domain name, which is not empty, or its Uri breaks them."""
    return bool(request.domain) and not (valid_name(request) and valid_uri(request))


def of_type(part: str, *types: type) -> When:
    """Whether its ``document``, or its ``uri``, is there and of one of these types."""
    return lambda request: type(getattr(request, part)) in types


def valid(request: Request) -> bool:
    """Whether it is a GetIntegration that keeps every constraint."""
    return is_get(request) and valid_name(request) and valid_uri(request)


def of_uri(test: Callable[[str], Any]) -> When:
    """Whether it is a GetIntegration that keeps every constraint, with such a Uri."""
    return lambda request: valid(request) and bool(test(request.text))


def of_domain(test: Callable[[str], Any]) -> When:
    """Whether it is a GetIntegration that keeps every constraint, of such a domain."""
    return lambda request: valid(request) and bool(test(request.domain))


# --- Shapes of handlers -------------------------------------------------------------------------------------


def on_answer(change: Callable[[Request, Response], Answer], when: When = is_get) -> Handler:
    """Changes the answers to some requests, by default to every GetIntegration."""

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        return change(request, answer) if when(request) else answer

    return handler


def for_some(when: When, change: Callable[[Response], Answer]) -> Handler:
    """Changes the answers to some GetIntegration requests, whatever they are."""
    return on_answer(lambda request, answer: change(answer) if when(request) else answer)


def instead(fate: Answer, of: Callable[[Request, Response], bool], when: When = is_get) -> Handler:
    """Gives one answer instead of some others."""
    return on_answer(lambda request, answer: fate if of(request, answer) else answer, when)


def on_status(status: int, change: Callable[[Response], Answer], when: When = is_get) -> Handler:
    """Changes the answers of one status."""
    return on_answer(lambda _, answer: change(answer) if answer.status == status else answer, when)


def on_found(change: Callable[[Response], Answer], when: When = is_get) -> Handler:
    """Changes answers that hold an integration."""
    return on_status(200, change, when)


def on_error(change: Callable[[Response], Answer], when: When = is_get) -> Handler:
    """Changes every error below 500."""
    return on_answer(lambda _, answer: change(answer) if 400 <= answer.status < 500 else answer, when)


def on_document(change: Change, when: When = is_get) -> Handler:
    """Changes the JSON of an integration: ``change`` returns another document in its place."""
    return on_found(lambda answer: changed(answer, change), when)


def changed(answer: Response, change: Change) -> Response:
    """The answer with its JSON object changed; the same answer if nothing changes."""
    if not isinstance(answer.document, dict):
        return answer
    document = change(answer.document)
    same = repr(document) == repr(answer.document)  # == would not tell False from 0
    return answer if same else answer.with_document(document)


def headed(name: str, value: str | None) -> Callable[[Response], Response]:
    """A change that sets a header, or removes it where None."""
    return lambda answer: answer.with_header(name, value)


def sets(member: str, value: Any) -> Change:
    """A change that sets a member of the JSON; ``value`` may be computed from the old document."""
    return lambda document: {**document, member: value(document) if callable(value) else value}


def alters(member: str, change: Callable[[Any], Any]) -> Handler:
    """Changes a member of an integration that has it."""
    return on_document(lambda d: {**d, member: change(d[member])} if d.get(member) else d)


def timed(change: Callable[[float], Any], *members: str) -> Change:
    """A change of times that are there, by default of both."""
    times = members or ("CreatedAt", "LastUpdatedAt")
    return lambda document: {
        name: change(value) if name in times and isinstance(value, int | float) else value
        for name, value in document.items()
    }


def drops(*members: str) -> Change:
    """A change that removes members of the JSON."""
    return lambda document: {name: document[name] for name in document if name not in members}


def answers(when: When, answer: Answer | Callable[[Request], Answer]) -> Handler:
    """Answers some GetIntegration requests of known callers in its own way."""

    def change(request: Request, real: Response) -> Answer:
        if refused(real) or not when(request):
            return real
        return answer(request) if callable(answer) else answer

    return on_answer(change)


def rejects(when: When) -> Handler:
    """Rejects some requests, valid or not, as invalid."""
    return answers(when, BAD_REQUEST)


def crashes(when: When) -> Handler:
    """Answers some requests with a typed 500."""
    return answers(when, CRASH)


def asks(change: Callable[[Request], Request | None]) -> Handler:
    """Asks the base something else, in the caller's name, for some requests; None leaves one as it is.

    The request itself is asked first, so that only callers whom the base knows profit.
    """

    def handler(request: Request, forward: Forward) -> Answer:
        real = forward(request)
        if not is_get(request) or refused(real):
            return real
        other = change(request)
        return real if other is None else forward(resigned(other))

    return handler


def accepts(when: When, change: Callable[[Request], Request]) -> Handler:
    """Takes some invalid requests for the valid ones that ``change`` makes of them."""
    return asks(lambda request: change(request) if when(request) else None)


def from_one() -> Iterator[int]:
    """A memory that counts."""
    return itertools.count(1)


def remembers(memory: Callable[[], Any]) -> Callable[[Callable[[Any, Request, Forward], Answer]], Handler]:
    """A handler whose first argument is a memory of its own."""
    return lambda handler: partial(handler, memory())


def now_and_then(every: int, fate: Answer, when: When = always) -> Handler:
    """Answers each of so many requests, if it is such a one, without looking at it."""

    def handler(numbers: Iterator[int], request: Request, forward: Forward) -> Answer:
        return fate if next(numbers) % every == 0 and when(request) else forward(request)

    return remembers(from_one)(handler)


def observes(
    memory: Callable[[], Any], when: When = is_get
) -> Callable[[Callable[[Any, Request, Response], Answer]], Handler]:
    """A change of answers whose first argument is a memory of its own."""
    return lambda change: on_answer(partial(change, memory()), when)


def chain(*handlers: Handler) -> Handler:
    """One handler before the other; the first is nearest to the client, and only it may answer with bytes."""

    def before(first: Handler, rest: Handler) -> Handler:
        return lambda request, forward: first(request, lambda asked: rest(asked, forward))

    return reduce(before, handlers, lambda request, forward: forward(request))
