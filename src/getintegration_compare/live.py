"""A live endpoint: reached, given the state that requests ask for, and asked.

A request that writes never goes to AWS, and to any other endpoint only if that allows writing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from getintegration_compare.names import Names, RefusedError
from getintegration_compare.pairing import writes
from getintegration_contract.exchange import Exchange, Request
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
    emulator: bool = False

    def __post_init__(self) -> None:
        self.names = Names([self.state.to_dict()])

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
        """Reach an endpoint and have the state that requests ask for. On AWS nothing is made.

        Args:
            stack: Removes what was made, and lets go.
            like: The other side, whose integration this one is given.

        Raises:
            EnvironmentFault: It cannot be reached, or has no integration to ask for.
        """
        if target.is_aws:
            target = replace(target, allow_writes=False)
        acquire = None
        if target.rate is not None or target.max_requests is not None:
            budget = Budget.create(target.rate, target.max_requests, target.write_rate)
            stack.callback(budget.remove)
            acquire = budget.acquire
        client = Client(target.endpoint, target.region, timeout=target.request_timeout, acquire=acquire)
        stack.callback(client.close)
        provisioner = Provisioner(client, target.identities, say)
        stack.callback(provisioner.remove)
        if target.allow_writes and target.domain_name is None:
            say(f"{target.endpoint}: makes domains named {PREFIX}*, and removes them at the end")
        return cls(target, client, provisioner.provide(target, members_of(like)), emulator)

    def recording(self, source: Recording, redactor: Redactor) -> Recording:
        """A recording, still empty, of what is answered here to the requests of another."""
        suite = replace(
            source.suite,
            endpoint=self.target.endpoint,
            region=self.target.region,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            states=(self.state.to_dict(),),
            emulator=self.emulator,
            complete=True,
            replay_of=f"{source.suite.where}, {source.suite.date}",
        )
        return Recording(source.path, Suite.read(redactor.value(suite.to_dict())))

    def request(self, recorded: Recorded, names: Names) -> Request:
        """A recorded request as it can be asked here.

        Args:
            names: Those of the endpoint that was recorded.

        Raises:
            RefusedError: It cannot.
        """
        identity = recorded.exchange.identity
        if recorded.signing.get("kind") not in (resign.NONE, resign.SIGNED):
            raise RefusedError("its signature is a fault that only the suite itself can make again")
        if identity is not None and identity not in self.target.identities:
            raise RefusedError(f"the target names no identity {identity}")
        if writes(recorded.exchange.request) and (self.target.is_aws or not self.target.allow_writes):
            raise RefusedError("it may write, and nothing is written here")
        try:
            resign.signing(recorded.signing)
        except ValueError as error:
            raise RefusedError(f"its signature is described wrongly: {error}") from None
        request = resign.bare(recorded.exchange.request, recorded.signing)
        return request if names.same_as(self.names) else self.names.show(names.hide(request))

    def ask(self, request: Request, recorded: Recorded) -> Exchange:
        """Send a request here, signed as it was signed when it was recorded.

        Raises:
            EnvironmentFault: As the client does.
        """
        name = recorded.exchange.identity
        if recorded.signing.get("kind") == resign.NONE or name is None:
            return self.client.send(request)
        # Where throttling is the answer that was meant, nothing waits for its end.
        bursts = name == "low-quota" or recorded.exchange.response.status == 429
        identity, signing = self.target.identities[name], resign.signing(recorded.signing)
        return self.client.send(request, identity, signing, throttled=bursts)


def members_of(side: Recording | Live | None) -> dict[str, Any] | None:
    """What PutIntegration is given for an integration like the one there; None where the suite chose it."""
    if side is None:
        return None
    state = side.state.to_dict() if isinstance(side, Live) else side.suite.states[-1]
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
