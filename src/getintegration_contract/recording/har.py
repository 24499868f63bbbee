"""HAR 1.2: one exchange <-> one entry.

What makes an entry evidence stands in custom fields, which HAR begins with an underscore. Requests have no
encoding field in HAR, so a request body that is no text carries ``_encoding``, as ``content.encoding`` does.
How a request was signed stands there without secrets, so that it can be signed again for somebody else.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from getintegration_contract.exchange import Exchange, Headers, Request, Response, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.redact import Redactor

#: Endpoint and request target, the target exactly as it is.
_URL = re.compile(r"(https?://[^/?#]*)(.*)")
#: What HAR wants of requests and responses, and is the same of all.
_MESSAGE: dict[str, Any] = {"httpVersion": "HTTP/1.1", "cookies": [], "headersSize": -1, "bodySize": -1}
#: How a request was signed: not at all, so that it can be signed again elsewhere, or otherwise, since it was
#: altered after signing, or signed by nobody whom the target knows.
NONE, SIGNED, SPECIAL = "none", "signed", "special"

#: What a signing may have otherwise than it must be, beside its moment.
_SCOPE = ("region", "service", "terminator", "scope_days")
#: What signing adds; a replay adds its own.
_ADDED = ("authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token")
#: What only fits the connection that it was sent on.
_CONNECTION = ("host", "content-length", "transfer-encoding", "expect", "upgrade")
_JSON = json.JSONEncoder(separators=(",", ":"), check_circular=False)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An exchange with the notes of a recording.

    Attributes:
        signing: How the request was signed, as :func:`describe_signing` has it.
    """

    exchange: Exchange
    test: str = ""
    clauses: tuple[str, ...] = ()
    signing: Mapping[str, Any] = field(default_factory=dict)

    @property
    def attempt(self) -> int:
        """1, or more where transient faults came before."""
        return len(self.exchange.faults) + 1


def describe_signing(exchange: Exchange, known: Identity | None, region: str) -> dict[str, Any]:
    """How the request of an exchange was signed, without secrets.

    Args:
        known: The identity whose name the exchange carries, with true credentials.
        region: The target's.
    """
    if exchange.signature is None:
        request = exchange.request
        by_hand = request.header("authorization") or "x-amz-signature=" in request.target.lower()
        return {"kind": SPECIAL if by_hand else NONE}
    identity, signing = exchange.signature
    altered = signing.tamper is not None or signing.signed_headers is not None
    if altered or known is None or identity.frozen() != known.frozen():
        return {"kind": SPECIAL}
    usual = Signing(region if signing.region == region else None)
    described = {name: value for name in _SCOPE if (value := getattr(signing, name)) != getattr(usual, name)}
    if signing.skew:
        described["skew"] = signing.skew.total_seconds()
    return {"kind": SIGNED, **described}


def line(recorded: Recorded, redactor: Redactor) -> str:
    """The HAR entry of an exchange as JSON, redacted; it begins with its moment, and its bodies are whole."""
    exchange, request, response = recorded.exchange, recorded.exchange.request, recorded.exchange.response
    (body, encoding), (received, coding) = _decoded(request.body), _decoded(response.body)
    plain = {
        "request": {"target": request.target, "headers": request.headers, "body": body},
        "response": {"reason": response.reason, "headers": response.headers, "body": received},
    }
    sent, came = redactor.exchange(plain).values()
    milliseconds = round(exchange.seconds * 1000, 3)
    content = _content(came, coding, "encoding")
    document: dict[str, Any] = {
        "startedDateTime": datetime.fromtimestamp(exchange.started, UTC).isoformat(timespec="microseconds"),
        "time": milliseconds,
        "request": _MESSAGE
        | {
            "method": request.method,
            "url": exchange.endpoint + sent["target"],
            "headers": _named(sent["headers"]),
            "queryString": _named(parse_qsl(sent["target"].partition("?")[2], keep_blank_values=True)),
            "bodySize": len(request.body),
        },
        "response": _MESSAGE
        | {
            "status": response.status,
            "statusText": came["reason"],
            "headers": _named(came["headers"]),
            "content": {"size": len(response.body), **content},
            "redirectURL": "",
        },
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "_test": recorded.test,
        "_clauses": recorded.clauses,
        "_attempt": recorded.attempt,
        "_identity": exchange.identity,
        "_signing": recorded.signing,
    }
    if request.body:
        document["request"]["postData"] = _content(sent, encoding, "_encoding")
    return _JSON.encode(document)


def recorded(entry: dict[str, Any]) -> Recorded:
    """The exchange of an entry that keeps the schema.

    Raises:
        ValueError: Its moment is none, or a body is not the base64 that it says it is.
    """
    request, response = entry["request"], entry["response"]
    _, endpoint, target, _ = _URL.split(request["url"])
    method, reason = _shared(request["method"]), response.get("statusText", "")
    sent, received = _body(request.get("postData", {})), _body(response["content"])
    exchange = Exchange(
        endpoint,
        Request(method, target or "/", _headers(request["headers"]), sent),
        Response(response["status"], reason, _headers(response["headers"]), received),
        entry.get("_identity"),
        moment(entry["startedDateTime"]).timestamp(),
        entry["time"] / 1000,
        ("transient",) * (entry.get("_attempt", 1) - 1),
    )
    test, clauses = _shared(entry.get("_test", "")), _shared(tuple(entry.get("_clauses", ())))
    return Recorded(exchange, test, clauses, entry.get("_signing", {}))


def bare(request: Request, described: Mapping[str, Any]) -> Request:
    """The request without what signing added to it, and without what only fits the old connection."""
    names = _CONNECTION if described.get("kind") == NONE else (*_ADDED, *_CONNECTION)
    return request.with_headers(**dict.fromkeys(names))


def signing(described: Mapping[str, Any]) -> Signing:
    """The signing that the description of a signed request gives."""
    scope = {name: described[name] for name in _SCOPE if name in described}
    return Signing(skew=timedelta(seconds=described.get("skew", 0)), **scope)


def moment(text: str) -> datetime:
    """A moment in ISO 8601, by default in UTC.

    Raises:
        ValueError: It is none.
    """
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=found.tzinfo or UTC)


def _named(pairs: Iterable[Sequence[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _headers(named: list[dict[str, str]]) -> Headers:
    return tuple([_shared((header["name"], header["value"])) for header in named])


@lru_cache(maxsize=5_000)
def _shared(value: Any) -> Any:
    """What other exchanges have as well takes no memory again."""
    return value


def _decoded(body: bytes) -> tuple[str, str]:
    """A body as text that can be redacted, and the encoding that makes bytes of it again."""
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError:
        return body.decode("latin-1"), "latin-1"


def _content(message: dict[str, Any], encoding: str, key: str) -> dict[str, str]:
    """A redacted body, in base64 where it is no text."""
    media = next((value for name, value in message["headers"] if name.lower() == "content-type"), "")
    text: str = message["body"]
    if encoding == "utf-8":
        return {"mimeType": media, "text": text}
    return {"mimeType": media, "text": base64.b64encode(text.encode(encoding)).decode(), key: "base64"}


def _body(content: dict[str, Any]) -> bytes:
    text = content.get("text", "")
    if content.get("encoding") or content.get("_encoding"):
        return base64.b64decode(text, validate=True)
    body: bytes = _shared(text.encode("utf-8", "surrogatepass"))
    return body
