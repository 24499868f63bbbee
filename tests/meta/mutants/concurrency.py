"""Servers that lose track when several ask at once, or one writes while another reads."""

import threading
import time
from collections.abc import Callable

from .fates import CRASH, NOT_FOUND
from .kit import Theme, is_get, remembers
from .messages import PUT, Answer, Forward, Handler, Raw, Request, Response, error
from .signing import refused, resigned
from .writes import Document, Key, key

THEME = Theme("concurrency")

#: Seconds that every reading takes, so that simultaneous ones meet.
_PAUSE = 0.001


class Crowd:
    """The readings that are under way."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = self.met = 0
        self.last: Response | None = None
        self.current: Request | None = None


def _crowd(crowded: Callable[[Crowd, Request, Response, Forward], Answer]) -> Handler:
    """A server that answers a reading otherwise that was not alone."""

    def handler(crowd: Crowd, request: Request, forward: Forward) -> Answer:
        if not is_get(request):
            return forward(request)
        with crowd.lock:
            crowd.inside += 1
            most = crowd.inside
        crowd.current = request
        time.sleep(_PAUSE)
        try:
            answer = forward(request)
            if answer.status != 200:
                return answer
            many = max(most, crowd.inside) > 1
            changed = crowded(crowd, request, answer, forward) if many else answer
            crowd.last = answer
            return changed
        finally:
            with crowd.lock:
                crowd.inside -= 1

    return remembers(Crowd)(handler)


_OWN = "concurrency.own-answer"
_NO_FAULT = "concurrency.no-fault"


@THEME.mutant("request-shared", _OWN, _crowd)
def _anothers(crowd: Crowd, request: Request, answer: Response, forward: Forward) -> Answer:
    """The request under way is kept in one place for all."""
    current = crowd.current
    if current is None or refused(answer) or (current.body, current.target) == (request.body, request.target):
        return answer
    return forward(resigned(current))


THEME[_OWN] = {
    "answer-shared: So is the answer under way.": _crowd(lambda crowd, r, a, forward: crowd.last or a)
}
for _name, _description, _clauses, _fate in (
    ("crashes", "fail with 500", _NO_FAULT, CRASH),
    ("unavailable", "are answered 503, but for one", _NO_FAULT, error(503, "ServiceUnavailableException")),
    ("resets", "reset their connections", f"{_NO_FAULT} transport.answers", Raw(b"", "reset")),
    ("not-found", "find nothing", "", NOT_FOUND),
):
    THEME[f"{_clauses} {_OWN}"] = {
        f"{_name}: Simultaneous requests {_description}.": _crowd(lambda *_, fate=_fate: fate)
    }


@THEME.mutant("resets-at-times", _NO_FAULT, _crowd)
def _at_times(crowd: Crowd, request: Request, answer: Response, forward: Forward) -> Answer:
    """Simultaneous requests reset their connections, but for a time of calm; repeats are answered."""
    crowd.met += 1
    return answer if request.number < 2 or 30 < crowd.met < 110 else Raw(b"", "reset")


def _in_two_steps(milliseconds: int) -> Handler:
    """An update goes in two steps: first the members that the last write had too, some old and some new."""

    def handler(last: dict[Key, Document], request: Request, forward: Forward) -> Answer:
        if request.operation != PUT or not request.members:
            return forward(request)
        old = last.get(key(request))
        names = [name for name in request.document if name in (old or {}) and name != "Uri"]
        if old and len(names) > 1:
            half = {name: old[name] for name in names[len(names) // 2 :]}
            if forward(resigned(request.edited(**half))).status == 200:
                time.sleep(milliseconds / 1000)
        answer = forward(request)
        if answer.status == 200:
            last[key(request)] = request.document
        return answer

    return remembers(dict)(handler)


THEME["concurrency.no-mixture"] = {
    f"update-in-two-steps-of-{pause}-ms: The rest is written {pause} ms later.": _in_two_steps(pause)
    for pause in (2, 20)
}


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
    return NOT_FOUND if gone else answer
