"""Requests to compare two live endpoints by where no recording has any: a sample of the contract."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from getintegration_contract import recording as recordings
from getintegration_contract.exchange import Exchange, Request, Response
from getintegration_contract.operations import get_integration
from getintegration_contract.recording import Recorder, Recording
from getintegration_contract.recording.about import Suite
from getintegration_contract.recording.resign import NONE, SIGNED
from getintegration_contract.redact import Redactor
from getintegration_contract.state.state import UNKNOWN_DOMAIN, State

_DOMAINS = (UNKNOWN_DOMAIN, "a", "x" * 64, "x" * 65, "a b", "é", "a.b", "...", "a%2Fb")
_URIS: tuple[Any, ...] = ("s3://unknown", "é", "u" * 255, "u" * 256, "", None, 1, True, [], {})
_BODIES = (b"", b"{}", b"[]", b"null", b"{", b'{"Uri": NaN}', b'{"uri": "s3://x"}', b"<Uri/>", b"\xff")


def requests(state: State) -> Iterator[tuple[str, Request, str | None]]:
    """Name, request and identity of each probe; all of them only read."""
    yield "existing", get_integration(state.domain, state.uri), "caller"
    if state.other_domain and state.other_uri:
        yield "other", get_integration(state.other_domain, state.other_uri), "caller"
        yield "uri of another domain", get_integration(state.domain, state.other_uri), "caller"
    yield "unsigned", get_integration(state.domain, state.uri), None
    yield "unknown domain, unsigned", get_integration(_DOMAINS[0], state.uri), None
    yield "domain in lower case", get_integration(state.domain.lower(), state.uri), "caller"
    yield "uri with a slash", get_integration(state.domain, state.uri + "/"), "caller"
    for number, domain in enumerate(_DOMAINS):
        yield f"domain {number}", get_integration(domain, state.uri), "caller"
    for number, uri in enumerate(_URIS):
        yield f"uri {number}", get_integration(state.domain, uri), "caller"
    for number, body in enumerate(_BODIES):
        yield f"body {number}", get_integration(state.domain, body=body), "caller"
    for media_type in ("text/plain", None):
        request = get_integration(state.domain, state.uri).with_headers(content_type=media_type)
        yield f"content type {media_type}", request, "caller"


def write(path: Path, state: State, suite: Suite) -> Recording:
    """The probes as a recording that nobody answered, to be replayed."""
    recorder = Recorder(path, Redactor(), suite)
    unanswered = Response(0, "not asked", (), b"")
    for name, request, identity in requests(state):
        signing = {"kind": SIGNED if identity else NONE}
        exchange = Exchange(suite.endpoint, request, unanswered, identity, time.time())
        recorder.write(exchange, test=f"probe[{name}]", signing=signing)
    recorder.finish(complete=True)
    return recordings.read(path)
