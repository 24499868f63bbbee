"""Lawful targets: faults that pass, writes that settle late, and all that need not be claimed."""

import time
from collections.abc import Iterator

from .excuses import serves
from .fates import BAD_REQUEST, CRASH, DENIED, NOT_FOUND, THROTTLED, page
from .kit import Theme, always, chain, from_one, instead, is_get, now_and_then, remembers
from .lawful_forms import GIVEN, NOTHING, only
from .messages import CREATE_DOMAIN, PUT, WRITES, Answer, Forward, Handler, Raw, Request, Response, error
from .signing import CALLER, is_by, resigned
from .writes import History, reads

THEME = Theme("lawful-target")

# --- Faults that pass ---------------------------------------------------------------------------------------

for _name, _description, _periods, _fault in (
    ("429", "is answered 429", (41, 23), THROTTLED),
    ("408", "is answered 408", (13,), page(408)),
    ("500", "is answered 500", (53, 11), CRASH),
    ("502", "is answered 502 in HTML", (13,), page(502)),
    ("503", "is answered 503", (17,), error(503, "ServiceUnavailableException")),
    ("drop", "is dropped", (47, 11), Raw(b"", "close")),
    ("reset", "is reset", (13,), Raw(b"", "reset")),
    ("cut", "gets half an answer", (17,), Raw(b"HTTP/1.1 200 OK\r\nContent-Type: appli", "close")),
):
    THEME[NOTHING] = {
        f"sporadic-{_name}-{period}: Every {period}th request {_description}.": now_and_then(period, _fault)
        for period in _periods
    }


def _restarts(fault: Answer) -> Handler:
    """Is away for a second, in the middle of a run."""

    def handler(moments: list[float], request: Request, forward: Forward) -> Answer:
        moments.append(time.monotonic())
        away = len(moments) > 200 and moments[-1] < moments[200] + 1
        return fault if away else forward(request)

    return remembers(list)(handler)


THEME[NOTHING] = {
    "restarts-503: A gateway answers 503 while the server is restarted.": _restarts(page(503)),
    "restarts-drop: Connections are dropped while the server is restarted.": _restarts(Raw(b"", "close")),
}


@THEME.mutant("408-to-botocore", NOTHING, remembers(from_one))
def _now_and_then_to_botocore(numbers: Iterator[int], request: Request, forward: Forward) -> Answer:
    """Every other request of botocore's that is meant to be throttled is answered 408."""
    is_meant = is_by(request, "low-quota") and "botocore" in (request.header("user-agent") or "").lower()
    return page(408) if is_meant and next(numbers) % 2 == 0 else forward(request)


@THEME.with_(settings={"settling-time": 0.2}).mutant("settles-late", NOTHING, reads)
def _late(history: History, answer: Response) -> Answer:
    """Writes are seen after 100 ms."""
    if answer.status != 200 or not history.times or time.time() - history.times[-1] > 0.1:
        return answer
    before = [old for old in history.answers if old.content != answer.content]
    return before[-1] if before else NOT_FOUND


# --- What is not claimed ------------------------------------------------------------------------------------

THEME.with_(stocked=True)[NOTHING] = {
    f"no-writes-{fate.status}: Writing is answered {fate.status}.": only(
        lambda r: r.operation not in (*WRITES, CREATE_DOMAIN), fate
    )
    for fate in (error(405, "MethodNotAllowedException"), DENIED, error(404, "UnknownOperationException"))
}
THEME.with_(options=("--no-writes",), stocked=True)[NOTHING] = {
    "no-writes-asked: Nothing is written, as was asked for.": chain()
}
THEME.with_(**GIVEN)[NOTHING] = {
    "given: A domain and a Uri are given.": chain(),
    "get-only: There is no other operation.": only(
        lambda r: r.operation is None or is_get(r), error(404, "UnknownOperationException")
    ),
}

THEME.with_(options=("--not-claimed", "signatures"))[NOTHING] = {
    "signatures-not-claimed: Signatures are not verified, and not claimed.": serves(always)
}
THEME.with_(without=("unauthorized", "other-account", "low-quota", "temporary"))[NOTHING] = {
    "caller-only: No identity but the caller is known.": chain()
}
THEME[NOTHING] = {
    "low-quota-elsewhere: The identity of a low quota is of another account,"
    " where the integration does not exist.": instead(
        NOT_FOUND, lambda r, a: is_by(r, "low-quota") and a.status == 200
    )
}


def _as_caller(*names: str) -> Handler:
    """Takes some identities for the caller, or all requests where none is named."""

    def handler(request: Request, forward: Forward) -> Answer:
        taken = not names or any(is_by(request, name) for name in names)
        return forward(resigned(request, CALLER) if taken else request)

    return handler


for _capability, _description, _handler in (
    ("throttling", "The identity of a low quota is the caller", _as_caller("low-quota")),
    ("access-control", "The identity without permission is the caller", _as_caller("unauthorized")),
    ("other-account", "The identity of another account is the caller", _as_caller("other-account")),
    ("temporary-credentials", "They are denied", instead(DENIED, lambda r, a: is_by(r, "temporary"))),
):
    THEME.with_(options=("--not-claimed", _capability))[NOTHING] = {
        f"{_capability}-not-claimed: {_description}, which is not claimed.": _handler
    }
THEME.with_(options=("--not-claimed", "signatures", "--not-claimed", "throttling"))[NOTHING] = {
    "all-are-the-caller: Whoever asks is the caller, which is not claimed.": _as_caller()
}
THEME[NOTHING] = {
    f"takes-{'-and-'.join(members)}-only: PutIntegration takes {' and '.join(members)} only.": only(
        lambda r, members=members: r.operation != PUT or not r.members.keys() - {"Uri", *members}, BAD_REQUEST
    )
    for members in (("ObjectTypeName",), ("ObjectTypeName", "Tags"))
}
