"""Servers that judge dates, scopes and session tokens wrongly, or reject what is signed well."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from getintegration_emulator.identities import Identity

from .excuses import now, serves, serves_claims
from .kit import Theme, When, bind, on_answer
from .messages import Handler, Request, Response, error
from .signing import (
    IDENTITIES,
    REGION,
    SERVICE,
    TERMINATOR,
    Claim,
    claim_of,
    fits,
    key_of,
    unauthenticated,
)

THEME = Theme("credential")
_add = THEME.add

_TEMPORARY = IDENTITIES["temporary"]
_WINDOW = timedelta(minutes=5)

# --- Dates and scopes ---------------------------------------------------------------------------------------


def age(request: Request) -> timedelta | None:
    try:
        moment = datetime.strptime(request.header("x-amz-date") or "", "%Y%m%dT%H%M%SZ")
    except ValueError:
        return None
    return now() - moment.replace(tzinfo=UTC)


def _within(past: timedelta, future: timedelta) -> Handler:
    """Accepts dates within a window that is too wide, if the signature fits."""

    def condition(request: Request, claim: Claim) -> bool:
        old = age(request)
        return old is not None and -future <= old <= past and _in_scope(claim) and fits(request)

    return serves_claims(condition)


def _in_scope(claim: Claim) -> bool:
    return (claim.region, claim.service, claim.terminator) == (REGION, SERVICE, TERMINATOR)


_EVER = timedelta(days=10_000)
for _name, _description, _wide in (
    ("of-17-minutes", "17 minutes", timedelta(minutes=17)),
    ("of-45-minutes", "45 minutes", timedelta(minutes=45)),
    ("of-an-hour", "an hour", timedelta(hours=1)),
    ("of-10-hours", "10 hours", timedelta(hours=10)),
    ("without-end", "any time", _EVER),
):
    _add(
        f"past-{_name}",
        f"X-Amz-Date may be old by {_description}.",
        "sigv4.expired-date",
        _within(_wide, _WINDOW),
    )
    _add(
        f"future-{_name}",
        f"X-Amz-Date may be ahead by {_description}.",
        "sigv4.future-date",
        _within(_WINDOW, _wide),
    )
for _name, _description, _fault in (
    ("missing", "A missing date", lambda value: value is None),
    ("empty", "An empty date", lambda value: value == ""),
    (
        "unreadable",
        "An unreadable date",
        lambda value: bool(value) and not re.fullmatch(r"\d{8}T\d{6}Z", value),
    ),
):
    _add(
        f"date-{_name}-accepted",
        f"{_description} is the present.",
        "sigv4.missing-date",
        serves(
            bind(_fault, lambda fault, request: bool(key_of(request)) and fault(request.header("x-amz-date")))
        ),
    )


def _scoped(ignored: str) -> Handler:
    """Does not look at one part of the credential scope."""

    def condition(request: Request, claim: Claim) -> bool:
        due = {"region": REGION, "service": SERVICE, "terminator": TERMINATOR}
        old = age(request)
        if old is None or not -_WINDOW <= old <= _WINDOW:
            return False
        due["date"] = (request.header("x-amz-date") or "")[:8]
        return all(getattr(claim, name) == value or name == ignored for name, value in due.items()) and fits(
            request
        )

    return serves_claims(condition)


for _part, _clause in (
    ("date", "wrong-scope-date"),
    ("region", "wrong-region"),
    ("service", "wrong-service"),
    ("terminator", "wrong-terminator"),
):
    _add(
        f"scope-{_part}-ignored",
        f"The {_part} of the credential scope is not looked at.",
        f"sigv4.{_clause}",
        _scoped(_part),
    )
_add(
    "scope-ignored-if-date-is-yesterday",
    "The scope may be of the day before.",
    "sigv4.wrong-scope-date",
    serves_claims(
        lambda request, claim: claim.date == f"{now(-86400):%Y%m%d}" and _in_scope(claim) and fits(request)
    ),
)

# --- Session tokens -----------------------------------------------------------------------------------------


def _token(accepted: Callable[[str | None], bool], identity: Identity) -> Handler:
    return serves_claims(
        lambda request, claim: (
            claim.identity == identity and fits(request) and accepted(request.header("x-amz-security-token"))
        )
    )


_GOOD = _TEMPORARY.session_token or ""
for _name, _description, _clause, _accepted in (
    ("may-be-missing", "Temporary credentials need no token.", "missing-token", lambda token: token is None),
    ("not-compared", "Any session token is accepted.", "bad-token", lambda token: bool(token)),
    (
        "may-be-cut",
        "The beginning of a session token is enough.",
        "bad-token",
        lambda t: bool(t) and _GOOD.startswith(t),
    ),
    (
        "may-be-longer",
        "More may follow a session token.",
        "bad-token",
        lambda t: bool(t) and t.startswith(_GOOD),
    ),
    (
        "in-any-case",
        "Session tokens are compared without regard to case.",
        "bad-token",
        lambda t: bool(t) and t.lower() == _GOOD.lower(),
    ),
):
    _add(f"token-{_name}", _description, f"sigv4.{_clause}", _token(_accepted, _TEMPORARY))
# --- Right ones rejected ------------------------------------------------------------------------------------


def _denies(when: Callable[[Request], bool]) -> Handler:
    """Rejects some right signatures as wrong."""

    def change(request: Request, answer: Response) -> Response:
        if unauthenticated(answer) or not claim_of(request) or not when(request):
            return answer
        return error(403, "InvalidSignatureException")

    return on_answer(change)


def _older(seconds: float) -> Callable[[Request], bool]:
    return lambda request: (age(request) or timedelta()).total_seconds() > seconds


for _seconds in (60, 120, 230):
    _add(
        f"past-of-{_seconds}-seconds",
        f"X-Amz-Date must not be older than {_seconds} seconds.",
        "sigv4.clock-window",
        _denies(_older(_seconds)),
    )
    _add(
        f"future-of-{_seconds}-seconds",
        f"X-Amz-Date must not be ahead by more than {_seconds} seconds.",
        "sigv4.clock-window",
        _denies(
            bind(_seconds, lambda seconds, request: (age(request) or timedelta()).total_seconds() < -seconds)
        ),
    )
_add(
    "token-rejected",
    "Temporary credentials are rejected.",
    "sigv4.session-token",
    _denies(lambda request: key_of(request) == _TEMPORARY.access_key),
)
_STANDARD = {
    *("host", "content-length", "content-type", "accept", "accept-encoding", "user-agent", "connection"),
    *("authorization", "amz-sdk-invocation-id", "amz-sdk-request", "transfer-encoding", "expect"),
}


def _unsigned(request: Request) -> set[str]:
    claim = claim_of(request)
    return {name.lower() for name, _ in request.headers} - set(claim.signed if claim else ())


def _parts(request: Request) -> list[str]:
    return request.query.split("&")


def _has_name_twice(request: Request) -> bool:
    return len({part.partition("=")[0] for part in _parts(request)}) < len(_parts(request))


def _has_mixed_case(request: Request) -> bool:
    names = (name for name, _ in request.headers if name.lower().startswith("x-amz-"))
    return any(name not in (name.lower(), name.title()) for name in names)


def _metas(request: Request) -> list[str]:
    return [value for name, value in request.headers if name.lower().startswith("x-amz-m")]


def _has_odd_unsigned(request: Request) -> bool:
    return bool(_unsigned(request) - _STANDARD)


def _has_other_agent(request: Request) -> bool:
    return "user-agent" in _unsigned(request) and not (request.header("user-agent") or "").startswith(
        "getint"
    )


_REJECTED: dict[str, tuple[tuple[str, str, When], ...]] = {
    "canonical-path": (
        ("path-encoded-once", "A path with a percent sign", lambda r: "%" in r.path),
        ("path-escapes-in-lower-case", "A path with %e2", lambda r: "%e2" in r.path),
        ("path-with-marks", "A path with !, ', ( or )", lambda r: bool(re.search("[!'()]", r.path))),
        ("path-with-tilde", "A path with a tilde", lambda r: "~" in r.path),
        ("path-with-plus", "A path with a plus sign", lambda r: "+" in r.path),
        ("path-with-delimiters", "A path with =, & or @", lambda r: bool(re.search("[=&@]", r.path))),
    ),
    "canonical-query": (
        ("query-not-sorted", "A query that is not sorted", lambda r: _parts(r) != sorted(_parts(r))),
        ("query-sorted-by-name-only", "A query with a name twice", _has_name_twice),
        ("query-with-escapes", "A query with a percent sign", lambda r: "%" in r.query),
        ("query-with-empty-value", "A query with an empty value", lambda r: r.query.endswith("=")),
        ("query", "A query", lambda r: bool(r.query)),
    ),
    "canonical-headers": (
        ("header-spaces", "A header with two spaces", lambda r: any("  " in v for _, v in r.headers)),
        ("header-case", "A header X-Amz in mixed case", _has_mixed_case),
        ("header-commas", "A signed header with commas", lambda r: "," in (r.header("x-amz-meta") or "")),
        (
            "header-unknown",
            "A signed header that no operation knows",
            lambda r: r.header("x-amz-zebra") is not None,
        ),
    ),
    "unsigned-headers sdk.boto3": (
        ("header-user-agent", "An unsigned User-Agent that is not the suite's own", _has_other_agent),
        (
            "header-unsigned",
            "An unsigned header that is not of every client",
            lambda r: bool(_unsigned(r) - _STANDARD),
        ),
        ("header-accept", "An unsigned Accept", lambda r: "accept" in _unsigned(r)),
        ("header-forwarded", "An unsigned X-Forwarded-For", lambda r: "x-forwarded-for" in _unsigned(r)),
    ),
}
for _clauses, _rows in _REJECTED.items():
    for _name, _description, _when in _rows:
        _add(
            f"{_name}-rejected",
            f"{_description} makes the signature wrong.",
            f"sigv4.{_clauses}",
            _denies(_when),
        )

# --- Rejections of a wrong kind -----------------------------------------------------------------------------


def _rejected(change: Callable[[Response], Response]) -> Handler:
    return on_answer(lambda request, answer: change(answer) if unauthenticated(answer) else answer)


for _status in (200, 302, 404, 500, 503):
    _add(
        f"rejected-with-{_status}",
        f"Whoever is not known is answered {_status}.",
        "sigv4.missing-authorization sigv4.wrong-secret",
        _rejected(bind(_status, lambda status, answer: answer.with_status(status))),
    )
_add(
    "rejected-without-type",
    "Whoever is not known is answered without a type.",
    "error.type",
    _rejected(lambda answer: answer.with_type(None)),
)
_add(
    "rejected-with-a-page",
    "Whoever is not known is answered 401 in HTML, with a login page.",
    "error.type error.body.json error.content-type",
    _rejected(lambda _: Response(401, (("Content-Type", "text/html"),), b"<form>Please log in.</form>")),
)
