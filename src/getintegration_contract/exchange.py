"""One request and its response, byte for byte."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

from getintegration_contract.identity import Identity

#: The service's name in a credential scope.
SERVICE = "profile"

#: Digits of an integer from which on it is read as a float; Python itself refuses 4,300.
_DIGITS = 400

#: A target with a name that somebody could have given, and a body that can be read as it is.
_SANE = re.compile(r"/domains/[A-Za-z][\w-]{2,63}/integrations", re.A)
_PLAIN = re.compile(rb'\{"Uri": ?"[\x20-\x7e]{6,}"\}')
_READABLE = re.compile(rb"[\x20-\x7e\n]*")
#: Values of query parameters that differ each time that the same request is presigned.
_OF_THE_MOMENT = re.compile(r"(?i)(X-Amz-(?:Credential|Date|Security-Token|Signature)=)[^&]*")

#: Members of an error's body that may name its type, in the order in which clients read them.
_TYPE_MEMBERS = ("code", "__type")

Headers = tuple[tuple[str, str], ...]


def undated(target: str) -> str:
    """A request target without what a signature in its query says of the moment and the signer."""
    return _OF_THE_MOMENT.sub(r"\1", target) if "?" in target else target


def no_constant(name: str) -> NoReturn:
    """NaN and Infinity, which Python's parser of JSON takes, are no JSON."""
    raise ValueError(f"{name} is not JSON")


class JsonText(NamedTuple):
    """A body read as JSON: its document, or why there is none."""

    document: Any
    fault: str | None = None
    has_duplicate_names: bool = False


def _number(digits: str) -> float:
    """The nearest float, also of what is larger than any."""
    value = float(digits)
    return math.copysign(sys.float_info.max, value) if math.isinf(value) else value


def _integer(digits: str) -> float:
    return int(digits) if len(digits) < _DIGITS else _number(digits)


class _Message:
    """What requests and responses have both."""

    __slots__ = ()
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def _plain(self) -> dict[str, Any]:
        body = self.body.decode("utf-8", "backslashreplace")
        return {"headers": [list(header) for header in self.headers], "body": body}


@dataclass(frozen=True, slots=True)
class Request(_Message):
    """A request as it goes over the wire.

    ``target`` is the request target exactly as sent: nothing normalises its percent-encoding or dots.
    """

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""

    def with_headers(self, **headers: str | None) -> Request:
        """The request with headers set, or removed where None; ``_`` in a name stands for ``-``."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        named = {name.lower() for name in changed}
        kept = [(name, value) for name, value in self.headers if name.lower() not in named]
        added = [(name, value) for name, value in changed.items() if value is not None]
        return replace(self, headers=(*kept, *added))


@dataclass(frozen=True, slots=True)
class Wire:
    """How an answer came.

    Attributes:
        version: The version of HTTP that it names, such as ``1.1``.
        framed: The body as framed, its content coding still on.
        surplus: Bytes after the answer; known only for the last request on a connection.
        ended: Whether the connection ended after the answer; known only for the last request.
        reused: Whether the connection had carried an answer before.
        waited: Whether the server waited for a body that waited for ``100 Continue``.
    """

    version: str = "1.1"
    framed: bytes = b""
    surplus: bytes = b""
    ended: bool = False
    reused: bool = False
    waited: bool = False


@dataclass(frozen=True)
class Response(_Message):
    """A response; ``body`` has its transfer and content encodings removed, ``headers`` are as received.

    What its JSON says is read once, when it is first asked for.

    Attributes:
        head: The bytes up to the body, heads of interim answers included; none where they are not known.
    """

    status: int
    reason: str
    headers: Headers
    body: bytes
    head: bytes = b""
    wire: Wire = field(default=Wire(), compare=False)

    @cached_property
    def json(self) -> JsonText:
        """What the body says as JSON, which by RFC 8259's grammar may have numbers of any length."""
        repeated: list[bool] = []

        def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            found = dict(pairs)
            repeated.append(len(found) < len(pairs))
            return found

        hooks: dict[str, Any] = {"parse_int": _integer, "parse_float": _number, "object_pairs_hook": collect}
        try:
            document = json.loads(self.body.decode("utf-8"), parse_constant=no_constant, **hooks)
        except (ValueError, RecursionError) as error:
            return JsonText(None, f"{type(error).__name__}: {error}" if self.body else "an empty body")
        return JsonText(document, None, any(repeated))

    @property
    def document(self) -> Any:
        """The JSON document of the body; None if there is none."""
        return self.json.document

    @property
    def members(self) -> dict[str, Any]:
        """The members of the JSON object in the body; none where there is no object."""
        return self.document if isinstance(self.document, dict) else {}

    @cached_property
    def error_types(self) -> dict[str, Any]:
        """By place, in the order in which clients look there, what names the type of an error."""
        if self.status < 400:
            return {}
        places = {"X-Amzn-ErrorType": self.header("x-amzn-errortype")}
        places |= {member: self.members.get(member) for member in _TYPE_MEMBERS}
        return {place: value for place, value in places.items() if value not in (None, "")}

    @property
    def says_close(self) -> bool:
        """Whether it announces the end of the connection."""
        options = ",".join(value for name, value in self.headers if name.lower() == "connection")
        return "close" in (option.strip().lower() for option in options.split(","))

    @property
    def error_type(self) -> str | None:
        """The bare type of an error, as clients read it."""
        return next((bare(value) for value in self.error_types.values() if isinstance(value, str)), None)


def bare(error_type: str) -> str | None:
    """An error type without its namespace prefix and ``:http…`` suffix, as clients read it."""
    return error_type.split(":", 1)[0].rsplit("#", 1)[-1].strip() or None


@dataclass(frozen=True, slots=True)
class Signing:
    """How a request is signed; everything but the defaults is a fault.

    Attributes:
        region: Of the credential scope; None for the target's.
        skew: Added to the present for X-Amz-Date.
        scope_days: Days from the request's date to that of the credential scope.
        signed_headers: Names of the headers that are signed; None for those that should be.
        tamper: Changes the request after it was signed.
    """

    region: str | None = None
    service: str = SERVICE
    terminator: str = "aws4_request"
    skew: timedelta = timedelta()
    scope_days: int = 0
    signed_headers: tuple[str, ...] | None = None
    tamper: Callable[[Request], Request] | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its response.

    Attributes:
        endpoint: Address that it was sent to, ``scheme://host:port``.
        identity: Name of the identity that signed, None for an unsigned request.
        started: Epoch seconds when the final attempt was sent.
        seconds: Time to the complete response of the final attempt.
        faults: Kinds of the transient faults on the way, each retried.
        signature: Who signed the request and how; None if nobody did, or if it is not known.
    """

    endpoint: str
    request: Request
    response: Response
    identity: str | None = None
    started: float = 0.0
    seconds: float = 0.0
    faults: tuple[str, ...] = ()
    signature: tuple[Identity, Signing] | None = None

    @property
    def size(self) -> int:
        """How much there is to read, to choose the best example by: what is hard to read counts as long."""
        hard = 10_000 * (not _SANE.fullmatch(self.request.target))
        hard += 5_000 * (not _PLAIN.fullmatch(self.request.body))
        hard += 5_000 * (not _READABLE.fullmatch(self.response.body))
        return hard + len(self.request.target) + len(self.request.body) + len(self.response.body)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form for reports, bodies as text and whole. Not redacted."""
        request, response = self.request, self.response
        return {
            "endpoint": self.endpoint,
            "identity": self.identity,
            "request": {"method": request.method, "target": request.target, **request._plain()},
            "response": {"status": response.status, "reason": response.reason, **response._plain()},
            "seconds": round(self.seconds, 4),
        }
