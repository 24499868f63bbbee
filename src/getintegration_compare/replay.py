"""The requests of a recording, sent to live endpoints.

They are signed anew, names are mapped, the order is kept. What cannot be sent again faithfully is not sent,
and the reason is kept. A request that writes never goes to AWS, and elsewhere only where writing is allowed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from getintegration_compare.names import Names, RefusedError
from getintegration_compare.pairing import Key, index, writes
from getintegration_contract.errors import BudgetExhausted
from getintegration_contract.exchange import Exchange
from getintegration_contract.operations import get_integration
from getintegration_contract.recording import Recorder, Recording, Suite, har
from getintegration_contract.recording.har import Recorded
from getintegration_contract.redact import Redactor
from getintegration_contract.sending.budget import Budget
from getintegration_contract.sending.client import Client
from getintegration_contract.state.provisioner import Provisioner
from getintegration_contract.state.state import MEMBERS, PREFIX, State
from getintegration_contract.target.target import Target
from getintegration_contract.text import duration

#: The requests that are sent where nothing is recorded; they only read.
SAMPLE = Path(__file__).with_name("sample.har")
#: Seconds between two lines on the progress of a slow replay.
_EVERY = 10.0


@dataclass
class Live:
    """A live endpoint, ready for requests."""

    target: Target
    client: Client
    state: State
    emulator: bool = False

    def __post_init__(self) -> None:
        self.names = Names([asdict(self.state)])

    @classmethod
    def open(
        cls,
        target: Target,
        stack: ExitStack,
        say: Callable[[str], None],
        *,
        emulator: bool = False,
        like: Recording | Live | None = None,
    ) -> Live:
        """Reach an endpoint and provide the state that requests need. On AWS nothing is created.

        Args:
            stack: Removes what was created, and closes the client.
            like: The other side; an integration like its own is created here.
        """
        if target.is_aws:
            target = replace(target, allow_writes=False)
        budget = Budget.create(target.rate, target.max_requests, target.write_rate)
        stack.callback(budget.remove)
        client = target.client(acquire=budget.acquire)
        stack.callback(client.close)
        provisioner = Provisioner(client, target.identities, say)
        stack.callback(provisioner.remove)
        if target.allow_writes and target.domain_name is None:
            say(f"{target.endpoint}: creates domains named {PREFIX}*, removed at the end")
        return cls(target, client, provisioner.provide(target, members_of(like)), emulator)

    def recording(self, source: Recording, redactor: Redactor) -> Recording:
        """An empty recording, for the answers to the requests of another."""
        about = source.suite
        how: dict[str, Any] = {name: getattr(about, name) for name in ("seed", "depth", "max_examples")}
        how["replay_of"] = f"{about.where}, {about.date}"
        suite = Suite.begun(self.target, self.state, emulator=self.emulator, complete=True, **how)
        return Recording(Suite.read(redactor.value(asdict(suite))))

    def prepared(self, recorded: Recorded, names: Names) -> Callable[[], Exchange]:
        """A call that sends a recorded request here, signed the same way as when it was recorded.

        Args:
            names: Those of the recorded endpoint.

        Raises:
            RefusedError: It cannot be sent here.
        """
        name, kind = recorded.exchange.identity, recorded.signing.get("kind")
        if kind not in (har.NONE, har.SIGNED):
            raise RefusedError("only the suite itself can reproduce its faulty signature")
        if name is not None and name not in self.target.identities:
            raise RefusedError(f"the target has no identity {name}")
        if writes(recorded.exchange.request) and (self.target.is_aws or not self.target.allow_writes):
            raise RefusedError("it may write, and writing is not allowed here")
        request = har.bare(recorded.exchange.request, recorded.signing)
        if not names.same_as(self.names):
            request = self.names.show(names.hide(request))
        if kind == har.NONE or name is None:
            return partial(self.client.send, request)
        # Where throttling is the answer that was meant, nothing waits for its end.
        signing = har.signing(recorded.signing)
        bursts = name == "low-quota" or recorded.exchange.response.status == 429
        return partial(self.client.send, request, self.target.identities[name], signing, throttled=bursts)


Side = Recording | Live


def members_of(side: Side | None) -> dict[str, Any] | None:
    """The members that make an integration like the one there; None where the suite made it."""
    if side is None:
        return None
    state = asdict(side.state) if isinstance(side, Live) else side.suite.states[-1]
    if state.get("origin") == "made":
        return None
    asked = get_integration(state["domain"], state["uri"])
    if isinstance(side, Live):
        exchanges = [side.client.send(asked, side.target.caller)]
    else:
        exchanges = [recorded.exchange for recorded in side.exchanges]
    for exchange in exchanges:
        is_asked = (exchange.request.target, exchange.request.body) == (asked.target, asked.body)
        if is_asked and exchange.response.status == 200 and (found := exchange.response.members):
            members = {name: found[name] for name in MEMBERS if found.get(name) is not None}
            has_flow = bool(found.get("WorkflowId"))
            return members | ({"FlowDefinition": MEMBERS["FlowDefinition"]} if has_flow else {})
    return None


def replay(
    source: Recording,
    sides: tuple[Side, Side],
    redactor: Redactor,
    say: Callable[[str], None],
    *,
    only: Collection[str] | None = None,
    keep: Path | None = None,
) -> tuple[Recording, Recording, dict[Key, str]]:
    """Send the requests of a recording, one after the other, each to all sides that are live.

    Args:
        only: Tests whose requests are sent; None for all.
        keep: Where the answers of the last live side are recorded.

    Returns:
        A recording of either side, redacted, and why requests were not sent to both.
    """
    one, other = (side.recording(source, redactor) if isinstance(side, Live) else side for side in sides)
    lives = [(side, got) for side, got in zip(sides, (one, other), strict=True) if isinstance(side, Live)]
    unsent: dict[Key, str] = {}
    if not lives:
        return one, other, unsent
    names = Names(source.suite.states)
    found = index(source, names)
    chosen = {
        key: source.exchanges[position]
        for key, position in found.places.items()
        if key.test not in found.races and (only is None or key.test in only)
    }
    kept = Recorder(keep, redactor, replace(lives[-1][1].suite, complete=False)) if keep else None
    for key, recorded in _announced(chosen, [live.target for live, _ in lives], say):
        try:
            # What cannot be sent to one is not sent to the others.
            asks = [live.prepared(recorded, names) for live, _ in lives]
            for ask, (_, recording) in zip(asks, lives, strict=True):
                exchange = replace(ask(), faults=())
                redactor.learn(exchange.request)
                line = har.line(replace(recorded, exchange=exchange), redactor)
                recording.exchanges.append(har.recorded(json.loads(line)))
            if kept:
                kept.add([line])
        except (RefusedError, BudgetExhausted) as error:
            unsent[key] = str(error)
    if kept:
        kept.finish(complete=True)
    return one, other, unsent


def _announced(
    chosen: Mapping[Key, Recorded], targets: Sequence[Target], say: Callable[[str], None]
) -> Iterator[tuple[Key, Recorded]]:
    """The same one by one; lines say how many there are and, if it takes long, how many are left."""
    total = len(chosen)
    text = f"{total} requests to {' and '.join(target.endpoint for target in targets)}"
    if rates := [target.rate for target in targets if target.rate is not None]:
        text += f" at {min(rates):g} a second: about {duration(total / min(rates))}"
    say(text)
    begun = said = time.monotonic()
    for done, each in enumerate(chosen.items()):
        now = time.monotonic()
        if now - said >= _EVERY:
            said = now
            say(f"{done} of {total} requests, about {duration((now - begun) / done * (total - done))} left")
        yield each
