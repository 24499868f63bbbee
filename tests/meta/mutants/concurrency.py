"""Servers that lose track when several ask at once, or one writes while another reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .kit import Build, Theme, bind, is_get, remembers
from .messages import PUT, Answer, Forward, Raw, Request, Response, error
from .signing import refused, resigned
from .writes import Document, Key, key

THEME = Theme("concurrency")
_add = THEME.add_stateful


class Crowd:
    """Base of servers that behave badly while several requests are under way."""

    #: Seconds that every reading takes, so that simultaneous ones meet.
    pause = 0.001

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.last: Response | None = None
        self.current: Request | None = None

    def __call__(self, request: Request, forward: Forward) -> Answer:
        """Forward a reading and answer it by :meth:`crowded` if it was not alone."""
        if not is_get(request):
            return forward(request)
        with self.lock:
            self.inside += 1
            most = self.inside
        self.current = request
        time.sleep(self.pause)
        try:
            answer = forward(request)
            most = max(most, self.inside)
            changed = self.crowded(request, answer, forward) if most > 1 and answer.status == 200 else answer
            self.last = answer if answer.status == 200 else self.last
            return changed
        finally:
            with self.lock:
                self.inside -= 1

    def crowded(self, request: Request, answer: Response, forward: Forward) -> Answer:
        """The answer to one of several."""
        return answer


def _crowd(crowded: Callable[[Crowd, Request, Response, Forward], Answer]) -> Build:
    class Mob(Crowd):
        def crowded(self, request: Request, answer: Response, forward: Forward) -> Answer:
            return crowded(self, request, answer, forward)

    return Mob


_OWN = "concurrency.own-answer"
_NO_FAULT = "concurrency.no-fault"


@THEME.mutant("request-shared", _OWN, _crowd)
def _anothers(self: Crowd, request: Request, answer: Response, forward: Forward) -> Answer:
    """The request under way is kept in one place for all."""
    current = self.current
    if (
        current is None
        or refused(answer)
        or (current.body == request.body and current.target == request.target)
    ):
        return answer
    return forward(resigned(current))


@THEME.mutant("answer-shared", _OWN, _crowd)
def _last(self: Crowd, request: Request, answer: Response, forward: Forward) -> Answer:
    """The answer under way is kept in one place for all."""
    return self.last or answer


_FATES: tuple[tuple[str, str, str, Answer], ...] = (
    ("crashes", "fail with 500", _NO_FAULT, error(500, "InternalServerException")),
    ("unavailable", "are answered 503, but for one", _NO_FAULT, error(503, "ServiceUnavailableException")),
    ("resets", "reset their connections", f"{_NO_FAULT} transport.answers", Raw(b"", "reset")),
    ("not-found", "find nothing", "", error(404, "ResourceNotFoundException")),
)
for _name, _description, _clauses, _fate in _FATES:
    _add(
        _name,
        f"Simultaneous requests {_description}.",
        f"{_clauses} {_OWN}",
        _crowd(bind(_fate, lambda fate, *_: fate)),
    )


def _in_two_steps(pause: float) -> Build:
    """An update goes in two steps: first the members that the last write had too, some old and some new."""

    def handler(last: dict[Key, Document], request: Request, forward: Forward) -> Answer:
        if request.operation != PUT or not isinstance(request.document, dict):
            return forward(request)
        old = last.get(key(request))
        names = [name for name in request.document if name in (old or {}) and name != "Uri"]
        if old and len(names) > 1:
            half = {name: old[name] for name in names[len(names) // 2 :]}
            mixed = request.with_document({**request.document, **half})
            if forward(resigned(mixed)).status == 200:
                time.sleep(pause)
        answer = forward(request)
        if answer.status == 200:
            last[key(request)] = request.document
        return answer

    return remembers(dict)(handler)


for _pause in (0.002, 0.02):
    _add(
        f"update-in-two-steps-of-{round(_pause * 1000)}-ms",
        f"An update writes half of the members first, and the rest {round(_pause * 1000)} ms later.",
        "concurrency.no-mixture",
        _in_two_steps(_pause),
    )


@THEME.mutant("update-with-a-gap", "concurrency.no-mixture", remembers(set))
def _gap(away: set[Key], request: Request, forward: Forward) -> Answer:
    """During an update there is no integration."""
    if request.operation == PUT:
        away.add(key(request))
        time.sleep(0.005)
        try:
            return forward(request)
        finally:
            away.discard(key(request))
    answer = forward(request)
    gone = is_get(request) and answer.status == 200 and key(request) in away
    return error(404, "ResourceNotFoundException") if gone else answer
