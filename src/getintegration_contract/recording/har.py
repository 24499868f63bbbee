"""HAR 1.2: one exchange <-> one entry.

What makes an entry evidence stands in custom fields, which HAR begins with an underscore. Requests have no
encoding field in HAR, so a request body that is no text carries ``_encoding``, as ``content.encoding`` does.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from getintegration_contract.errors import RecordingError
from getintegration_contract.exchange import Exchange, Fault, Headers, Request, Response
from getintegration_contract.redact import Redactor
from getintegration_contract.schema import schema_fault
from getintegration_contract.text import shorten

_URL = re.compile(r"https?://[^/?#]*")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An exchange with the notes of a recording.

    Attributes:
        signing: How the request was signed, as :mod:`getintegration_contract.recording.resign` describes it.
    """

    exchange: Exchange
    test: str = ""
    clauses: tuple[str, ...] = ()
    signing: Mapping[str, Any] = field(default_factory=dict)

    @property
    def attempt(self) -> int:
        """1, or more where transient faults came before."""
        return len(self.exchange.faults) + 1


def line(recorded: Recorded, redactor: Redactor) -> str:
    """The HAR entry of an exchange as JSON, redacted; it begins with its moment, and its bodies are whole."""
    return json.dumps(_document(recorded, redactor), separators=(",", ":"))


def _document(recorded: Recorded, redactor: Redactor) -> dict[str, Any]:
    exchange = recorded.exchange
    request_text, request_encoding = _to_text(exchange.request.body)
    response_text, response_encoding = _to_text(exchange.response.body)
    plain = {
        "request": {
            "target": exchange.request.target,
            "headers": [list(header) for header in exchange.request.headers],
            "body": request_text,
        },
        "response": {
            "reason": exchange.response.reason,
            "headers": [list(header) for header in exchange.response.headers],
            "body": response_text,
        },
    }
    redacted = redactor.exchange(plain)
    request, response = redacted["request"], redacted["response"]
    milliseconds = round(exchange.seconds * 1000, 3)
    document: dict[str, Any] = {
        "startedDateTime": datetime.fromtimestamp(exchange.started, UTC).isoformat(timespec="microseconds"),
        "time": milliseconds,
        "request": {
            "method": exchange.request.method,
            "url": exchange.endpoint + request["target"],
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _named(request["headers"]),
            "queryString": _query(request["target"]),
            "headersSize": -1,
            "bodySize": len(exchange.request.body),
        },
        "response": {
            "status": exchange.response.status,
            "statusText": response["reason"],
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _named(response["headers"]),
            "content": {
                "size": len(exchange.response.body),
                "mimeType": _media_type(response["headers"]),
                **_content(response["body"], response_encoding, "encoding"),
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "_test": recorded.test,
        "_clauses": list(recorded.clauses),
        "_attempt": recorded.attempt,
        "_identity": exchange.identity,
        "_signing": dict(recorded.signing),
    }
    if exchange.request.body:
        document["request"]["postData"] = {
            "mimeType": _media_type(request["headers"]),
            **_content(request["body"], request_encoding, "_encoding"),
        }
    return document


def recorded(document: Any) -> Recorded:
    """The exchange of an entry.

    Raises:
        RecordingError: The entry lacks something, or has something of a wrong kind.
    """
    if fault := schema_fault(document, __package__, "entry"):
        raise RecordingError(fault)
    request, response = document["request"], document["response"]
    endpoint, target = _split(request["url"])
    attempt = document.get("_attempt", 1)
    exchange = Exchange(
        endpoint,
        Request(
            sys.intern(request["method"]),
            target,
            _pairs(request["headers"]),
            _from_text(request.get("postData", {}), "_encoding"),
        ),
        Response(
            response["status"],
            response.get("statusText", ""),
            _pairs(response["headers"]),
            _from_text(response["content"], "encoding"),
        ),
        document.get("_identity"),
        _moment(document["startedDateTime"]),
        document["time"] / 1000,
        tuple(Fault("transient", number) for number in range(1, min(attempt, 100))),
    )
    clauses = tuple(document.get("_clauses", ()))
    return Recorded(exchange, sys.intern(document.get("_test", "")), clauses, document.get("_signing", {}))


def _named(headers: list[list[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _pairs(headers: list[dict[str, str]]) -> Headers:
    return tuple([_shared((header["name"], header["value"])) for header in headers])


@lru_cache(maxsize=5_000)
def _shared(value: Any) -> Any:
    """What other exchanges have as well takes no memory again."""
    return value


def _media_type(headers: list[list[str]]) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")


def _query(target: str) -> list[dict[str, str]]:
    query = target.partition("?")[2]
    return [{"name": name, "value": value} for name, value in parse_qsl(query, keep_blank_values=True)]


def _to_text(body: bytes) -> tuple[str, bool]:
    """A body as text that can be redacted, and whether it is bytes in truth."""
    try:
        return body.decode("utf-8"), False
    except UnicodeDecodeError:
        return body.decode("latin-1"), True


def _content(text: str, is_bytes: bool, key: str) -> dict[str, str]:
    if not is_bytes:
        return {"text": text}
    return {"text": base64.b64encode(text.encode("latin-1")).decode(), key: "base64"}


def _from_text(content: dict[str, Any], key: str) -> bytes:
    text: str = content.get("text", "")
    encoding = content.get(key)
    if encoding is None:
        body: bytes = _shared(text.encode("utf-8", "surrogatepass"))
        return body
    if encoding != "base64":
        raise RecordingError(
            f"a body has the encoding {shorten(repr(encoding), 200)}, and only base64 is known"
        )
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RecordingError("a body is not the base64 that it says it is") from None


def _split(url: str) -> tuple[str, str]:
    """Endpoint and request target, the target exactly as it is."""
    match = _URL.match(url)
    if match is None or not _is_address(match[0]):
        raise RecordingError(f"request.url: {shorten(repr(url), 200)} is no address")
    return match[0], url[match.end() :] or "/"


@lru_cache(maxsize=64)
def _is_address(endpoint: str) -> bool:
    try:
        return bool(urlsplit(endpoint).hostname)
    except ValueError:
        return False


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise RecordingError(f"startedDateTime: {shorten(repr(text), 200)} is no moment") from None
