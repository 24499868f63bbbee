"""One request and its response, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

from getintegration_contract.identity import Identity

#: The service's name in a credential scope.
SERVICE = "profile"

Headers = tuple[tuple[str, str], ...]


def _first(headers: Headers, name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name.lower()), None)


def no_constant(name: str) -> NoReturn:
    """NaN and Infinity, which Python's parser of JSON takes, are no JSON."""
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes over the wire.

    ``target`` is the request target exactly as sent: nothing normalises its percent-encoding or dots.
    """

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return _first(self.headers, name)

    def with_headers(self, **headers: str | None) -> Request:
        """The request with headers set, or removed where None; ``_`` in a name stands for ``-``."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        named = {name.lower() for name in changed}
        kept = [(name, value) for name, value in self.headers if name.lower() not in named]
        added = [(name, value) for name, value in changed.items() if value is not None]
        return replace(self, headers=(*kept, *added))


@dataclass(frozen=True)
class Response:
    """A response; ``body`` has its transfer and content encodings removed, ``headers`` are as received.

    What its JSON says is read once, when it is first asked for.
    """

    status: int
    reason: str
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return _first(self.headers, name)

    @cached_property
    def _json(self) -> tuple[Any, str | None]:
        try:
            text = self.body.decode("utf-8")
            document = json.loads(text, parse_constant=no_constant)
            if "\\u" in text:
                json.dumps(document, ensure_ascii=False).encode("utf-8")  # a lone surrogate is no text
        except (ValueError, RecursionError) as error:
            return None, f"{type(error).__name__}: {error}" if self.body else "an empty body"
        return document, None

    @property
    def document(self) -> Any:
        """The JSON document of the body; None if there is none."""
        return self._json[0]

    @property
    def json_fault(self) -> str | None:
        """Why the body is no JSON document; None if it is one."""
        return self._json[1]

    @property
    def members(self) -> dict[str, Any]:
        """The members of the JSON object in the body; none where there is no object."""
        return self.document if isinstance(self.document, dict) else {}


@dataclass(frozen=True, slots=True)
class Signing:
    """How a request is signed; everything but the defaults is a fault.

    Attributes:
        region: Of the credential scope; None for the target's.
        skew: Added to the present for X-Amz-Date.
        scope_date: ``YYYYMMDD`` of the credential scope, if another than the request's.
        signed_headers: Names of the headers that are signed; None for those that should be.
        tamper: Changes the request after it was signed.
    """

    region: str | None = None
    service: str = SERVICE
    terminator: str = "aws4_request"
    skew: timedelta = timedelta()
    scope_date: str | None = None
    signed_headers: tuple[str, ...] | None = None
    tamper: Callable[[Request], Request] | None = None


class Signature(NamedTuple):
    """Who signed a request, and how."""

    identity: Identity
    signing: Signing


class Fault(NamedTuple):
    """A transient fault that a repeat did not show: what, and at which attempt."""

    kind: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its response.

    Attributes:
        endpoint: Address that it was sent to, ``scheme://host:port``.
        identity: Name of the identity that signed, None for an unsigned request.
        started: Epoch seconds when the final attempt was sent.
        seconds: Time to the complete response of the final attempt.
        faults: Transient faults on the way, each retried.
        signature: Who signed the request and how; None if nobody did, or if it is not known.
    """

    endpoint: str
    request: Request
    response: Response
    identity: str | None = None
    started: float = 0.0
    seconds: float = 0.0
    faults: tuple[Fault, ...] = ()
    signature: Signature | None = None

    @property
    def size(self) -> int:
        """Bytes of request and response, to choose the smallest example by."""
        return len(self.request.target) + len(self.request.body) + len(self.response.body)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form for reports, bodies as text and whole. Not redacted."""
        return {
            "endpoint": self.endpoint,
            "identity": self.identity,
            "request": {
                "method": self.request.method,
                "target": self.request.target,
                "headers": [list(header) for header in self.request.headers],
                "body": _text(self.request.body),
            },
            "response": {
                "status": self.response.status,
                "reason": self.response.reason,
                "headers": [list(header) for header in self.response.headers],
                "body": _text(self.response.body),
            },
            "seconds": round(self.seconds, 4),
        }


def _text(body: bytes) -> str:
    return body.decode("utf-8", "backslashreplace")
