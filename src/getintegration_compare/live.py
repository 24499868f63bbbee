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
from getintegration_compare.pairing import writes
from getintegration_contract.exchange import Exchange, Request, Response
from getintegration_contract.operations import get_integration
from getintegration_contract.recording import Recording, resign
from getintegration_contract.recording.about import Suite
from getintegration_contract.recording.har import Recorded
from getintegration_contract.sending.budget import Budget
from getintegration_contract.sending.client import Client
from getintegration_contract.state.leftovers import PREFIX
from getintegration_contract.state.provisioner import Provisioner
from getintegration_contract.state.state import MEMBERS, State
from getintegration_contract.target.target import Target


class RefusedError(Exception):
    """A recorded request that cannot be asked again here; the text says why."""


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
        members: dict[str, Any] | None = None,
    ) -> Live:
        """Reach an endpoint and have the state that requests ask for. On AWS nothing is made.

        Args:
            stack: Removes what was made, and lets go.
            members: Optional members of the integration that the requests ask for elsewhere.

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
        return cls(target, client, provisioner.provide(target, members), emulator)

    def members(self) -> dict[str, Any] | None:
        """The optional members of the integration here; None where the suite chose them."""
        if self.state.origin == "made":
            return None
        request = get_integration(self.state.domain, self.state.uri)
        return _members_in(self.client.send(request, self.target.caller).response)

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
            request = resign.bare(recorded.exchange.request, recorded.signing)
            return request if names.same_as(self.names) else self.names.show(names.hide(request))
        except UnmappedError as error:
            raise RefusedError(f"{error} here") from None
        except ValueError as error:
            raise RefusedError(f"its signature is described wrongly: {error}") from None

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


def members_of(source: Recording) -> dict[str, Any] | None:
    """The optional members of the integration that a recording asks for; None where the suite chose them.

    To compare, the other side has to hold the same integration.
    """
    state = source.suite.states[-1]
    if state.get("origin") == "made":
        return None
    asked = get_integration(state["domain"], state["uri"])
    answers = (
        recorded.exchange.response
        for recorded in source
        if (recorded.exchange.request.target, recorded.exchange.request.body) == (asked.target, asked.body)
        and recorded.exchange.response.status == 200
    )
    return next((members for answer in answers if (members := _members_in(answer)) is not None), None)


def _members_in(response: Response) -> dict[str, Any] | None:
    """What PutIntegration is given for an integration to be read like that."""
    document = response.document
    if not isinstance(document, dict):
        return None
    members = {name: document[name] for name in MEMBERS if document.get(name) is not None}
    return members | ({"FlowDefinition": MEMBERS["FlowDefinition"]} if document.get("WorkflowId") else {})
