"""Lawful choices of which error is answered, and many lawful choices at once."""

from __future__ import annotations

import json

from . import lawful_forms as forms
from .kit import Known, always, answers, bind, instead, is_get, knows, on_answer, valid_name, valid_uri
from .lawful_kit import Lawful
from .messages import MISSING, Answer, Forward, Handler, Raw, Request, Response, error
from .signing import claim_of, fits, is_by, unauthenticated

THEME = Lawful("lawful-choice")
_add = THEME.variant

# --- Which error --------------------------------------------------------------------------------------------


def _unreadable(request: Request) -> bool:
    """Whether a deserialiser stumbles, before any constraint is looked at."""
    if not isinstance(request.document, dict):
        return bool(request.body)
    return request.uri is not MISSING and request.uri is not None and not isinstance(request.uri, str)


def _invalid(request: Request) -> bool:
    return bool(request.domain) and not (valid_name(request) and valid_uri(request))


def _is_denied(request: Request, answer: Response) -> bool:
    return answer.error_type == "AccessDeniedException"


def _is_elsewhere(request: Request) -> bool:
    claim = claim_of(request)
    return claim is not None and claim.region != "us-east-1" and claim.service == "profile"


_BAD_REQUEST, _NOT_FOUND = error(400, "BadRequestException"), error(404, "ResourceNotFoundException")


def _types(names: dict[str, str], statuses: dict[str, int] | None = None) -> Handler:
    """Spells the types of authentication errors otherwise."""

    def change(request: Request, answer: Response) -> Response:
        name = answer.error_type or ""
        if not unauthenticated(answer):
            return answer
        restated = answer.with_status((statuses or {}).get(name, answer.status))
        return restated.with_type(names[name]) if name in names else restated

    return on_answer(change)


def _gateway(status: int, body: dict[str, str], error_type: str | None = None) -> Handler:
    """Answers what has no route as a gateway does."""

    def change(request: Request, answer: Response) -> Response:
        lost = request.operation is None and 400 <= answer.status < 500 and request.method != "HEAD"
        if not lost or (unauthenticated(answer) and claim_of(request) is None):
            return answer
        headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
        if error_type:
            headers = (*headers, ("x-amzn-ErrorType", error_type))
        return Response(status, headers, json.dumps(body).encode())

    return on_answer(change, always)


_OLDER = {
    "MissingAuthenticationTokenException": "MissingAuthenticationToken",
    "IncompleteSignatureException": "IncompleteSignature",
    "UnrecognizedClientException": "InvalidClientTokenId",
    "InvalidSignatureException": "SignatureDoesNotMatch",
}
query_family = _types(_OLDER)
for _type in ("BadRequestException", "SerializationException"):
    _add(
        f"unreadable-is-{_type}",
        f"Unreadable JSON and wrong types are a {_type}.",
        answers(
            lambda request: _unreadable(request) and (valid_name(request) or request.document is MISSING),
            bind(_type, lambda name, _: error(400, name)),
        ),
    )
_add("query-family", "Authentication errors have the names of AWS's older family.", query_family)
for _status in (400, 401):
    _add(
        f"unauthenticated-{_status}",
        f"Every authentication error has status {_status}.",
        _types({}, dict.fromkeys(_OLDER, _status)),
    )
_add(
    "incomplete-is-400",
    "An incomplete signature is answered 400.",
    _types({}, {"IncompleteSignatureException": 400}),
)
_add(
    "missing-is-401",
    "A missing signature is answered 401.",
    _types({}, {"MissingAuthenticationTokenException": 401}),
)
for _name, _status, _body, _error_type in (
    ("403", 403, {"message": "Missing Authentication Token"}, "MissingAuthenticationTokenException"),
    ("403-untyped", 403, {"message": "Forbidden"}, None),
    ("404", 404, {"message": "Not Found"}, "UnknownOperationException"),
    ("404-untyped", 404, {"message": "no Route matched with those values"}, None),
    ("405", 405, {"Message": "Method Not Allowed"}, None),
):
    _add(
        f"no-route-{_name}", f"What has no route is answered {_name}.", _gateway(_status, _body, _error_type)
    )
_add(
    "denied-is-404",
    "An identity without permission is told that nothing is there.",
    instead(_NOT_FOUND, _is_denied),
)
_add(
    "other-account-is-403",
    "Another account is denied access.",
    instead(
        error(403, "AccessDeniedException"),
        lambda request, answer: is_by(request, "other-account") and answer.status == 404,
    ),
)
_add(
    "input-first",
    "Input is looked at before the signature is.",
    instead(_BAD_REQUEST, lambda request, answer: unauthenticated(answer) and _invalid(request)),
)


@THEME.mutant("domain-first", "", knows)
def _domain_first(known: Known, request: Request, answer: Response, forward: Forward) -> Answer:
    """The domain is looked up before the body is read."""
    unknown = is_get(request) and valid_name(request) and request.domain not in known.domains
    rejected = answer.status in (400, 415) and not unauthenticated(answer)
    return _NOT_FOUND if unknown and rejected else answer


_add(
    "input-before-access",
    "Input is looked at before permission is.",
    instead(_BAD_REQUEST, lambda request, answer: _is_denied(request, answer) and _invalid(request)),
)
_add(
    "one-address-for-all-regions",
    "Another region is served too, and has no such integration.",
    instead(
        _NOT_FOUND,
        lambda request, answer: unauthenticated(answer) and fits(request) and _is_elsewhere(request),
    ),
)


def _head_size(request: Request) -> int:
    return sum(len(value) for _, value in request.headers)


for _status, _type in ((415, "UnsupportedMediaTypeException"), (400, "BadRequestException")):
    _add(
        f"content-type-wrong-is-{_status}",
        f"A wrong or missing Content-Type is answered {_status}.",
        answers(
            lambda request: request.media_type != "application/json",
            error(_status, _type),
        ),
    )
_add(
    "unknown-members-rejected",
    "An unknown member of a request is rejected, which is observed nowhere and forbidden nowhere.",
    answers(
        lambda request: isinstance(request.document, dict) and bool(request.document.keys() - {"Uri"}),
        error(400, "BadRequestException"),
    ),
)
_add(
    "cautious-parser",
    "JSON that parsers read in different ways is rejected.",
    answers(
        lambda request: (
            request.body.startswith(b"\xef\xbb\xbf")
            or request.body.count(b'"Uri"') > 1
            or request.body.count(b"[") > 100
            or b"e999" in request.body
        ),
        error(400, "SerializationException"),
    ),
)
_add(
    "large-body-reset",
    "A body of a megabyte is not read to its end, and the connection is reset.",
    on_answer(lambda request, answer: Raw(b"", "reset") if len(request.body) > 1_000_000 else answer),
)
for _name, _description, _when, _status in (
    ("large-body-413", "A body of a megabyte", lambda r: len(r.body) > 1_000_000, 413),
    ("headers-of-3-kB-431", "Headers of 3 kilobytes", lambda r: _head_size(r) > 3000, 431),
    ("headers-of-9-kB-431", "Headers of 9 kilobytes", lambda r: _head_size(r) > 9000, 431),
    ("chunked-411", "A chunked body", lambda r: r.chunked, 411),
    ("expect-417", "Expect: 100-continue", lambda r: r.header("expect") is not None, 417),
    ("HEAD-405", "HEAD", lambda r: r.method == "HEAD", 405),
    ("OPTIONS-404", "OPTIONS", lambda r: r.method == "OPTIONS", 404),
):
    _add(
        _name,
        f"{_description} is answered {_status}.",
        on_answer(bind(error(_status, "RejectedException"), lambda fixed, request, answer: fixed), _when),
    )
_add(
    "OPTIONS-for-browsers",
    "OPTIONS is answered 200, as browsers ask it.",
    on_answer(
        lambda request, answer: Response(
            200, (("Allow", "POST, OPTIONS"), ("Access-Control-Allow-Origin", "*"))
        ),
        lambda request: request.method == "OPTIONS",
    ),
)
_add(
    "segments-of-dots-404",
    "A name that routing can see is answered by the gateway.",
    answers(
        lambda r: not r.domain or "/" in r.domain or r.domain in (".", ".."),
        lambda _: Response(404, (("Content-Type", "application/json"),), b'{"message": "Not Found"}'),
    ),
)

# --- Several at once ----------------------------------------------------------------------------------------

_add(
    "all-1",
    "Many lawful choices at once: an AWS front end.",
    forms.gzipped,
    forms.extra_headers,
    forms.lower_case,
    forms.chunked,
    forms.nulls,
    forms.type_in_body,
    forms.lower_message,
    forms.unknown_members,
)
_add(
    "all-2",
    "Many lawful choices at once: a small mock.",
    forms.framed("close"),
    forms.indented,
    forms.message("Message"),
    forms.typed(forms.with_member("code")),
    query_family,
    forms.without_header("date"),
    forms.times(int),
)
_add(
    "all-3",
    "Many lawful choices at once: a gateway.",
    _gateway(403, {"message": "Forbidden"}),
    forms.reversed_keys,
    _types({}, {"MissingAuthenticationTokenException": 401}),
    forms.declared("application/json; charset=utf-8"),
    forms.unknown_members,
)
