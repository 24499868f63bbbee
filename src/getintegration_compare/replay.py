"""The requests of a recording, sent again to a live endpoint: re-signed, names mapped, order kept.

What cannot be sent again faithfully is not sent, and the reason is kept. A request that writes never goes to
AWS, and to any other endpoint only if that allows writing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from getintegration_compare.names import Names, UnmappedError
from getintegration_compare.pairing import keys
from getintegration_compare.safety import writes
from getintegration_contract import recording as recordings
from getintegration_contract.errors import BudgetExhausted, EnvironmentFault
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.judging.judge import parse
from getintegration_contract.operations import get_integration
from getintegration_contract.recording import Recorder, Recording, resign
from getintegration_contract.recording.about import Suite
from getintegration_contract.recording.har import Recorded
from getintegration_contract.redact import Redactor
from getintegration_contract.sending.budget import Budget
from getintegration_contract.sending.client import Client
from getintegration_contract.state.provisioner import MEMBERS, PREFIX, Provisioner, State
from getintegration_contract.target.target import Target
from getintegration_contract.text import duration

#: Seconds between two lines on how far a slow replay is.
_EVERY = 10.0


class ReplayError(RuntimeError):
    """The environment got in the way of a replay; the message is one sentence."""


@dataclass(frozen=True)
class Answers:
    """What one side answered to the requests of a recording.

    Attributes:
        recording: Its answers.
        sent: Positions in the recording of the requests that it was asked, in order.
        reasons: Why it was not asked the others, by position.
    """

    recording: Recording
    sent: Sequence[int]
    reasons: Mapping[int, str]


@dataclass
class Live:
    """A live endpoint, ready to be asked: its client, its state, its names."""

    target: Target
    client: Client
    state: State
    undo: ExitStack
    emulator: bool = False

    def __post_init__(self) -> None:
        self.names = Names([self.state.to_dict()])

    @classmethod
    def open(
        cls,
        target: Target,
        say: Callable[[str], None],
        *,
        emulator: bool = False,
        members: dict[str, Any] | None = None,
    ) -> Live:
        """Reach an endpoint and have the state that requests ask for. On AWS nothing is made.

        Args:
            members: Optional members of the integration that the requests ask for elsewhere.

        Raises:
            ReplayError: It cannot be reached, or has no integration to ask for.
        """
        if target.is_aws:
            target = replace(target, allow_writes=False)
        with ExitStack() as undo:
            acquire = None
            try:
                if target.rate is not None or target.max_requests is not None:
                    budget = Budget.create(target.rate, target.max_requests, target.write_rate)
                    undo.callback(budget.remove)
                    acquire = budget.acquire
                client = Client(target.endpoint, target.region, timeout=target.timeout, acquire=acquire)
                undo.callback(client.close)
                provisioner = Provisioner(client, target.identities, say)
                undo.callback(provisioner.remove)
                if target.allow_writes and target.domain_name is None:
                    say(f"{target.endpoint}: makes domains named {PREFIX}*, and removes them at the end")
                state = provisioner.provide(target, members)
            except EnvironmentFault as error:
                raise ReplayError(Redactor(target.secrets).text(str(error))) from None
            return cls(target, client, state, undo.pop_all(), emulator)

    def members(self) -> dict[str, Any] | None:
        """The optional members of the integration here; None where the suite chose them."""
        if self.state.origin == "made":
            return None
        request = get_integration(self.state.domain, self.state.uri)
        document = parse(self.client.send(request, self.target.caller).response).document
        return members_in(document) if isinstance(document, dict) else None

    def close(self) -> None:
        """Remove what was made, and let go."""
        self.undo.close()

    def suite(self, source: Suite) -> Suite:
        """What a recording of this replay is about."""
        return replace(
            source,
            endpoint=self.target.endpoint,
            region=self.target.region,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            states=(self.state.to_dict(),),
            emulator=self.emulator,
            complete=False,
            replay_of=f"{source.where}, {source.date}",
        )

    def refusal(self, recorded: Recorded, names: Names) -> str | None:
        """Why an exchange cannot be asked again here; None if it can."""
        request, identity = recorded.exchange.request, recorded.exchange.identity
        kind = recorded.signing.get("kind")
        if kind not in (resign.NONE, resign.SIGNED):
            return "its signature is a fault that only the suite itself can make again"
        if identity is not None and identity not in self.target.identities:
            return f"the target names no identity {identity}"
        if writes(request) and (self.target.is_aws or not self.target.allow_writes):
            return "it may write, and nothing is written here"
        try:
            self._request(recorded, names)
        except UnmappedError as error:
            return f"{error} here"
        except ValueError as error:
            return f"its signature is told wrongly: {error}"
        return None

    def ask(self, recorded: Recorded, names: Names) -> Exchange:
        """Send the request of an exchange here, signed as it was signed there.

        Raises:
            EnvironmentFault: As the client does.
        """
        told = recorded.signing
        request = self._request(recorded, names)
        name = recorded.exchange.identity
        if told.get("kind") == resign.NONE or name is None:
            return self.client.send(request)
        # Where throttling is the answer that was meant, it is not waited for to end.
        bursts = name == "low-quota" or recorded.exchange.response.status == 429
        identity, signing = self.target.identities[name], resign.signing(told)
        return self.client.send(request, identity, signing, throttled=bursts)

    def _request(self, recorded: Recorded, names: Names) -> Request:
        resign.signing(recorded.signing)
        request = resign.bare(recorded.exchange.request, recorded.signing)
        return request if names == self.names else self.names.show(names.hide(request))


def members_of(source: Recording) -> dict[str, Any] | None:
    """The optional members of the integration that a recording asks for; None where the suite chose them.

    To compare, the other side has to hold the same integration.
    """
    state = source.suite.states[-1]
    if state.get("origin") == "made":
        return None
    asked = get_integration(state["domain"], state["uri"])
    for recorded in source:
        request, response = recorded.exchange.request, recorded.exchange.response
        if (request.target, request.body) != (asked.target, asked.body) or response.status != 200:
            continue
        document = parse(response).document
        if isinstance(document, dict):
            return members_in(document)
    return None


def members_in(document: dict[str, Any]) -> dict[str, Any]:
    """What PutIntegration is given for an integration to be read like that."""
    members = {name: document[name] for name in MEMBERS if document.get(name) is not None}
    return members | ({"FlowDefinition": MEMBERS["FlowDefinition"]} if document.get("WorkflowId") else {})


def replay(
    source: Recording,
    lives: Iterable[Live],
    paths: Iterable[Path],
    say: Callable[[str], None],
    *,
    only: frozenset[int] | None = None,
    accounts: bool = False,
) -> list[Answers]:
    """Send the requests of a recording to one or more endpoints, one after the other, each to all of them.

    Args:
        source: Whose requests are sent.
        lives: Where to; not closed.
        paths: Where the recordings are written, one for each endpoint.
        only: Positions in the source; None for all.
        accounts: Whether account ids are redacted as well.

    Returns:
        What each endpoint answered.

    Raises:
        ReplayError: An endpoint went away, or a budget was spent before anything was compared.
    """
    names = Names(source.suite.states)
    asked = [_Asked(live, path, source.suite, accounts) for live, path in zip(lives, paths, strict=True)]
    chosen = _chosen(source, names, only)
    progress = _Progress(len(chosen), [each.live for each in asked], say)
    for position in chosen:
        recorded = source[position]
        refusals = [each.live.refusal(recorded, names) for each in asked]
        for each, refusal in zip(asked, refusals, strict=True):
            # What one cannot be asked, the others need not be.
            each.take(position, recorded, names, refusal or next(filter(None, refusals), None))
        progress.step()
    return [each.answers() for each in asked]


def _chosen(source: Recording, names: Names, only: frozenset[int] | None) -> list[int]:
    """The positions whose requests are sent: no races, no attempts that a later one made up for."""
    index = keys(source, names)
    return [
        position
        for position, key in enumerate(index.keys)
        if key is not None and key.test not in index.races and (only is None or position in only)
    ]


class _Asked:
    """One endpoint while it is asked: where its answers go, and what it was not asked."""

    def __init__(self, live: Live, path: Path, source: Suite, accounts: bool) -> None:
        self.live = live
        self.recorder = Recorder(path, Redactor(live.target.secrets, accounts=accounts), live.suite(source))
        self._sent: list[int] = []
        self._reasons: dict[int, str] = {}

    def take(self, position: int, recorded: Recorded, names: Names, refusal: str | None) -> None:
        """Ask it the next request, unless something is against that."""
        if refusal is not None:
            self._reasons[position] = refusal
            return
        try:
            exchange = self.live.ask(recorded, names)
        except BudgetExhausted as error:
            self._reasons[position] = str(error)
            return
        except EnvironmentFault as error:
            raise ReplayError(str(error)) from None
        self._sent.append(position)
        self.recorder.write(
            replace(exchange, faults=()),
            test=recorded.test,
            clauses=recorded.clauses,
            signing=recorded.signing,
        )

    def answers(self) -> Answers:
        """What it answered, as a recording of its own."""
        self.recorder.finish(complete=True)
        return Answers(recordings.read(self.recorder.path), self._sent, self._reasons)


class _Progress:
    """Tells beforehand how many requests will be sent and how long it takes, and then how far it is."""

    def __init__(self, total: int, targets: list[Live], say: Callable[[str], None]) -> None:
        self._total, self._done = total, 0
        self._say = say
        self._clock = self._told = time.monotonic()
        rates = [live.target.rate for live in targets if live.target.rate is not None]
        where = " and ".join(live.target.endpoint for live in targets)
        if rates:
            seconds = total / min(rates)
            say(f"{total} requests to {where} at {min(rates):g} a second: about {duration(seconds)}")
        else:
            say(f"{total} requests to {where}")

    def step(self) -> None:
        """One request more is done."""
        self._done += 1
        now = time.monotonic()
        if now - self._told >= _EVERY and self._done < self._total:
            self._told = now
            left = (now - self._clock) / self._done * (self._total - self._done)
            self._say(f"{self._done} of {self._total} requests, about {duration(left)} left")
