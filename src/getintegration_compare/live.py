"""A live endpoint: reached, given the state that requests ask for, and asked.

A request that writes never goes to AWS, and to any other endpoint only if that allows writing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from getintegration_compare.names import Names, UnmappedError
from getintegration_compare.safety import writes
from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.judging.judge import parse
from getintegration_contract.operations import get_integration
from getintegration_contract.recording import Recording, resign
from getintegration_contract.recording.about import Suite
from getintegration_contract.recording.har import Recorded
from getintegration_contract.redact import Redactor
from getintegration_contract.sending.budget import Budget
from getintegration_contract.sending.client import Client
from getintegration_contract.state.leftovers import PREFIX
from getintegration_contract.state.provisioner import Provisioner
from getintegration_contract.state.state import MEMBERS, State
from getintegration_contract.target.target import Target


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
            EnvironmentFault: It cannot be reached, or has no integration to ask for.
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
                raise EnvironmentFault(Redactor(target.secrets).text(str(error))) from None
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
            return f"its signature is described wrongly: {error}"
        return None

    def ask(self, recorded: Recorded, names: Names) -> Exchange:
        """Send the request of an exchange here, signed as it was signed there.

        Raises:
            EnvironmentFault: As the client does.
        """
        request = self._request(recorded, names)
        name = recorded.exchange.identity
        if recorded.signing.get("kind") == resign.NONE or name is None:
            return self.client.send(request)
        # Where throttling is the answer that was meant, nothing waits for its end.
        bursts = name == "low-quota" or recorded.exchange.response.status == 429
        identity, signing = self.target.identities[name], resign.signing(recorded.signing)
        return self.client.send(request, identity, signing, throttled=bursts)

    def _request(self, recorded: Recorded, names: Names) -> Request:
        resign.signing(recorded.signing)
        request = resign.bare(recorded.exchange.request, recorded.signing)
        return request if names.same_as(self.names) else self.names.show(names.hide(request))


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
