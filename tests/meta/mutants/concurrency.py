"""Servers that lose track when several ask at once, or one writes while another reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .kit import Build, Theme, is_get
from .messages import MISSING, PUT, Answer, Forward, Handler, Raw, Request, Response, error
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


def _anothers(self: Crowd, request: Request, answer: Response, forward: Forward) -> Answer:
    current = self.current
    if (
        current is None
        or refused(answer)
        or (current.body == request.body and current.target == request.target)
    ):
        return answer
    return forward(resigned(current))


def _last(self: Crowd, request: Request, answer: Response, forward: Forward) -> Answer:
    return self.last or answer


_OWN = "concurrency.own-answer"
_NO_FAULT = "concurrency.no-fault"
for _name, _description, _clauses, _answer in (
    ("request-shared", "The request under way is kept in one place for all.", _OWN, _anothers),
    ("answer-shared", "The answer under way is kept in one place for all.", _OWN, _last),
    (
        "crashes",
        "Simultaneous requests fail with 500.",
        f"{_NO_FAULT} {_OWN}",
        lambda self, request, answer, forward: error(500, "InternalServerException"),
    ),
    (
        "unavailable",
        "Only one request at a time is served, others are answered 503.",
        f"{_NO_FAULT} {_OWN}",
        lambda self, request, answer, forward: error(503, "ServiceUnavailableException"),
    ),
    (
        "resets",
        "Simultaneous requests reset their connections.",
        f"{_NO_FAULT} {_OWN} transport.answers",
        lambda self, request, answer, forward: Raw(b"", "reset"),
    ),
    (
        "not-found",
        "Simultaneous requests find nothing.",
        _OWN,
        lambda self, request, answer, forward: error(404, "ResourceNotFoundException"),
    ),
):
    _add(_name, _description, _clauses, _crowd(_answer))


def _in_two_steps(pause: float) -> Build:
    """An update goes in two steps: first the members that the last write had too, some old and some new."""

    def build() -> Handler:
        last: dict[Key, Document] = {}

        def handler(request: Request, forward: Forward) -> Answer:
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
            if answer.status == 200 and request.document is not MISSING:
                last[key(request)] = request.document
            return answer

        return handler

    return build


for _pause in (0.002, 0.02):
    _add(
        f"update-in-two-steps-of-{round(_pause * 1000)}-ms",
        f"An update writes half of the members first, and the rest {round(_pause * 1000)} ms later.",
        "concurrency.no-mixture",
        _in_two_steps(_pause),
    )


def _gap() -> Handler:
    """An update deletes first and writes again a moment later."""
    away: set[Key] = set()

    def handler(request: Request, forward: Forward) -> Answer:
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

    return handler


_add("update-with-a-gap", "During an update there is no integration.", "concurrency.no-mixture", _gap)
