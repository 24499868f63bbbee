"""Requests sent to live endpoints: those of a recording, or a sample of the contract where there is none.

They are signed again, names are mapped, the order is kept. What cannot be sent again faithfully is not sent,
and the reason is kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from getintegration_compare.live import Live
from getintegration_compare.names import Names, RefusedError
from getintegration_compare.pairing import Key, index
from getintegration_contract import recording as recordings
from getintegration_contract.errors import BudgetExhausted
from getintegration_contract.exchange import Exchange, Response
from getintegration_contract.operations import get_integration
from getintegration_contract.recording import Recorder, Recording, har
from getintegration_contract.recording.about import Suite
from getintegration_contract.recording.har import Recorded
from getintegration_contract.recording.resign import NONE, SIGNED
from getintegration_contract.redact import Redactor
from getintegration_contract.state.state import UNKNOWN_DOMAIN
from getintegration_contract.text import duration

Side = Recording | Live

#: Seconds between two lines on how far a slow replay is.
_EVERY = 10.0

_DOMAINS = (UNKNOWN_DOMAIN, "a", "x" * 64, "x" * 65, "a b", "é", "a.b", "...", "a%2Fb")
_URIS: tuple[Any, ...] = ("s3://unknown", "é", "u" * 255, "u" * 256, "", None, 1, True, [], {})
_BODIES = (b"", b"{}", b"[]", b"null", b"{", b'{"Uri": NaN}', b'{"uri": "s3://x"}', b"<Uri/>", b"\xff")


def replay(
    source: Recording,
    sides: tuple[Side, Side],
    redactor: Redactor,
    say: Callable[[str], None],
    *,
    only: Collection[str] | None = None,
    keep: Path | None = None,
) -> tuple[Recording, Recording, dict[Key, str]]:
    """Send the requests of a recording to the sides that are live, one after the other, each to all of them.

    Args:
        only: Tests whose requests are sent; None for all.
        keep: Where the answers of the last live side are recorded.

    Returns:
        A recording of either side, redacted, and why requests were not sent to both.

    Raises:
        EnvironmentFault: An endpoint went away.
    """
    answers = [side.recording(source, redactor) if isinstance(side, Live) else side for side in sides]
    lives = [(side, got) for side, got in zip(sides, answers, strict=True) if isinstance(side, Live)]
    unsent: dict[Key, str] = {}
    if not lives:
        return answers[0], answers[1], unsent
    names = Names(source.suite.states)
    found = index(source, names)
    chosen = [
        (position, key)
        for key, position in sorted(found.places.items(), key=lambda each: each[1])
        if key.test not in found.races and (only is None or key.test in only)
    ]
    kept = Recorder(keep, redactor, replace(lives[-1][1].suite, complete=False)) if keep else None
    for position, key in _announced(chosen, [live for live, _ in lives], say):
        recorded = source.exchanges[position]
        try:
            # What one cannot be asked, the others need not be.
            requests = [live.request(recorded, names) for live, _ in lives]
            for (live, recording), request in zip(lives, requests, strict=True):
                exchange = replace(live.ask(request, recorded), faults=())
                line = har.line(replace(recorded, exchange=exchange), redactor)
                recording.exchanges.append(har.recorded(json.loads(line)))
                if kept and recording is lives[-1][1]:
                    kept.add([line])
        except (RefusedError, BudgetExhausted) as error:
            unsent[key] = str(error)
    if kept:
        kept.finish(complete=True)
    return answers[0], answers[1], unsent


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


def sample(live: Live) -> Recording:
    """A sample of the contract as a recording that nobody answered, to be replayed; it only reads."""
    state, target = live.state, live.target
    existing = get_integration(state.domain, state.uri)
    signed = {"existing": existing}
    if state.other_domain and state.other_uri:
        signed["other"] = get_integration(state.other_domain, state.other_uri)
        signed["uri of another domain"] = get_integration(state.domain, state.other_uri)
    signed["domain in lower case"] = get_integration(state.domain.lower(), state.uri)
    signed["uri with a slash"] = get_integration(state.domain, state.uri + "/")
    signed |= {f"domain {n}": get_integration(domain, state.uri) for n, domain in enumerate(_DOMAINS)}
    signed |= {f"uri {n}": get_integration(state.domain, uri) for n, uri in enumerate(_URIS)}
    signed |= {f"body {n}": get_integration(state.domain, body=body) for n, body in enumerate(_BODIES)}
    signed |= {
        f"content type {name}": existing.with_headers(content_type=name) for name in ("text/plain", None)
    }
    unsigned = {"unsigned": existing, "unknown domain, unsigned": get_integration(_DOMAINS[0], state.uri)}
    unanswered = Response(0, "not asked", (), b"")
    exchanges = [
        Recorded(
            Exchange(target.endpoint, request, unanswered, identity),
            f"probe[{name}]",
            signing={"kind": kind},
        )
        for requests, identity, kind in ((signed, "caller", SIGNED), (unsigned, None, NONE))
        for name, request in requests.items()
    ]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    versions = version(recordings.CREATOR), recordings.model_version()
    states = (state.to_dict(),)
    about = Suite(*versions, target.endpoint, target.region, now, 0, "sample", states, emulator=live.emulator)
    return Recording(Path("sample"), about, exchanges=exchanges)
