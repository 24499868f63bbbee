"""Lawful forms: of JSON, of headers, of framing, of errors."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .bases import STOCK
from .kit import Theme, always, chain, changed, headed, on_answer, on_document, timed
from .messages import MISSING, Answer, Forward, Handler, Raw, Request, Response
from .wire import serialise

THEME = Theme("lawful-form")
#: What a lawful variant breaks.
NOTHING = ""
#: What a run against a server needs that must not have to take its writes.
GIVEN: dict[str, Any] = {
    "options": ("--domain-name", STOCK[0], "--integration-uri", STOCK[1]),
    "stocked": True,
}


def every(change: Callable[[Response], Answer]) -> Handler:
    """Changes every answer, of whatever operation."""
    return on_answer(lambda request, answer: change(answer), always)


def on_errors(change: Callable[[Response], Answer]) -> Handler:
    """Changes every error."""
    return every(lambda answer: change(answer) if answer.status >= 400 else answer)


def only(served: Callable[[Request], bool], fate: Response) -> Handler:
    """Does not do what is asked for by some requests."""
    return lambda request, forward: forward(request) if served(request) else fate


def rewritten(change: Callable[[Any], bytes]) -> Handler:
    """Writes every JSON body in another way."""
    return every(lambda a: a if a.document is MISSING else a.with_body(change(a.document)))


# --- What a 200 holds ---------------------------------------------------------------------------------------

_UNKNOWN = {"ResourceVersion": 7, "KmsKeyArn": None, "Nested": {"Uri": [1, 2.5, True, {"é": "😀"}]}}
_OPTIONAL = [
    "ObjectTypeName",
    "ObjectTypeNames",
    "Tags",
    "RoleArn",
    "EventTriggerNames",
    "Scope",
    "WorkflowId",
    "IsUnstructured",
]

unknown_members = on_document(lambda d: {**d, **_UNKNOWN})
nulls = on_document(lambda d: {**dict.fromkeys(_OPTIONAL), **d})
reversed_keys = rewritten(
    lambda d: json.dumps(dict(reversed(d.items())) if isinstance(d, dict) else d).encode()
)
indented = rewritten(lambda d: b"\n  " + json.dumps(d, indent=4).encode() + b"\r\n")


def times(change: Callable[[float], Any]) -> Handler:
    """Changes both times of an integration."""
    return on_document(timed(change))


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


THEME[NOTHING] = {
    "nothing-changed: The base itself.": chain(),
    "unknown-members: The answer has members that nobody knows.": unknown_members,
    "nulls: Absent optional members are null.": nulls,
    "empty-collections: Absent tags and triggers are empty.": on_document(
        lambda d: {"Tags": {}, "EventTriggerNames": [], **d}
    ),
    "whole-seconds: Times are whole seconds.": times(int),
    "whole-floats: Times are whole, with a fraction of .0.": times(lambda t: float(int(t))),
    "fractional-seconds: Times have a fraction.": times(lambda t: t if t % 1 else t + 0.125),
    "exponents: Times are in scientific notation.": on_answer(lambda r, a: _exponents(a)),
    "clock-ahead: The server's clock is two minutes ahead.": times(lambda t: t + 120),
    "keys-reversed: Members come in another order.": reversed_keys,
    "indented: JSON is indented, with white space around.": indented,
    "compact: JSON has no white space.": rewritten(lambda d: json.dumps(d, separators=(",", ":")).encode()),
    "escaped: All but ASCII is escaped.": rewritten(lambda d: json.dumps(d, ensure_ascii=True).encode()),
    "unescaped: Nothing is escaped.": rewritten(lambda d: json.dumps(d, ensure_ascii=False).encode()),
    "slashes-escaped: Slashes are escaped.": rewritten(lambda d: json.dumps(d).replace("/", "\\/").encode()),
}
THEME.with_(**GIVEN)[NOTHING] = {
    "required-only: Only required members are answered.": on_document(
        lambda d: {name: value for name, value in d.items() if name not in _OPTIONAL}
    )
}

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
    return every(lambda answer: replace(answer, headers=tuple((case(k), v) for k, v in answer.headers)))


def _with_headers(*headers: tuple[str, str]) -> Handler:
    return every(lambda answer: replace(answer, headers=(*headers, *answer.headers)))


extra_headers = _with_headers(*_EXTRA)
lower_case = _cased(str.lower)
THEME[NOTHING] = {
    "extra-headers: Answers have headers that nobody knows, some of them large.": extra_headers,
    "headers-by-the-hundred: Answers have more headers than Python's http.client reads.": _with_headers(
        *((f"X-Header-{number}", "x" * 40) for number in range(120))
    ),
    "headers-lower-case: Names of headers are in lower case.": lower_case,
    "headers-upper-case: Names of headers are in upper case.": _cased(str.upper),
    "headers-with-white-space: White space stands behind the values of headers.": every(
        lambda a: replace(a, headers=tuple((k, f"{v}  \t") for k, v in a.headers))
    ),
    "headers-twice: Some headers come twice.": _with_headers(
        ("Vary", "Origin"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")
    ),
    **{
        f"content-type-{name}: The Content-Type is {media_type}.": every(headed("Content-Type", media_type))
        for name, media_type in (
            ("charset", "application/json; charset=utf-8"),
            ("charset-in-capitals", "Application/JSON;charset=UTF-8"),
            ("amz-json-1.1", "application/x-amz-json-1.1"),
            ("amz-json-1.0", "application/x-amz-json-1.0"),
            ("vendor-json", "application/vnd.aws+json"),
        )
    },
    "date-absent: There is no Date.": every(headed("Date", None)),
    "date-leap-second: The Date is a leap second.": every(headed("Date", "Sat, 31 Dec 2016 23:59:60 GMT")),
    "retry-after-date: Every error says by date when to come back.": on_errors(
        lambda a: a.with_header("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT")
    ),
    "lists-on-two-lines: Lists stand on two lines; names and values are odd but lawful.": _with_headers(
        *(("Vary", "Accept"), ("Vary", "Origin")),
        *(("Cache-Control", "no-store"), ("Cache-Control", "private")),
        ("X_odd.name!#$%&'*+-^`|~0", "obs\xe9 \t text: of, any; kind"),
    ),
    "request-id-absent: There is no x-amzn-RequestId.": every(headed("x-amzn-RequestId", None)),
    "request-id-constant: It is always the same.": every(headed("x-amzn-RequestId", "1")),
    "retry-after: Throttling says when to come back.": every(
        lambda a: a.with_header("Retry-After", "1") if a.status == 429 else a
    ),
    **{
        f"reason-{name}: It is {reason!r}.": every(lambda a, reason=reason: replace(a, reason=reason))
        for name, reason in (("empty", ""), ("odd", "Whatever It Is (yes)"))
    },
}

# --- Framing and connections --------------------------------------------------------------------------------


def framed(framing: str) -> Handler:
    """Shows the end of every body in one way."""
    return every(lambda answer: answer if answer.status == 204 else replace(answer, framing=framing))


def _gzipped(request: Request, answer: Response) -> Response:
    return answer.gzipped() if "gzip" in (request.header("accept-encoding") or "").lower() else answer


def _fate(request: Request, answer: Response) -> str:
    return "close" if request.closes or answer.closes else "keep"


def _many_chunks(request: Request, answer: Response) -> Answer:
    """Chunks of seven bytes with an extension, and a trailer."""
    if request.version != "HTTP/1.1" or request.method == "HEAD" or not answer.body:
        return answer
    head = serialise(replace(answer, body=b"", framing="chunked")).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    parts = [answer.body[start : start + 7] for start in range(0, len(answer.body), 7)]
    chunks = b"".join(b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in parts)
    return Raw(head + chunks + b"0\r\nX-Trailer: 1\r\n\r\n", _fate(request, answer))


def _in_two_pieces(request: Request, answer: Response) -> Answer:
    """The bytes arrive with a pause between."""
    if request.version != "HTTP/1.1" or request.method == "HEAD":
        return answer
    whole = serialise(answer)
    half = len(whole) // 2
    return Raw(whole[:half], _fate(request, answer), (whole[half:],), 0.002)


def _hinted(request: Request, answer: Response) -> Answer:
    whole = _in_two_pieces(request, answer)
    if not isinstance(whole, Raw):
        return whole
    return replace(whole, data=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + whole.data, pause=0)


def _slow(seconds: float) -> Handler:
    def handler(request: Request, forward: Forward) -> Answer:
        time.sleep(seconds)
        return forward(request)

    return handler


gzipped = on_answer(_gzipped, always)
chunked = framed("chunked")
THEME[NOTHING] = {
    "chunked: Every body is chunked.": chunked,
    "many-chunks: Bodies come in many chunks, with extensions and trailer.": on_answer(_many_chunks, always),
    "unchunked: Every body has a length.": framed("length"),
    "closed: Every connection ends with its first answer.": framed("close"),
    "connection-close: All say so, and have a length.": every(headed("Connection", "close")),
    "connection-close-reason: Connection names a header, and none is closed.": every(
        headed("Connection", "X-Close-Reason")
    ),
    "http-1.0: The server speaks HTTP/1.0.": every(lambda a: replace(a, version="HTTP/1.0", framing="close")),
    "gzip: Every body is compressed, where the client accepts that.": gzipped,
    "two-pieces: Answers arrive in two pieces.": on_answer(_in_two_pieces, always),
    "early-hints: 103 comes before every answer.": on_answer(_hinted, always),
    "slow: Every answer takes 20 ms.": _slow(0.02),
}
THEME.with_(settings={"latency-limit": 2.0})[NOTHING] = {
    "slow-as-promised: Every answer takes 20 ms, of 2 s.": _slow(0.02)
}

# --- The form of errors -------------------------------------------------------------------------------------

_SMITHY = "com.amazonaws.customerprofiles#"


def typed(place: Callable[[Response, str], Response]) -> Handler:
    """Puts the type of every error that has one elsewhere."""
    return on_errors(lambda a: place(a.with_type(None), a.error_type) if a.error_type else a)


def with_member(member: str, prefix: str = "") -> Callable[[Response, str], Response]:
    """Places a type in a member of the body."""
    return lambda answer, name: changed(answer, lambda document: {**document, member: prefix + name})


def _in_header(form: str) -> Callable[[Response, str], Response]:
    return lambda answer, name: answer.with_type(form.format(name))


def message(*members: str, value: Any = "A text that nobody asserts.") -> Handler:
    """Names the member with the text otherwise."""

    def change(answer: Response) -> Response:
        rest = {k: v for k, v in answer.document.items() if k.lower() != "message"}
        return answer.with_document(rest | dict.fromkeys(members, value))

    return on_errors(lambda answer: change(answer) if isinstance(answer.document, dict) else answer)


type_in_body = typed(with_member("__type", _SMITHY))
lower_message = message("message")
_TYPES: dict[str, tuple[str, Callable[[Response, str], Response]]] = {
    "with-suffix": ("the header, with a suffix", _in_header("{}:http://internal.amazon.com/coral/")),
    "with-prefix": ("the header, with a namespace", _in_header(_SMITHY + "{}")),
    "with-both": ("the header, with namespace and suffix", _in_header(_SMITHY + "{}:http://x/")),
    "in-header": ("the header", _in_header("{}")),
    "in-lower-case-header": ("a header in lower case", lambda a, n: a.with_header("x-amzn-errortype", n)),
    "as-__type": ("the body as __type", with_member("__type")),
    "as-__type-with-prefix": ("the body as __type, with a namespace", with_member("__type", _SMITHY)),
    "as-code": ("the body as code", with_member("code")),
}
THEME[NOTHING] = {
    **{
        f"type-{name}: The type of an error stands in {where}.": typed(place)
        for name, (where, place) in _TYPES.items()
    },
    **{
        f"message-{name}: The message of an error stands {description}.": handler
        for name, description, handler in (
            ("lower-case", "as message", lower_message),
            ("capital", "as Message", message("Message")),
            ("twice", "as both", message("message", "Message")),
            ("absent", "nowhere", message()),
            ("null", "as a null Message", message("Message", value=None)),
            ("empty", "as an empty Message", message("Message", value="")),
        )
    },
    "error-members: Errors have members beside their message.": on_errors(
        lambda a: changed(a, lambda d: {**d, "fault": "client", "RequestId": "1", "details": [1]})
    ),
}
