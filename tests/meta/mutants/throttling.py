"""Servers that throttle wrongly, or not at all."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable

from .access import as_caller
from .kit import Theme, bind, is_get, on_answer
from .messages import Answer, Forward, Handler, Raw, Request, Response, error, ok
from .signing import is_by, key_of

THEME = Theme("throttling")

_OCCURS = "throttling.occurs"
_RIGHT = "throttling.nothing-else"


def _throttled(answer: Response) -> bool:
    return answer.status == 429


def _on_throttled(change: Callable[[Response], Answer]) -> Handler:
    return on_answer(lambda request, answer: change(answer) if _throttled(answer) else answer)


THEME.add("never", "No caller is ever throttled.", _OCCURS, as_caller("low-quota"))


def _waits(request: Request) -> bool:
    time.sleep(0.02)
    return True


THEME.add(
    "by-waiting",
    "A caller above its quota is made to wait, not told.",
    _OCCURS,
    as_caller("low-quota", _waits),
)
for _status in (500, 502):
    THEME.add(
        f"as-{_status}",
        f"Throttling is answered {_status} ThrottlingException.",
        f"error.ThrottlingException.status {_RIGHT} {_OCCURS}",
        _on_throttled(
            bind(_status, lambda status, answer: answer.with_status(status).with_type("ThrottlingException"))
        ),
    )
for _name, _answer in (
    ("as-200-empty", ok({})),
    ("as-404", error(404, "ResourceNotFoundException")),
    ("as-503-slow-down", error(503, "SlowDown")),
    ("as-204", Response(204)),
):
    THEME.add(
        _name,
        f"Above the quota the answer is {_answer.status} {_answer.error_type or ''}".rstrip() + ".",
        f"{_RIGHT} {_OCCURS} response.DomainName.required",
        _on_throttled(bind(_answer, lambda fixed, answer: fixed)),
    )
THEME.add(
    "crashes",
    "Above the quota the service fails.",
    f"{_RIGHT} {_OCCURS}",
    _on_throttled(lambda answer: error(500, "InternalServerException")),
)
THEME.add(
    "drops-connections",
    "Above the quota connections are reset.",
    f"{_RIGHT} {_OCCURS} transport.answers",
    _on_throttled(lambda answer: Raw(b"", "reset")),
)
THEME.add(
    "without-type",
    "Throttling carries no type.",
    "error.type",
    _on_throttled(lambda answer: answer.with_type(None)),
)
THEME.add(
    "with-a-page",
    "Throttling is answered with a gateway's page in HTML.",
    "error.type error.body.json error.content-type",
    _on_throttled(
        lambda answer: Response(429, (("Content-Type", "text/html"),), b"<h1>Too Many Requests</h1>")
    ),
)
THEME.add(
    "named-otherwise",
    "Throttling is answered 429 RequestLimitExceeded.",
    "error.ThrottlingException.type",
    _on_throttled(lambda answer: answer.with_type("RequestLimitExceeded")),
)


def _blocks() -> Handler:
    """Whoever was throttled once is throttled for good."""
    blocked: set[str] = set()

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if _throttled(answer):
            blocked.add(key_of(request))
        if is_get(request) and key_of(request) in blocked and answer.status == 200:
            return error(429, "ThrottlingException")
        return answer

    return handler


THEME.add_stateful(
    "without-end", "Whoever was throttled once is never served again.", "throttling.recovers", _blocks
)


def _breaks_after() -> Handler:
    """After throttling the next answers are wrong."""
    seen: set[str] = set()

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if _throttled(answer):
            seen.add(key_of(request))
        elif is_get(request) and key_of(request) in seen:
            return error(500, "InternalServerException")
        return answer

    return handler


THEME.add_stateful(
    "crashes-afterwards",
    "Whoever was throttled once is answered 500 later.",
    "throttling.recovers",
    _breaks_after,
)


def _throttles_sdks() -> Handler:
    """Every retry of an SDK counts as a new offence, so it never gets through."""
    blocked: set[str] = set()
    lock = threading.Lock()

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        is_sdk = request.header("amz-sdk-request") is not None
        with lock:
            if _throttled(answer) and is_by(request, "low-quota"):
                blocked.add(key_of(request))
            if is_sdk and is_get(request) and key_of(request) in blocked:
                return error(429, "ThrottlingException")
        return answer

    return handler


THEME.add_stateful(
    "sdk-never-served",
    "An SDK that retries after throttling is throttled for good.",
    "throttling.sdk-retry",
    _throttles_sdks,
)


def _throttles_now_and_then() -> Handler:
    numbers = itertools.count(1)

    def handler(request: Request, forward: Forward) -> Answer:
        due = next(numbers) % 41 == 0 and not is_by(request, "low-quota")
        return error(400, "ThrottlingException") if due else forward(request)

    return handler


THEME.add_stateful(
    "as-400-in-passing",
    "Every 41st request is answered 400 ThrottlingException, a repeat is not.",
    "error.ThrottlingException.status",
    _throttles_now_and_then,
)
