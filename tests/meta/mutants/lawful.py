"""Servers that differ from the base only where the contract leaves the choice: none of them may fail."""

from __future__ import annotations

import gzip
import itertools
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from .kit import (
    Build,
    Mutant,
    Theme,
    answers,
    chain,
    changed,
    is_get,
    on_answer,
    on_document,
    valid_name,
    valid_uri,
)
from .messages import (
    DELETE,
    DELETE_DOMAIN,
    MISSING,
    PUT,
    Answer,
    Forward,
    Handler,
    Raw,
    Request,
    Response,
    error,
    serialise,
)
from .signing import claim_of, fits, is_by, resigned, unauthenticated
from .writes import Writes, key

THEME = Theme("lawful")

#: Where a run finds its integration if it may not make one; ``run`` puts it there.
STOCK = ("ContractStock", "s3://Contract-Stock/Caf\u00e9/a%20b")
_GIVEN = ("--domain-name", STOCK[0], "--integration-uri", STOCK[1])


def _add(name: str, description: str, *handlers: Handler, **more: Any) -> None:
    THEME.add(name, description, "", chain(*handlers), **more)


def _stateful(name: str, description: str, build: Build, **more: Any) -> None:
    THEME.add_stateful(name, description, "", build, **more)


def _every(change: Callable[[Response], Answer]) -> Handler:
    """Changes every answer, of whatever operation."""
    return on_answer(lambda request, answer: change(answer), lambda request: True)


def _errors(change: Callable[[Response], Answer]) -> Handler:
    return _every(lambda answer: change(answer) if answer.status >= 400 else answer)


def _documents(change: Callable[[Any], bytes]) -> Handler:
    """Writes every JSON body in another way."""
    return _every(
        lambda answer: answer if answer.document is MISSING else answer.with_body(change(answer.document))
    )


# --- What a 200 holds ---------------------------------------------------------------------------------------

_UNKNOWN = {"ResourceVersion": 7, "KmsKeyArn": None, "Nested": {"Uri": [1, 2.5, True, {"é": "😀"}]}}
_OPTIONAL = (
    ["ObjectTypeName", "ObjectTypeNames", "Tags", "RoleArn", "EventTriggerNames", "Scope", "WorkflowId", "IsUnstructured"]
)

unknown_members = on_document(lambda document: {**document, **_UNKNOWN})
nulls = on_document(lambda document: {**dict.fromkeys(_OPTIONAL), **document})
reversed_keys = _documents(
    lambda d: json.dumps(dict(reversed(d.items())) if isinstance(d, dict) else d).encode()
)
indented = _documents(lambda document: b"\n  " + json.dumps(document, indent=4).encode() + b"\r\n")


def _times(change: Callable[[float], Any]) -> Handler:
    def changed_times(document: dict[str, Any]) -> None:
        for member in ("CreatedAt", "LastUpdatedAt"):
            document[member] = change(document[member])

    return on_document(changed_times)


def _exponents(answer: Response) -> Response:
    """Times as JavaScript would never write them, but JSON may: 1.7e9."""
    if answer.status != 200 or not isinstance(answer.document, dict):
        return answer
    body = json.dumps(answer.document)
    for member in ("CreatedAt", "LastUpdatedAt"):
        value = answer.document.get(member)
        if isinstance(value, (int, float)):
            body = body.replace(f'"{member}": {json.dumps(value)}', f'"{member}": {value:.13e}')
    return answer.with_body(body.encode())


_add("nothing-changed", "The base itself.")
_add("unknown-members", "The answer has members that nobody knows.", unknown_members)
_add("nulls", "Absent optional members are null.", nulls)
_add(
    "empty-collections",
    "Absent tags and triggers are empty.",
    on_document(lambda document: {"Tags": {}, "EventTriggerNames": [], **document}),
)
_add("whole-seconds", "Times are whole seconds.", _times(int))
_add("whole-floats", "Times are whole, with a fraction of .0.", _times(lambda t: float(int(t))))
_add("fractional-seconds", "Times have a fraction.", _times(lambda t: t if t % 1 else t + 0.125))
_add("exponents", "Times are in scientific notation.", on_answer(lambda request, answer: _exponents(answer)))
_add("clock-ahead", "The server's clock is two minutes ahead.", _times(lambda t: t + 120))
_add("keys-reversed", "Members come in another order.", reversed_keys)
_add("indented", "JSON is indented, with white space around.", indented)
_add(
    "compact", "JSON has no white space.", _documents(lambda d: json.dumps(d, separators=(",", ":")).encode())
)
_add("escaped", "All but ASCII is escaped.", _documents(lambda d: json.dumps(d, ensure_ascii=True).encode()))
_add("unescaped", "Nothing is escaped.", _documents(lambda d: json.dumps(d, ensure_ascii=False).encode()))
_add(
    "slashes-escaped",
    "Slashes are escaped.",
    _documents(lambda d: json.dumps(d).replace("/", "\\/").encode()),
)
_add(
    "required-only",
    "Only required members are answered.",
    on_document(lambda document: {name: value for name, value in document.items() if name not in _OPTIONAL}),
    options=_GIVEN,
    stocked=True,
)

# --- Headers ------------------------------------------------------------------------------------------------

_EXTRA = (
    ("Server", "contract/1.0"),
    ("Cache-Control", "no-store"),
    ("Strict-Transport-Security", "max-age=31536000"),
    ("X-Amz-Cf-Pop", "FRA56-P1"),
    ("Via", "1.1 proxy"),
    ("ETag", '"1"'),
    ("X-Large", "x" * 6000),
)


def _cased(case: Callable[[str], str]) -> Handler:
    return _every(lambda answer: replace(answer, headers=tuple((case(k), v) for k, v in answer.headers)))


def _declared(media_type: str) -> Handler:
    return _every(lambda answer: answer.with_header("Content-Type", media_type))


def _without_header(name: str) -> Handler:
    return _every(lambda answer: answer.with_header(name, None))


extra_headers = _every(lambda answer: replace(answer, headers=(*_EXTRA, *answer.headers)))
lower_case = _cased(str.lower)
_add("extra-headers", "Answers have headers that nobody knows, some of them large.", extra_headers)
_add("headers-lower-case", "Names of headers are in lower case.", lower_case)
_add("headers-upper-case", "Names of headers are in upper case.", _cased(str.upper))
_add(
    "headers-twice",
    "Some headers come twice.",
    _every(
        lambda answer: replace(
            answer,
            headers=(("Vary", "Origin"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), *answer.headers),
        )
    ),
)
for _name, _media_type in (
    ("charset", "application/json; charset=utf-8"),
    ("charset-in-capitals", "Application/JSON;charset=UTF-8"),
    ("amz-json-1.1", "application/x-amz-json-1.1"),
    ("amz-json-1.0", "application/x-amz-json-1.0"),
    ("vendor-json", "application/vnd.aws+json"),
):
    _add(f"content-type-{_name}", f"The Content-Type is {_media_type}.", _declared(_media_type))
_add("date-absent", "There is no Date.", _without_header("date"))
_add(
    "date-of-old-form",
    "The Date is of asctime's form.",
    _every(lambda a: a.with_header("Date", time.asctime(time.gmtime()))),
)
_add("request-id-absent", "There is no x-amzn-RequestId.", _without_header("x-amzn-requestid"))
_add(
    "request-id-constant",
    "All answers have the same x-amzn-RequestId.",
    _every(lambda answer: answer.with_header("x-amzn-RequestId", "1")),
)
_add(
    "retry-after",
    "Throttling says when to come back.",
    _every(lambda answer: answer.with_header("Retry-After", "1") if answer.status == 429 else answer),
)
for _name, _reason in (("empty", ""), ("odd", "Whatever It Is (yes)")):
    _add(
        f"reason-{_name}",
        f"The reason phrase is {_reason!r}.",
        _every(lambda answer, reason=_reason: replace(answer, reason=reason)),
    )

# --- Framing and connections --------------------------------------------------------------------------------


def _framed(framing: str) -> Handler:
    return _every(lambda answer: answer if answer.status == 204 else replace(answer, framing=framing))


def _gzipped(request: Request, answer: Response) -> Response:
    offered = (request.header("accept-encoding") or "").lower()
    if "gzip" not in offered or answer.header("content-encoding") or not answer.body:
        return answer
    return answer.with_body(gzip.compress(answer.body, 1)).with_header("Content-Encoding", "gzip")


def _many_chunks(request: Request, answer: Response) -> Answer:
    """Chunks of seven bytes with an extension, and a trailer."""
    if request.version != "HTTP/1.1" or request.method == "HEAD" or not answer.body:
        return answer
    closes = "close" in (
        (request.header("connection") or "").lower(),
        (answer.header("connection") or "").lower(),
    )
    head = serialise(replace(answer, body=b"", framing="chunked")).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    parts = [answer.body[start : start + 7] for start in range(0, len(answer.body), 7)]
    chunks = b"".join(b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in parts)
    return Raw(head + chunks + b"0\r\nX-Trailer: 1\r\n\r\n", "close" if closes else "keep")


def _in_two_pieces(request: Request, answer: Response) -> Answer:
    """The bytes arrive with a pause between."""
    if request.version != "HTTP/1.1" or request.method == "HEAD":
        return answer
    closes = "close" in (
        (request.header("connection") or "").lower(),
        (answer.header("connection") or "").lower(),
    )
    return Raw(serialise(answer), "close" if closes else "keep", 0.002)


def _slow(seconds: float) -> Handler:
    def handler(request: Request, forward: Forward) -> Answer:
        time.sleep(seconds)
        return forward(request)

    return handler


gzipped = on_answer(_gzipped, lambda request: True)
chunked = _framed("chunked")
_add("chunked", "Every body is chunked.", chunked)
_add(
    "many-chunks",
    "Bodies come in many chunks, with extensions and a trailer.",
    on_answer(_many_chunks, lambda r: True),
)
_add("unchunked", "Every body has a length.", _framed("length"))
_add("closed", "Every connection ends with its first answer.", _framed("close"))
_add(
    "connection-close",
    "Every answer has a length, and says Connection: close.",
    _every(lambda a: a.with_header("Connection", "close")),
)
_add(
    "http-1.0",
    "The server speaks HTTP/1.0.",
    _every(lambda a: replace(a, version="HTTP/1.0", framing="close")),
)
_add("gzip", "Every body is compressed, where the client accepts that.", gzipped)
_add("two-pieces", "Answers arrive in two pieces.", on_answer(_in_two_pieces, lambda r: True))
_add("slow", "Every answer takes 20 ms.", _slow(0.02))

# --- The form of errors -------------------------------------------------------------------------------------

_SMITHY = "com.amazonaws.customerprofiles#"


def _typed(place: Callable[[Response, str], Response]) -> Handler:
    """Puts the type of every error that has one elsewhere."""
    return _errors(
        lambda answer: place(answer.with_type(None), answer.error_type) if answer.error_type else answer
    )


def _with_member(member: str, prefix: str = "") -> Callable[[Response, str], Response]:
    return lambda answer, name: changed(answer, lambda document: {**document, member: prefix + name})


def _message(*members: str, value: Any = "A text that nobody asserts.") -> Handler:
    def change(answer: Response) -> Response:
        rest = {k: v for k, v in answer.document.items() if k.lower() != "message"}
        return answer.with_document(rest | dict.fromkeys(members, value))

    return _errors(lambda answer: change(answer) if isinstance(answer.document, dict) else answer)


type_in_body = _typed(_with_member("__type", _SMITHY))
lower_message = _message("message")
for _name, _description, _handler in (
    (
        "with-suffix",
        "in the header, with a suffix",
        _typed(lambda a, n: a.with_type(f"{n}:http://internal.amazon.com/coral/")),
    ),
    ("with-prefix", "in the header, with a namespace", _typed(lambda a, n: a.with_type(_SMITHY + n))),
    (
        "with-both",
        "in the header, with namespace and suffix",
        _typed(lambda a, n: a.with_type(f"{_SMITHY}{n}:http://x/")),
    ),
    ("in-header", "in the header", _typed(lambda answer, name: answer.with_type(name))),
    (
        "in-lower-case-header",
        "in a header in lower case",
        _typed(lambda a, n: a.with_header("x-amzn-errortype", n)),
    ),
    ("as-__type", "in the body as __type", _typed(_with_member("__type"))),
    ("as-__type-with-prefix", "in the body as __type, with a namespace", type_in_body),
    ("as-code", "in the body as code", _typed(_with_member("code"))),
):
    _add(f"type-{_name}", f"The type of an error stands {_description}.", _handler)
for _name, _description, _handler in (
    ("lower-case", "as message", lower_message),
    ("capital", "as Message", _message("Message")),
    ("twice", "as both", _message("message", "Message")),
    ("absent", "nowhere", _message()),
    ("null", "as a null Message", _message("Message", value=None)),
    ("empty", "as an empty Message", _message("Message", value="")),
):
    _add(f"message-{_name}", f"The message of an error stands {_description}.", _handler)
_add(
    "error-members",
    "Errors have members beside their message.",
    _errors(
        lambda answer: changed(answer, lambda d: {**d, "fault": "client", "RequestId": "1", "details": [1]})
    ),
)

# --- Which error --------------------------------------------------------------------------------------------


def _unreadable(request: Request) -> bool:
    """Whether a deserialiser stumbles, before any constraint is looked at."""
    if not isinstance(request.document, dict):
        return bool(request.body)
    return request.uri is not MISSING and request.uri is not None and not isinstance(request.uri, str)


def _invalid(request: Request) -> bool:
    return bool(request.domain) and not (valid_name(request) and valid_uri(request))


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

    return on_answer(change, lambda request: True)


query_family = _types(
    {
        "MissingAuthenticationTokenException": "MissingAuthenticationToken",
        "IncompleteSignatureException": "IncompleteSignature",
        "UnrecognizedClientException": "InvalidClientTokenId",
        "InvalidSignatureException": "SignatureDoesNotMatch",
    }
)
for _type in ("BadRequestException", "SerializationException"):
    _add(
        f"unreadable-is-{_type}",
        f"Unreadable JSON and wrong types are a {_type}.",
        answers(
            lambda request: _unreadable(request) and (valid_name(request) or request.document is MISSING),
            lambda _, name=_type: error(400, name),
        ),
    )
_add("query-family", "Authentication errors have the names of AWS's older family.", query_family)
for _status in (400, 401):
    _add(
        f"unauthenticated-{_status}",
        f"Every authentication error has status {_status}.",
        _types(
            {},
            dict.fromkeys(
                (
                    "MissingAuthenticationTokenException",
                    "IncompleteSignatureException",
                    "UnrecognizedClientException",
                    "InvalidSignatureException",
                ),
                _status,
            ),
        ),
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
    on_answer(
        lambda request, answer: (
            error(404, "ResourceNotFoundException")
            if answer.status == 403 and answer.error_type == "AccessDeniedException"
            else answer
        )
    ),
)
_add(
    "other-account-is-403",
    "Another account is denied access.",
    on_answer(
        lambda request, answer: (
            error(403, "AccessDeniedException")
            if is_by(request, "other_account") and answer.status == 404
            else answer
        )
    ),
)
_add(
    "input-first",
    "Input is looked at before the signature is.",
    on_answer(
        lambda request, answer: (
            error(400, "BadRequestException") if unauthenticated(answer) and _invalid(request) else answer
        )
    ),
)
_add(
    "input-before-access",
    "Input is looked at before permission is.",
    on_answer(
        lambda request, answer: (
            error(400, "BadRequestException")
            if answer.error_type == "AccessDeniedException" and _invalid(request)
            else answer
        )
    ),
)
_add(
    "one-address-for-all-regions",
    "Another region is served too, and has no such integration.",
    on_answer(
        lambda request, answer: (
            error(404, "ResourceNotFoundException")
            if unauthenticated(answer) and fits(request) and _is_elsewhere(request)
            else answer
        )
    ),
)


def _is_elsewhere(request: Request) -> bool:
    claim = claim_of(request)
    return claim is not None and claim.region != "us-east-1" and claim.service == "profile"


def _media_type(request: Request) -> str:
    return (request.header("content-type") or "").partition(";")[0].strip().lower()


for _status, _type in ((415, "UnsupportedMediaTypeException"), (400, "BadRequestException")):
    _add(
        f"content-type-wrong-is-{_status}",
        f"A wrong or missing Content-Type is answered {_status}.",
        answers(
            lambda request: _media_type(request) != "application/json",
            lambda _, status=_status, name=_type: error(status, name),
        ),
    )
_add(
    "unknown-members-rejected",
    "An unknown member of a request is rejected, which is observed nowhere and forbidden nowhere.",
    answers(
        lambda request: isinstance(request.document, dict) and bool(request.document.keys() - {"Uri"}),
        lambda _: error(400, "BadRequestException"),
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
            or b"\\u0000" in request.body
            or b"e999" in request.body
        ),
        lambda _: error(400, "SerializationException"),
    ),
)
for _name, _description, _when, _status in (
    ("large-body-413", "A body of a megabyte", lambda r: len(r.body) > 1_000_000, 413),
    ("large-headers-431", "Headers of 3 kilobytes", lambda r: sum(len(v) for _, v in r.headers) > 3000, 431),
    ("chunked-411", "A chunked body", lambda r: r.chunked, 411),
    ("expect-417", "Expect: 100-continue", lambda r: r.header("expect") is not None, 417),
    ("HEAD-405", "HEAD", lambda r: r.method == "HEAD", 405),
    ("OPTIONS-404", "OPTIONS", lambda r: r.method == "OPTIONS", 404),
):
    _add(
        _name,
        f"{_description} is answered {_status}.",
        on_answer(
            lambda request, answer, when=_when, status=_status: (
                error(status, "RejectedException") if when(request) else answer
            ),
            lambda request: True,
        ),
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
        lambda r: not r.domain or "/" in r.domain or set(r.domain) == {"."},
        lambda _: Response(404, (("Content-Type", "application/json"),), b'{"message": "Not Found"}'),
    ),
)

# --- Faults that pass ---------------------------------------------------------------------------------------


def _sporadic(every: int, fault: Answer) -> Build:
    """A fault of the environment now and then, before the request is looked at; a repeat does not show it."""

    def build() -> Handler:
        numbers = itertools.count(1)

        def handler(request: Request, forward: Forward) -> Answer:
            return fault if next(numbers) % every == 0 else forward(request)

        return handler

    return build


_PASSING: Iterable[tuple[str, str, int, Answer]] = (
    ("429", "is answered 429", 41, error(429, "ThrottlingException")),
    ("500", "is answered 500", 53, error(500, "InternalServerException")),
    ("502", "is answered 502 in HTML", 53, Response(502, (("Content-Type", "text/html"),), b"<h1>502</h1>")),
    ("503", "is answered 503", 53, error(503, "ServiceUnavailableException")),
    ("drop", "is dropped", 47, Raw(b"", "close")),
    ("reset", "is reset", 47, Raw(b"", "reset")),
    ("cut", "gets half an answer", 59, Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", "close")),
)
for _name, _description, _every_th, _fault in _PASSING:
    _stateful(
        f"sporadic-{_name}", f"Every {_every_th}th request {_description}.", _sporadic(_every_th, _fault)
    )


def _late() -> Handler:
    """Writes are seen a moment after they were made."""

    class Late(Writes):
        def read(self, request: Request, answer: Response) -> Answer:
            written = self.times.get(key(request), [])
            if answer.status != 200 or not written or time.time() - written[-1] > 0.1:
                return answer
            before = [old for old in self.answers.get(key(request), []) if old.content != answer.content]
            return before[-1] if before else error(404, "ResourceNotFoundException")

    return Late()


_stateful("settles-late", "Writes are seen after 100 ms.", _late, settings={"settling-time": 0.2})

# --- What is not claimed ------------------------------------------------------------------------------------


def _no_writes(status: int, error_type: str) -> Handler:
    def handler(request: Request, forward: Forward) -> Answer:
        if request.operation in (PUT, DELETE, DELETE_DOMAIN, "CreateDomain"):
            return error(status, error_type)
        return forward(request)

    return handler


def _get_only(request: Request, forward: Forward) -> Answer:
    if request.operation is not None and not is_get(request):
        return error(404, "UnknownOperationException")
    return forward(request)


def _unsigned(request: Request, forward: Forward) -> Answer:
    answer = forward(request)
    return forward(resigned(request)) if unauthenticated(answer) else answer


def _takes_members(*members: str) -> Handler:
    """PutIntegration knows a few members only, and rejects all others."""

    def handler(request: Request, forward: Forward) -> Answer:
        if request.operation == PUT and isinstance(request.document, dict):
            if request.document.keys() - {"Uri", *members}:
                return error(400, "BadRequestException")
        return forward(request)

    return handler


for _status, _type in (
    (405, "MethodNotAllowedException"),
    (403, "AccessDeniedException"),
    (404, "UnknownOperationException"),
):
    _add(f"no-writes-{_status}", f"Writing is answered {_status}.", _no_writes(_status, _type), stocked=True)
_add("no-writes-asked", "Nothing is written, as was asked for.", options=("--no-writes",), stocked=True)
_add("given", "A domain and a Uri are given.", options=_GIVEN, stocked=True)
_add("get-only", "There is no other operation.", _get_only, options=_GIVEN, stocked=True)
_add(
    "signatures-not-claimed",
    "Signatures are not verified, and not claimed.",
    _unsigned,
    options=("--not-claimed", "signatures"),
)
_add(
    "caller-only",
    "No identity but the caller is known.",
    without=("unauthorized", "other-account", "low-quota", "temporary"),
)
_add("throttling-not-claimed", "Throttling is not claimed.", options=("--not-claimed", "throttling"))
_add("access-not-claimed", "Access control is not claimed.", options=("--not-claimed", "access-control"))
for _members in (("ObjectTypeName",), ("ObjectTypeName", "Tags")):
    _add(
        f"takes-{'-and-'.join(_members)}-only",
        f"PutIntegration takes {' and '.join(_members)} only.",
        _takes_members(*_members),
    )

# --- Several at once ----------------------------------------------------------------------------------------

_add(
    "all-1",
    "Many lawful choices at once: an AWS front end.",
    gzipped,
    extra_headers,
    lower_case,
    chunked,
    nulls,
    type_in_body,
    lower_message,
    unknown_members,
)
_add(
    "all-2",
    "Many lawful choices at once: a small mock.",
    _framed("close"),
    indented,
    _message("Message"),
    _typed(_with_member("code")),
    query_family,
    _without_header("date"),
    _times(int),
)
_add(
    "all-3",
    "Many lawful choices at once: a gateway.",
    _gateway(403, {"message": "Forbidden"}),
    reversed_keys,
    _types({}, {"MissingAuthenticationTokenException": 401}),
    _declared("application/json; charset=utf-8"),
    unknown_members,
)

#: Every lawful variant.
LAWFUL: tuple[Mutant, ...] = tuple(THEME.mutants)
