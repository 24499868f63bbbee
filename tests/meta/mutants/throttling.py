"""Servers that throttle wrongly, or not at all."""

import time
from collections.abc import Iterator

from .access import as_caller
from .errors import untyped
from .fates import CRASH, NOT_FOUND, THROTTLED, page
from .kit import Theme, from_one, observes, on_status, remembers
from .messages import Answer, Forward, Raw, Request, Response, error, ok
from .signing import is_by, key_of

THEME = Theme("throttling")

_OCCURS = "throttling.occurs"
_RIGHT = "throttling.nothing-else throttling.occurs"


def _waits(request: Request) -> bool:
    time.sleep(0.02)
    return True


THEME[_OCCURS] = {
    "never: No caller is ever throttled.": as_caller("low-quota"),
    "by-waiting: A caller above its quota is made to wait, not told.": as_caller("low-quota", _waits),
}
THEME[f"error.ThrottlingException.status {_RIGHT}"] = {
    f"as-{status}: Throttling is answered {status} ThrottlingException.": on_status(
        429, lambda a, status=status: a.with_status(status).with_type("ThrottlingException")
    )
    for status in (500, 502)
}
THEME[f"{_RIGHT} response.DomainName.required"] = {
    f"{name}: Above the quota the answer is {description}.": on_status(429, lambda _, fate=fate: fate)
    for name, description, fate in (
        ("as-200-empty", "200", ok({})),
        ("as-404", "404 ResourceNotFoundException", NOT_FOUND),
        ("as-503-slow-down", "503 SlowDown", error(503, "SlowDown")),
        ("as-204", "204", Response(204)),
    )
}
THEME[_RIGHT] = {"crashes: Above the quota the service fails.": on_status(429, lambda _: CRASH)}
THEME[f"{_RIGHT} transport.answers"] = {
    "drops-connections: Above the quota connections are reset.": on_status(429, lambda _: Raw(b"", "reset"))
}
THEME["error.type"] = {"without-type: Throttling carries no type.": on_status(429, untyped)}
THEME["error.type error.body.json error.content-type"] = {
    "with-a-page: Throttling is answered with a gateway's page in HTML.": on_status(429, lambda _: page(429))
}
THEME["error.ThrottlingException.type"] = {
    "named-otherwise: Throttling is answered 429 RequestLimitExceeded.": on_status(
        429, lambda a: a.with_type("RequestLimitExceeded")
    )
}


@THEME.mutant("without-end", "throttling.recovers", observes(set))
def _blocks(blocked: set[str], request: Request, answer: Response) -> Answer:
    """Whoever was throttled once is never served again."""
    if answer.status == 429:
        blocked.add(key_of(request))
    return THROTTLED if key_of(request) in blocked and answer.status == 200 else answer


@THEME.mutant("crashes-afterwards", "throttling.recovers", observes(set))
def _breaks_after(seen: set[str], request: Request, answer: Response) -> Answer:
    """Whoever was throttled once is answered 500 later."""
    if answer.status == 429:
        seen.add(key_of(request))
        return answer
    return CRASH if key_of(request) in seen else answer


@THEME.mutant("sdk-never-served", "throttling.sdk-retry", observes(set))
def _throttles_sdks(blocked: set[str], request: Request, answer: Response) -> Answer:
    """An SDK that retries after throttling is throttled for good."""
    if answer.status == 429 and is_by(request, "low-quota"):
        blocked.add(key_of(request))
    return THROTTLED if request.header("amz-sdk-request") and key_of(request) in blocked else answer


@THEME.mutant("as-400-in-passing", "error.ThrottlingException.status", remembers(from_one))
def _throttles_now_and_then(numbers: Iterator[int], request: Request, forward: Forward) -> Answer:
    """Every 41st request is answered 400 ThrottlingException, a repeat is not."""
    due = next(numbers) % 41 == 0 and not is_by(request, "low-quota")
    return error(400, "ThrottlingException") if due else forward(request)
