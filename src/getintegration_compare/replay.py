"""Requests sent to live endpoints: those of a recording, or a sample of the contract where there is none.

They are signed again, names are mapped, the order is kept. What cannot be sent again faithfully is not sent,
and the reason is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from getintegration_compare.live import Live, RefusedError
from getintegration_compare.names import Names
from getintegration_compare.pairing import Key, index
from getintegration_contract import recording as recordings
from getintegration_contract.errors import BudgetExhausted
from getintegration_contract.exchange import Exchange, Request, Response
from getintegration_contract.operations import get_integration
from getintegration_contract.recording import Recorder, Recording
from getintegration_contract.recording.about import Suite
from getintegration_contract.recording.resign import NONE, SIGNED
from getintegration_contract.redact import Redactor
from getintegration_contract.state.state import UNKNOWN_DOMAIN, State
from getintegration_contract.text import duration

#: Seconds between two lines on how far a slow replay is.
_EVERY = 10.0

_DOMAINS = (UNKNOWN_DOMAIN, "a", "x" * 64, "x" * 65, "a b", "é", "a.b", "...", "a%2Fb")
_URIS: tuple[Any, ...] = ("s3://unknown", "é", "u" * 255, "u" * 256, "", None, 1, True, [], {})
_BODIES = (b"", b"{}", b"[]", b"null", b"{", b'{"Uri": NaN}', b'{"uri": "s3://x"}', b"<Uri/>", b"\xff")


def replay(
    source: Recording,
    lives: Sequence[Live],
    paths: Sequence[Path],
    say: Callable[[str], None],
    *,
    only: Collection[str] | None = None,
    accounts: bool = False,
) -> tuple[list[Recording], dict[Key, str]]:
    """Send the requests of a recording to one or more endpoints, one after the other, each to all of them.

    Args:
        paths: Where the recordings are written, one for each endpoint.
        only: Tests whose requests are sent; None for all.
        accounts: Whether account ids are redacted as well.

    Returns:
        What each endpoint answered, and why requests were not sent to all of them.

    Raises:
        EnvironmentFault: An endpoint went away.
    """
    names = Names(source.suite.states)
    found = index(source, names)
    chosen = [
        (position, key)
        for position, key in enumerate(found.keys)
        if key is not None and key.test not in found.races and (only is None or key.test in only)
    ]
    recorders = [
        Recorder(path, Redactor(live.target.secrets, accounts=accounts), live.suite(source.suite))
        for live, path in zip(lives, paths, strict=True)
    ]
    unsent: dict[Key, str] = {}
    for position, key in _announced(chosen, lives, say):
        recorded = source[position]
        try:
            # What one cannot be asked, the others need not be.
            requests = [live.request(recorded, names) for live in lives]
            for live, request, recorder in zip(lives, requests, recorders, strict=True):
                recorder.write(
                    replace(live.ask(request, recorded), faults=()),
                    test=recorded.test,
                    clauses=recorded.clauses,
                    signing=recorded.signing,
                )
        except (RefusedError, BudgetExhausted) as error:
            unsent[key] = str(error)
    for recorder in recorders:
        recorder.finish(complete=True)
    return [recordings.read(path) for path in paths], unsent


def _announced(
    chosen: list[tuple[int, Key]], lives: Sequence[Live], say: Callable[[str], None]
) -> Iterator[tuple[int, Key]]:
    """The same, after a line on how many there are, and with lines on how far it is where that is slow."""
    total = len(chosen)
    text = f"{total} requests to {' and '.join(live.target.endpoint for live in lives)}"
    if rates := [live.target.rate for live in lives if live.target.rate is not None]:
        text += f" at {min(rates):g} a second: about {duration(total / min(rates))}"
    say(text)
    begun = said = time.monotonic()
    for done, each in enumerate(chosen):
        now = time.monotonic()
        if now - said >= _EVERY:
            said = now
            left = (now - begun) / done * (total - done)
            say(f"{done} of {total} requests, about {duration(left)} left")
        yield each


def sample(path: Path, live: Live) -> Recording:
    """A sample of the contract as a recording that nobody answered, to be replayed."""
    now, state, target = datetime.now(UTC).isoformat(timespec="seconds"), live.state, live.target
    versions = version(recordings.CREATOR), recordings.model_version()
    states = (state.to_dict(),)
    about = Suite(*versions, target.endpoint, target.region, now, 0, "sample", states, emulator=live.emulator)
    recorder = Recorder(path, Redactor(), about)
    unanswered = Response(0, "not asked", (), b"")
    for name, request, identity in _sample(state):
        signing = {"kind": SIGNED if identity else NONE}
        exchange = Exchange(target.endpoint, request, unanswered, identity, time.time())
        recorder.write(exchange, test=f"probe[{name}]", signing=signing)
    recorder.finish(complete=True)
    return recordings.read(path)


def _sample(state: State) -> Iterator[tuple[str, Request, str | None]]:
    """Name, request and identity of each; all of them only read."""
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
