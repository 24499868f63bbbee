"""Servers that throttle wrongly, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from .access import as_caller
from .kit import Theme, bind, from_one, observes, on_answer, remembers
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


@THEME.mutant("without-end", "throttling.recovers", observes(set))
def _blocks(blocked: set[str], request: Request, answer: Response) -> Answer:
    """Whoever was throttled once is never served again."""
    if _throttled(answer):
        blocked.add(key_of(request))
    again = key_of(request) in blocked and answer.status == 200
    return error(429, "ThrottlingException") if again else answer


@THEME.mutant("crashes-afterwards", "throttling.recovers", observes(set))
def _breaks_after(seen: set[str], request: Request, answer: Response) -> Answer:
    """Whoever was throttled once is answered 500 later."""
    if _throttled(answer):
        seen.add(key_of(request))
        return answer
    return error(500, "InternalServerException") if key_of(request) in seen else answer


@THEME.mutant("sdk-never-served", "throttling.sdk-retry", observes(set))
def _throttles_sdks(blocked: set[str], request: Request, answer: Response) -> Answer:
    """An SDK that retries after throttling is throttled for good."""
    if _throttled(answer) and is_by(request, "low-quota"):
        blocked.add(key_of(request))
    again = request.header("amz-sdk-request") is not None and key_of(request) in blocked
    return error(429, "ThrottlingException") if again else answer


@THEME.mutant("as-400-in-passing", "error.ThrottlingException.status", remembers(from_one))
def _throttles_now_and_then(numbers: Iterator[int], request: Request, forward: Forward) -> Answer:
    """Every 41st request is answered 400 ThrottlingException, a repeat is not."""
    due = next(numbers) % 41 == 0 and not is_by(request, "low-quota")
    return error(400, "ThrottlingException") if due else forward(request)
