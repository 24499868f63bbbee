"""Lawful choices of which error is answered, and many lawful choices at once."""

import json

from . import lawful_forms as forms
from .fates import BAD_REQUEST, DENIED, NOT_FOUND
from .kit import (
    Theme,
    When,
    always,
    answers,
    bad_input,
    chain,
    from_one,
    headed,
    instead,
    is_get,
    observes,
    on_answer,
    valid_name,
)
from .lawful_forms import NOTHING
from .messages import MISSING, Answer, Forward, Handler, Raw, Request, Response, error, ok
from .signing import OLDER_TYPES, claim_of, fits, is_by, unauthenticated
from .transport import head_size
from .writes import Past, knows

THEME = Theme("lawful-choice")

# --- Which error --------------------------------------------------------------------------------------------


def _unreadable(request: Request) -> bool:
    """Whether a deserialiser stumbles, before any constraint is looked at."""
    if not isinstance(request.document, dict):
        return bool(request.body)
    return request.uri is not MISSING and request.uri is not None and not isinstance(request.uri, str)


def _is_denied(request: Request, answer: Response) -> bool:
    return answer.error_type == "AccessDeniedException"


def _is_elsewhere(request: Request) -> bool:
    claim = claim_of(request)
    return claim is not None and claim.region != "us-east-1" and claim.service == "profile"


def _types(names: dict[str, str], statuses: dict[str, int] | None = None) -> Handler:
    """Spells the types of authentication errors otherwise."""

    def change(request: Request, answer: Response) -> Response:
        name = answer.error_type or ""
        if not unauthenticated(answer):
            return answer
        restated = answer.with_status((statuses or {}).get(name, answer.status))
        return restated.with_type(names[name]) if name in names else restated

    return on_answer(change)


def unrouted(answer: Response, which: When = lambda r: r.method != "HEAD") -> Handler:
    """Answers what has no route before it looks at a signature, where there is one."""

    def change(request: Request, given: Response) -> Response:
        lost = request.operation is None and 400 <= given.status < 500 and which(request)
        return answer if lost and not (unauthenticated(given) and claim_of(request) is None) else given

    return on_answer(change, always)


def _gateway(status: int, body: dict[str, str], error_type: str | None = None) -> Handler:
    """Answers what has no route as a gateway does."""
    answer = Response(status, (("Content-Type", "application/json"),), json.dumps(body).encode())
    return unrouted(answer.with_header("x-amzn-ErrorType", error_type))


query_family = _types(OLDER_TYPES)
THEME[NOTHING] = {
    **{
        f"unreadable-is-{name}: Unreadable JSON and wrong types are a {name}.": answers(
            lambda r: _unreadable(r) and (valid_name(r) or r.document is MISSING), error(400, name)
        )
        for name in ("BadRequestException", "SerializationException")
    },
    "query-family: Authentication errors have the names of AWS's older family.": query_family,
    **{
        f"unauthenticated-{status}: Every authentication error has status {status}.": _types(
            {}, dict.fromkeys(OLDER_TYPES, status)
        )
        for status in (400, 401)
    },
    "incomplete-is-400: An incomplete signature gets 400.": _types({}, {"IncompleteSignatureException": 400}),
    "missing-is-401: A missing signature gets 401.": _types({}, {"MissingAuthenticationTokenException": 401}),
    **{
        f"no-route-{name}: What has no route is answered {name}.": _gateway(status, body, error_type)
        for name, status, body, error_type in (
            ("403", 403, {"message": "Missing Authentication Token"}, "MissingAuthenticationTokenException"),
            ("403-untyped", 403, {"message": "Forbidden"}, None),
            ("404", 404, {"message": "Not Found"}, "UnknownOperationException"),
            ("404-untyped", 404, {"message": "no Route matched with those values"}, None),
            ("405", 405, {"Message": "Method Not Allowed"}, None),
        )
    },
    "denied-is-404: Without permission, nothing is found.": instead(NOT_FOUND, _is_denied),
    "other-account-is-403: Another account is denied access.": instead(
        DENIED, lambda r, a: is_by(r, "other-account") and a.status == 404
    ),
    "other-account-is-now-403: Another account is denied access, or finds nothing, in turn.": observes(
        from_one
    )(
        lambda numbers, r, a: (
            DENIED if is_by(r, "other-account") and a.status == 404 and next(numbers) % 2 else a
        )
    ),
    "input-first: Input is looked at before the signature is.": instead(
        BAD_REQUEST, lambda r, a: unauthenticated(a) and bad_input(r)
    ),
}


@THEME.mutant("domain-first", NOTHING, knows)
def _domain_first(past: Past, request: Request, answer: Response, forward: Forward) -> Answer:
    """The domain is looked up before the body is read."""
    unknown = is_get(request) and valid_name(request) and request.domain not in past.domains
    rejected = answer.status in (400, 415) and not unauthenticated(answer)
    return NOT_FOUND if unknown and rejected else answer


def _is_ambiguous(request: Request) -> bool:
    body = request.body
    several = body.count(b'"Uri"') > 1 or body.count(b"[") > 100
    return several or body.startswith(b"\xef\xbb\xbf") or b"e999" in body


THEME[NOTHING] = {
    "input-before-access: Input is looked at before permission is.": instead(
        BAD_REQUEST, lambda r, a: _is_denied(r, a) and bad_input(r)
    ),
    "one-address-for-all-regions: Another region is served too, and has no such integration.": instead(
        NOT_FOUND, lambda r, a: unauthenticated(a) and fits(r) and _is_elsewhere(r)
    ),
    **{
        f"content-type-wrong-is-{fate.status}: Wrong or missing ones are answered {fate.status}.": answers(
            lambda r: r.media_type != "application/json", fate
        )
        for fate in (error(415, "UnsupportedMediaTypeException"), BAD_REQUEST)
    },
    "unknown-members-rejected: An unknown member of a request is rejected,"
    " which is observed nowhere and forbidden nowhere.": answers(
        lambda r: bool(r.members.keys() - {"Uri"}), BAD_REQUEST
    ),
    "cautious-parser: Ambiguous JSON fails.": answers(_is_ambiguous, error(400, "SerializationException")),
    "large-body-reset: A body of a megabyte is not read to its end, and the connection is reset.": on_answer(
        lambda r, a: Raw(b"", "reset") if len(r.body) > 1_000_000 else a
    ),
    **{
        f"{name}: {description} gets {status}.": instead(error(status, "RejectedException"), always, when)
        for name, description, when, status in (
            ("large-body-413", "A body of a megabyte", lambda r: len(r.body) > 1_000_000, 413),
            ("headers-of-3-kB-431", "Headers of 3 kilobytes", lambda r: head_size(r) > 3000, 431),
            ("headers-of-9-kB-431", "Headers of 9 kilobytes", lambda r: head_size(r) > 9000, 431),
            ("chunked-411", "A chunked body", lambda r: r.chunked, 411),
            ("expect-417", "Expect: 100-continue", lambda r: r.header("expect") is not None, 417),
            ("HEAD-405", "HEAD", lambda r: r.method == "HEAD", 405),
            ("OPTIONS-404", "OPTIONS", lambda r: r.method == "OPTIONS", 404),
        )
    },
    "OPTIONS-for-browsers: OPTIONS is answered 200, as browsers ask it.": instead(
        Response(200, (("Allow", "POST, OPTIONS"), ("Access-Control-Allow-Origin", "*"))),
        always,
        lambda r: r.method == "OPTIONS",
    ),
    "segments-of-dots-404: A name that routing can see is answered by the gateway.": answers(
        lambda r: not r.domain or "/" in r.domain or r.domain in (".", ".."),
        ok({"message": "Not Found"}, 404),
    ),
}

# --- Several at once ----------------------------------------------------------------------------------------

THEME[NOTHING] = {
    "all-1: Many lawful choices at once: an AWS front end.": chain(
        forms.gzipped,
        forms.extra_headers,
        forms.lower_case,
        forms.chunked,
        forms.nulls,
        forms.type_in_body,
        forms.lower_message,
        forms.unknown_members,
    ),
    "all-2: Many lawful choices at once: a small mock.": chain(
        forms.framed("close"),
        forms.indented,
        forms.message("Message"),
        forms.typed(forms.with_member("code")),
        query_family,
        forms.every(headed("Date", None)),
        forms.times(int),
    ),
    "all-3: Many lawful choices at once: a gateway.": chain(
        _gateway(403, {"message": "Forbidden"}),
        forms.reversed_keys,
        _types({}, {"MissingAuthenticationTokenException": 401}),
        forms.every(headed("Content-Type", "application/json; charset=utf-8")),
        forms.unknown_members,
    ),
}
