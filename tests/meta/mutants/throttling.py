"""Servers that throttle wrongly, or not at all."""

import time
from collections.abc import Callable

from .access import as_caller
from .errors import untyped
from .fates import CRASH, NOT_FOUND, THROTTLED, page
from .kit import Theme, now_and_then, observes, on_status
from .messages import Answer, Handler, Raw, Request, Response, error, ok
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


def _afterwards(fate: Answer, when: Callable[[Request, Response], object]) -> Handler:
    """Answers some requests in another way for good, once their caller has been throttled."""

    def change(throttled: set[str], request: Request, answer: Response) -> Answer:
        if answer.status == 429:
            throttled.add(key_of(request))
        return fate if key_of(request) in throttled and when(request, answer) else answer

    return observes(set)(change)


THEME["throttling.recovers"] = {
    "without-end: They are never served again.": _afterwards(THROTTLED, lambda _, a: a.status == 200),
    "crashes-afterwards: They are answered 500.": _afterwards(CRASH, lambda _, a: a.status != 429),
}
THEME["throttling.sdk-retry"] = {
    "sdk-never-served: An SDK that retries after throttling is throttled for good.": _afterwards(
        THROTTLED, lambda r, _: is_by(r, "low-quota") and r.header("amz-sdk-request")
    )
}
THEME["error.ThrottlingException.status"] = {
    "as-400-in-passing: Every 41st request is throttled with 400, a repeat is not.": now_and_then(
        41, error(400, "ThrottlingException"), lambda r: not is_by(r, "low-quota")
    )
}
