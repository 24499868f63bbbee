"""Servers that judge dates, scopes and session tokens wrongly, or reject what is signed well."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from .errors import untyped
from .excuses import now, serves, serves_claims
from .fates import WRONG_SIGNATURE, page
from .kit import Theme, instead, on_answer
from .messages import Handler, Request, Response
from .signing import IDENTITIES, SCOPE, Claim, claim_of, fits, key_of, signature, unauthenticated

THEME = Theme("credential")

_TEMPORARY = IDENTITIES["temporary"]
_WINDOW = timedelta(minutes=5)

# --- Dates and scopes ---------------------------------------------------------------------------------------


def age(request: Request) -> timedelta | None:
    try:
        moment = datetime.strptime(request.header("x-amz-date") or "", "%Y%m%dT%H%M%SZ")
    except ValueError:
        return None
    return now() - moment.replace(tzinfo=UTC)


def _scope(request: Request) -> dict[str, str]:
    """The credential scope that is due for a request."""
    due = ((request.header("x-amz-date") or "")[:8], *SCOPE)
    return dict(zip(("date", "region", "service", "terminator"), due, strict=True))


def _lenient(past: timedelta = _WINDOW, future: timedelta = _WINDOW, ignored: str = "") -> Handler:
    """Accepts dates within a window that is too wide, or ignores one part of the credential scope."""

    def condition(request: Request, claim: Claim) -> bool:
        old = age(request)
        wrong = {name for name, value in _scope(request).items() if getattr(claim, name) != value}
        return old is not None and -future <= old <= past and wrong <= {ignored} and fits(request)

    return serves_claims(condition)


for _name, _description, _wide in (
    ("of-17-minutes", "17 minutes", timedelta(minutes=17)),
    ("of-45-minutes", "45 minutes", timedelta(minutes=45)),
    ("of-an-hour", "an hour", timedelta(hours=1)),
    ("of-10-hours", "10 hours", timedelta(hours=10)),
    ("without-end", "any time", timedelta(days=10_000)),
):
    THEME["sigv4.expired-date"] = {
        f"past-{_name}: X-Amz-Date may be old by {_description}.": _lenient(past=_wide)
    }
    THEME["sigv4.future-date"] = {
        f"future-{_name}: X-Amz-Date may be ahead by {_description}.": _lenient(future=_wide)
    }
THEME["sigv4.missing-date"] = {
    f"date-{name}-accepted: {description} is the present.": serves(
        lambda r, fault=fault: bool(key_of(r)) and fault(r.header("x-amz-date"))
    )
    for name, description, fault in (
        ("missing", "A missing date", lambda date: date is None),
        ("empty", "An empty date", lambda date: date == ""),
        ("unreadable", "An unreadable date", lambda d: bool(d) and not re.fullmatch(r"\d{8}T\d{6}Z", d)),
    )
}


def _assumed(part: str) -> Handler:
    """Verifies with the part of the credential scope that is due, whatever part the credential names."""

    def condition(request: Request, claim: Claim) -> bool:
        due = replace(claim, **{part: _scope(request)[part]})
        return due != claim and claim.signature == signature(request, due)

    return serves_claims(condition)


for _part, _clause in (
    ("date", "wrong-scope-date"),
    ("region", "wrong-region"),
    ("service", "wrong-service"),
    ("terminator", "wrong-terminator"),
):
    THEME[f"sigv4.{_clause}"] = {
        f"scope-{_part}-ignored: The {_part} of the credential scope is ignored.": _lenient(ignored=_part),
        f"scope-{_part}-assumed: It is taken to be the right one, whatever it is.": _assumed(_part),
    }
THEME["sigv4.wrong-scope-date"] = {
    "scope-ignored-if-date-is-yesterday: The scope may be of the day before.": serves_claims(
        lambda r, c: c.scope == (f"{now(-86400):%Y%m%d}", *SCOPE) and fits(r)
    )
}

# --- Session tokens -----------------------------------------------------------------------------------------


def _token(accepted: Callable[[str | None], object]) -> Handler:
    """Accepts temporary credentials with some session tokens."""

    def condition(request: Request, claim: Claim) -> bool:
        token = request.header("x-amz-security-token")
        return claim.identity == _TEMPORARY and fits(request) and bool(accepted(token))

    return serves_claims(condition)


_GOOD = _TEMPORARY.session_token or ""
THEME["sigv4.missing-token"] = {
    "token-may-be-missing: Temporary credentials need no token.": _token(lambda token: token is None)
}
THEME["sigv4.bad-token"] = {
    "token-not-compared: Any session token is accepted.": _token(lambda token: token),
    "token-may-be-cut: Its beginning is enough.": _token(lambda token: token and _GOOD.startswith(token)),
    "token-may-be-longer: More may follow it.": _token(lambda token: token and token.startswith(_GOOD)),
    "token-in-any-case: Case is ignored.": _token(lambda token: token and token.lower() == _GOOD.lower()),
}

# --- Right ones rejected ------------------------------------------------------------------------------------


def _denies(when: Callable[[Request], object]) -> Handler:
    """Rejects some right signatures as wrong."""
    return instead(
        WRONG_SIGNATURE,
        lambda r, a: not unauthenticated(a) and claim_of(r) is not None and bool(when(r)),
    )


def _seconds(request: Request) -> float:
    return (age(request) or timedelta()).total_seconds()


for _limit in (60, 120, 230):
    THEME["sigv4.clock-window"] = {
        f"past-of-{_limit}-seconds: X-Amz-Date must not be older than {_limit} seconds.": _denies(
            lambda r, limit=_limit: _seconds(r) > limit
        ),
        f"future-of-{_limit}-seconds: X-Amz-Date must not be ahead by more than {_limit} seconds.": _denies(
            lambda r, limit=_limit: _seconds(r) < -limit
        ),
    }
THEME["sigv4.session-token"] = {
    "token-rejected: Temporary credentials fail.": _denies(lambda r: key_of(r) == _TEMPORARY.access_key)
}
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


def _sorts_as_text(request: Request) -> bool:
    return sorted(_parts(request)) != sorted(_parts(request), key=lambda part: part.split("="))


def _has_mixed_case(request: Request) -> bool:
    names = (name for name, _ in request.headers if name.lower().startswith("x-amz-"))
    return any(name not in (name.lower(), name.title()) for name in names)


def _has_other_agent(request: Request) -> bool:
    agent = request.header("user-agent") or ""
    return "user-agent" in _unsigned(request) and not agent.startswith("getint")


_REJECTED: dict[str, tuple[tuple[str, str, Callable[[Request], object]], ...]] = {
    "canonical-path": (
        ("path-encoded-once", "A path with a percent sign", lambda r: "%" in r.path),
        ("path-escapes-in-lower-case", "A path with %e2", lambda r: "%e2" in r.path),
        ("path-with-marks", "A path with !, ', ( or )", lambda r: re.search("[!'()]", r.path)),
        ("path-with-tilde", "A path with a tilde", lambda r: "~" in r.path),
        ("path-with-plus", "A path with a plus sign", lambda r: "+" in r.path),
        ("path-with-delimiters", "A path with =, & or @", lambda r: re.search("[=&@]", r.path)),
    ),
    "canonical-query": (
        ("query-not-sorted", "A query that is not sorted", lambda r: _parts(r) != sorted(_parts(r))),
        ("query-sorted-by-name-only", "A query with a name twice", _has_name_twice),
        ("query-sorted-as-text", "A query that sorts otherwise as text than by its names", _sorts_as_text),
        ("query-with-escapes", "A query with a percent sign", lambda r: "%" in r.query),
        ("query-with-empty-value", "A query with an empty value", lambda r: r.query.endswith("=")),
        ("query", "A query", lambda r: r.query),
    ),
    "canonical-headers": (
        ("header-spaces", "A header with two spaces", lambda r: any("  " in v for _, v in r.headers)),
        ("header-case", "A header X-Amz in mixed case", _has_mixed_case),
        ("header-commas", "A signed header with commas", lambda r: "," in (r.header("x-amz-meta") or "")),
        ("header-unknown", "A signed header that no operation knows", lambda r: r.header("x-amz-zebra")),
    ),
    "unsigned-headers sdk.boto3": (
        ("header-user-agent", "An unsigned User-Agent that is not the suite's own", _has_other_agent),
        ("header-unsigned", "An unsigned header that few clients send", lambda r: _unsigned(r) - _STANDARD),
        ("header-accept", "An unsigned Accept", lambda r: "accept" in _unsigned(r)),
        ("header-forwarded", "An unsigned X-Forwarded-For", lambda r: "x-forwarded-for" in _unsigned(r)),
    ),
}
for _clauses, _rows in _REJECTED.items():
    THEME[f"sigv4.{_clauses}"] = {
        f"{name}-rejected: {description} makes the signature wrong.": _denies(when)
        for name, description, when in _rows
    }

# --- Rejections of a wrong kind -----------------------------------------------------------------------------


def _rejected(change: Callable[[Response], Response]) -> Handler:
    return on_answer(lambda request, answer: change(answer) if unauthenticated(answer) else answer)


THEME["sigv4.missing-authorization sigv4.wrong-secret"] = {
    f"rejected-with-{status}: Whoever is not known is answered {status}.": _rejected(
        lambda a, status=status: a.with_status(status)
    )
    for status in (200, 302, 404, 500, 503)
}
THEME["error.type"] = {
    "rejected-without-type: Whoever is not known is answered without a type.": _rejected(untyped)
}
THEME["error.type error.body.json error.content-type"] = {
    "rejected-with-a-page: Whoever is not known is answered 401 in HTML, with a login page.": _rejected(
        lambda _: page(401, "<form>Please log in.</form>")
    )
}
