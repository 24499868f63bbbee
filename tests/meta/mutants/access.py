"""Servers that do not enforce who may do what, or how often, or that stumble over two faults at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .kit import Theme, bind, is_get, on_answer, valid_name, valid_uri
from .messages import MISSING, Answer, Forward, Handler, Raw, Request, Response, error, ok
from .signing import CALLER, IDENTITIES, is_by, key_of, resigned, unauthenticated

THEME = Theme("access")
_add = THEME.add

# --- Who may not read ---------------------------------------------------------------------------------------


def _as_caller(name: str, when: Callable[[Request], bool] = lambda request: True) -> Handler:
    """Serves an identity as if it were the caller, once the base knows it."""

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if is_get(request) and is_by(request, name) and not unauthenticated(answer) and when(request):
            return forward(resigned(request, CALLER))
        return answer

    return handler


def _told(name: str, fate: Callable[[Request, Response], Answer]) -> Handler:
    """Answers what an identity is refused in another way."""

    def change(request: Request, answer: Response) -> Answer:
        refused = answer.status in (403, 404) and not unauthenticated(answer)
        return fate(request, answer) if is_by(request, name) and refused else answer

    return on_answer(change)


_DENIED, _OTHER = "access.unauthorized", "access.other-account"
_add("not-enforced", "Everybody who is known may read.", _DENIED, _as_caller("unauthorized"))
_add("accounts-not-apart", "All accounts share their state.", _OTHER, _as_caller("other_account"))
for _name, _clause, _words in (
    ("unauthorized", _DENIED, "An identity without permission"),
    ("other_account", _OTHER, "Another account"),
):
    for _fate_name, _description, _fate in (
        ("empty", "200 with an empty object", lambda request, answer: ok({})),
        ("204", "204", lambda request, answer: Response(204)),
        ("400", "400 BadRequestException", lambda request, answer: error(400, "BadRequestException")),
        ("401", "401 UnauthorizedException", lambda request, answer: error(401, "UnauthorizedException")),
        ("500", "500 InternalServerException", lambda request, answer: error(500, "InternalServerException")),
        ("redirected", "302 to a login", lambda request, answer: Response(302, (("Location", "/login"),))),
    ):
        _add(f"{_name}-{_fate_name}", f"{_words} is answered {_description}.", _clause, _told(_name, _fate))
_add(
    "wildcard",
    "An identity of another account may read domains whose names begin like a known one.",
    _OTHER,
    _as_caller("other_account", lambda request: request.domain.startswith("Get")),
)


def _not_there(request: Request) -> bool:
    return "nknown" in request.text or "nknown" in request.domain


_add(
    "missing-found-by-unauthorized",
    "An identity without permission is answered 200 for what does not exist.",
    "access.unauthorized.missing",
    _told("unauthorized", lambda request, answer: ok({}) if _not_there(request) else answer),
)
_add(
    "missing-crashes-for-unauthorized",
    "An identity without permission is answered 500 for what does not exist.",
    "access.unauthorized.missing",
    _told(
        "unauthorized",
        lambda request, answer: error(500, "InternalServerException") if _not_there(request) else answer,
    ),
)
_add(
    "missing-is-invalid-for-unauthorized",
    "An identity without permission is answered 400 for what does not exist.",
    "access.unauthorized.missing",
    _told(
        "unauthorized",
        lambda request, answer: error(400, "BadRequestException") if _not_there(request) else answer,
    ),
)


def _remembers_caller() -> Handler:
    """Whoever authenticates first on a connection stays, whoever asks on it."""
    owners: dict[int, str] = {}

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if not is_get(request) or unauthenticated(answer):
            return answer
        owner = owners.setdefault(request.connection, key_of(request))
        identity = next((i for i in IDENTITIES.values() if i.access_key == owner), CALLER)
        return answer if owner == key_of(request) else forward(resigned(request, identity))

    return handler


THEME.add_stateful(
    "identity-of-the-connection",
    "The identity of the first request on a connection holds for all later ones.",
    f"{_DENIED} {_OTHER} access.unauthorized.missing request.valid response.status",
    _remembers_caller,
)


def _remembers_answers() -> Handler:
    """A cache in front of the service that does not know of identities."""
    answers: dict[tuple[str, bytes], Response] = {}

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if not is_get(request) or unauthenticated(answer):
            return answer
        key = (request.target, request.body)
        if answer.status == 200:
            answers[key] = answer
        elif answer.status == 404 and key_of(request) == CALLER.access_key:
            answers.pop(key, None)
        return answers.get(key, answer) if answer.status in (403, 404) else answer

    return handler


THEME.add_stateful(
    "cache-without-identities",
    "What one caller was answered is given to every other.",
    f"{_DENIED} {_OTHER}",
    _remembers_answers,
)

# --- Throttling ---------------------------------------------------------------------------------------------

_throttle = Theme("throttling")
_OCCURS = "throttling.occurs"
_RIGHT = "throttling.nothing-else"


def _throttled(answer: Response) -> bool:
    return answer.status == 429


def _on_throttled(change: Callable[[Response], Answer]) -> Handler:
    return on_answer(lambda request, answer: change(answer) if _throttled(answer) else answer)


_throttle.add("never", "No caller is ever throttled.", _OCCURS, _as_caller("low_quota"))
_throttle.add(
    "by-waiting",
    "A caller above its quota is made to wait, not told.",
    _OCCURS,
    _as_caller("low_quota", lambda request: not time.sleep(0.02)),  # type: ignore[func-returns-value]
)
for _status in (500, 502):
    _throttle.add(
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
    _throttle.add(
        _name,
        f"Above the quota the answer is {_answer.status} {_answer.error_type or ''}".rstrip() + ".",
        f"{_RIGHT} {_OCCURS} response.DomainName.required",
        _on_throttled(bind(_answer, lambda fixed, answer: fixed)),
    )
_throttle.add(
    "crashes",
    "Above the quota the service fails.",
    f"{_RIGHT} {_OCCURS}",
    _on_throttled(lambda answer: error(500, "InternalServerException")),
)
_throttle.add(
    "drops-connections",
    "Above the quota connections are reset.",
    f"{_RIGHT} {_OCCURS} transport.answers",
    _on_throttled(lambda answer: Raw(b"", "reset")),
)
_throttle.add(
    "without-type",
    "Throttling carries no type.",
    "error.type",
    _on_throttled(lambda answer: answer.with_type(None)),
)
_throttle.add(
    "with-a-page",
    "Throttling is answered with a gateway's page in HTML.",
    "error.type error.body.json error.content-type",
    _on_throttled(
        lambda answer: Response(429, (("Content-Type", "text/html"),), b"<h1>Too Many Requests</h1>")
    ),
)
_throttle.add(
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


_throttle.add_stateful(
    "without-end", "Whoever was throttled once is never served again.", "throttling.recovers", _blocks
)


def _breaks_after() -> Handler:
    """After throttling the next answers are wrong."""
    left = {"crashes": 0}

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if _throttled(answer):
            left["crashes"] = 10**9
        elif is_by(request, "low_quota") and is_get(request) and left["crashes"]:
            return error(500, "InternalServerException")
        return answer

    return handler


_throttle.add_stateful(
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
            if _throttled(answer) and is_by(request, "low_quota"):
                blocked.add(key_of(request))
            if is_sdk and is_get(request) and key_of(request) in blocked:
                return error(429, "ThrottlingException")
        return answer

    return handler


_throttle.add_stateful(
    "sdk-never-served",
    "An SDK that retries after throttling is throttled for good.",
    "throttling.sdk-retry",
    _throttles_sdks,
)

# --- Two faults at once -------------------------------------------------------------------------------------

_both = Theme("precedence")
Fault = Callable[[Request, Response], bool]


def _bad_signature(request: Request, answer: Response) -> bool:
    return unauthenticated(answer)


def _bad_input(request: Request, answer: Response) -> bool:
    return bool(request.domain) and not (valid_name(request) and valid_uri(request))


def _bad_uri(request: Request, answer: Response) -> bool:
    return request.uri is MISSING or not valid_uri(request)


def _bad_name(request: Request, answer: Response) -> bool:
    return bool(request.domain) and not valid_name(request)


def _missing(request: Request, answer: Response) -> bool:
    return _not_there(request)


def _forbidden(request: Request, answer: Response) -> bool:
    return is_by(request, "unauthorized")


def _on_both(first: Fault, second: Fault, fate: Answer) -> Handler:
    return on_answer(
        lambda request, answer: fate if first(request, answer) and second(request, answer) else answer
    )


for _clause, _first, _second, _fates in (
    ("signature-and-input", _bad_signature, _bad_input, (200, 404, 500)),
    ("signature-and-missing", _bad_signature, _missing, (200, 500, 501)),
    ("access-and-input", _forbidden, _bad_input, (200, 409, 500)),
    ("missing-and-input", _missing, _bad_uri, (200, 403, 500)),
    ("input-and-input", _bad_name, _bad_uri, (200, 404, 500)),
):
    for _status in _fates:
        _answer = ok({}) if _status == 200 else error(_status, "CombinedFaultException")
        _both.add(
            f"{_clause}-{_status}",
            f"The faults {_clause.replace('-', ' ')} together are answered {_status}.",
            f"precedence.{_clause}",
            _on_both(_first, _second, _answer),
        )

THEMES = (THEME, _throttle, _both)
