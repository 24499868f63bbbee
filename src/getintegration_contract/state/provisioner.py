"""The state a run needs on its target: given, made, or discovered; what was made is removed again.

Names are the same in every run, so that a seed gives the same requests; a domain that a run under way may
be using is left alone and the next slot is taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

from getintegration_contract.errors import EnvironmentFault, StateError
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.identity import Identity
from getintegration_contract.operations import (
    create_domain,
    delete_domain,
    get_domain,
    get_integration,
    put_integration,
)
from getintegration_contract.sending.client import Client
from getintegration_contract.state import leftovers, listing, preflight
from getintegration_contract.state.leftovers import PREFIX
from getintegration_contract.state.preflight import said
from getintegration_contract.state.state import (
    MEMBERS,
    OTHER_URI,
    PLAIN_URI,
    UNKNOWN_DOMAIN,
    URI,
    State,
    taken,
)
from getintegration_contract.target.target import Target

_SLOTS = 10
#: Integrations, each of another domain, that a second one is chosen from.
_CANDIDATES = 5


class _SlotsTakenError(StateError):
    """All names are in use."""


class _NameRefusedError(StateError):
    """The target does not take the name of a domain."""


class Provisioner:
    """Provides the state of one run, and removes what it made.

    Args:
        identities: The caller signs the requests; domains of another account are swept as well.
        say: Reports, in a sentence, what is made, swept or left behind.
    """

    def __init__(
        self, client: Client, identities: Mapping[str, Identity], say: Callable[[str], None]
    ) -> None:
        self._client = client
        self._caller = identities["caller"]
        self._writers = [self._caller, *filter(None, [identities.get("other-account")])]
        self._say = say
        self._made: list[str] = []

    def given(self, domain: str, uri: str) -> State:
        """Use an integration that exists already.

        Raises:
            StateError: It does not exist, or the endpoint refuses the caller or lacks the operation.
        """
        exchange = self._send(get_integration(domain, uri))
        status, error_type = exchange.response.status, exchange.response.error_type
        if status == 404 and error_type == "ResourceNotFoundException":
            raise StateError(
                f"the integration {uri!r} of domain {domain!r} does not exist:"
                " change --domain-name and --integration-uri"
            )
        preflight.check_implemented(self._client, exchange, strict=False)
        return State("given", domain, uri)

    def made(self, like: dict[str, Any] | None = None) -> State:
        """Make two domains, each with an integration that has all optional members the target takes.

        Args:
            like: Optional members to try first.

        Raises:
            StateError: The target does not let them be made.
        """
        self._sweep()
        domain, other = self._domains()
        for uri in (URI, PLAIN_URI):
            members = self._put(domain, uri, like)
            if members is not None:
                put_other = self._send(put_integration(other, OTHER_URI, members))
                has_other = put_other.response.status // 100 == 2
                return State("made", domain, uri, other, OTHER_URI if has_other else None, members)
        exchange = self._send(put_integration(domain, PLAIN_URI, {"ObjectTypeName": "Contract_Type-1"}))
        raise StateError(f"PutIntegration answered {said(exchange)}")

    def _put(self, domain: str, uri: str, like: dict[str, Any] | None) -> dict[str, Any] | None:
        """Make an integration with all optional members that the target takes; None if it takes none."""
        for members in [like, MEMBERS] if like is not None else [MEMBERS]:
            put = self._send(put_integration(domain, uri, members))
            if put.response.status // 100 == 2:
                return taken(put, members)
        kept: dict[str, Any] | None = None
        for name, value in MEMBERS.items():  # one by one, so that only those are left out that it refuses
            members = {**(kept or {}), name: value}
            put = self._send(put_integration(domain, uri, members))
            if put.response.status // 100 == 2:
                kept = taken(put, members)
        return kept

    def discovered(self) -> State:
        """Find, by reading only, an integration, and a second one in another domain.

        Raises:
            StateError: There is none, or the target does not list.
        """
        found = list(islice(self._integrations(), _CANDIDATES))
        if not found:
            raise StateError("ListDomains and ListIntegrations show no integration")
        domain, uri = found[0]
        for other_domain, other_uri in found[1:]:
            crossed = (domain, other_uri), (other_domain, uri)
            answers = [self._send(get_integration(*question)).response.status for question in crossed]
            if answers == [404, 404]:
                return State("discovered", domain, uri, other_domain, other_uri)
        return State("discovered", domain, uri)

    def _integrations(self) -> Iterator[tuple[str, str]]:
        """One integration of each domain that has any."""
        for name in listing.domains(self._send):
            yield from ((name, uri) for uri in islice(listing.integrations(self._send, name), 1))

    def provide(self, target: Target, members: dict[str, Any] | None = None) -> State:
        """The state that a target's description asks for: given, or else made or discovered.

        Args:
            members: Optional members to make an integration with; None for all.

        Raises:
            StateError: There is none; the message says why, and what to give instead.
        """
        known = get_integration(target.domain_name or UNKNOWN_DOMAIN, target.integration_uri or PLAIN_URI)
        ask = partial(self._client.send, known, self._caller)
        with self._client.unlimited():
            preflight.wait(ask, target.endpoint, target.wait, self._say)
        if target.domain_name is not None and target.integration_uri is not None:
            return self.given(target.domain_name, target.integration_uri)
        state = self.have(
            allow_writes=target.allow_writes, members=members, insists=target.insists_on_writing
        )
        if state.origin == "made":
            time.sleep(target.settling_time)
        return state

    def have(
        self, *, allow_writes: bool, members: dict[str, Any] | None = None, insists: bool = False
    ) -> State:
        """Make the state if writing is allowed, else discover it, unless the user insists on writing.

        Raises:
            StateError: Neither works; the message says why, and what to give instead.
        """
        hindrance = ""
        reasons = []
        if allow_writes:
            try:
                return self.made(members)
            except StateError as error:
                self.remove()
                hindrance = str(error)
                if insists or isinstance(error, _SlotsTakenError):
                    raise
                reasons.append(f"it cannot be made ({error})")
        else:
            reasons.append("it may not be made (no --allow-writes)")
        try:
            return replace(self.discovered(), hindrance=hindrance)
        except StateError as error:
            reasons.append(f"it cannot be discovered ({error})")
        exchange = self._send(get_integration(UNKNOWN_DOMAIN, PLAIN_URI))
        preflight.check_implemented(self._client, exchange, strict=True)
        raise StateError(
            f"no integration to test with: {', and '.join(reasons)};"
            " give --domain-name and --integration-uri of one that exists"
        )

    def remove(self) -> None:
        """Remove what was made, by scenarios too, whatever the limit on requests; say what stays."""
        if not self._made:
            return
        with self._client.unlimited():
            for writer in self._writers:
                self._delete_made_by_tests(f"{self._made[0]}-", writer)
            while self._made:
                self._delete(self._made[-1], self._caller)
                self._made.pop()

    def _delete_made_by_tests(self, prefix: str, writer: Identity) -> None:
        try:
            names = list(listing.domains(partial(self._client.send, identity=writer)))
        except (OSError, EnvironmentFault) as error:
            self._say(f"domains that tests made cannot be listed, and may stay: {error}")
            return
        for name in names:
            if name.startswith(prefix):
                self._delete(name, writer)

    def _delete(self, name: str, writer: Identity) -> None:
        try:
            exchange = self._client.send(delete_domain(name), writer)
        except (OSError, EnvironmentFault) as error:
            self._say(f"the domain {name} could not be removed: {error}")
            return
        status, error_type = exchange.response.status, exchange.response.error_type
        gone = status == 404 and error_type == "ResourceNotFoundException"
        if status // 100 != 2 and not gone:
            self._say(f"the domain {name} could not be removed ({status or 'no answer'})")

    def _domains(self) -> tuple[str, str]:
        """Make two domains, with names in small letters if the target takes no others."""
        try:
            return self._slot(PREFIX, "AB")
        except _NameRefusedError as error:
            self._say(f"{error}: domains get names in small letters instead")
            return self._slot(PREFIX.lower(), "ab")

    def _slot(self, prefix: str, ends: str) -> tuple[str, str]:
        """Make the two domains of the first slot that no other run holds."""
        for slot in range(_SLOTS):
            one, other = (f"{prefix}{slot}-{end}" for end in ends)
            # It was too young to be swept if it is there.
            if not any(self._exists(name) for name in (one, other)):
                if all(self._create(name) for name in (one, other)):
                    return one, other
                self.remove()
        raise _SlotsTakenError(
            f"all domains {prefix}0 to {prefix}{_SLOTS - 1} are in use by other runs, or left by crashed"
            " ones: the command sweep removes them"
        )

    def _exists(self, name: str) -> bool:
        return self._send(get_domain(name)).response.members.get("DomainName") == name

    def _create(self, name: str) -> bool:
        """Make a domain; False if another run made it in the meantime."""
        self._made.append(name)  # before it is: an interrupt may come in between
        exchange = self._send(create_domain(name))
        status = exchange.response.status
        # Where the answer was lost, the repeat finds that the domain exists.
        if status // 100 == 2 or exchange.faults:
            return True
        if status < 500 or status == 501:  # a server that fails may have made it nevertheless
            self._made.remove(name)
            if self._exists(name):
                return False
        if status in (400, 422) and not name.islower():
            raise _NameRefusedError(f"CreateDomain answered {said(exchange)} for {name}")
        raise StateError(f"CreateDomain answered {said(exchange)}")

    def _sweep(self) -> None:
        """Remove the domains that crashed runs left behind long ago, and name the others."""
        found = list(leftovers.find(self._client, self._writers))
        old = [each for each in found if each.age is not None and each.age > leftovers.LEFTOVER_AGE]
        leftovers.remove(self._client, old, self._say)
        young = [each for each in found if each not in old]
        if young:
            oldest = max(young, key=lambda each: each.age or 0.0)
            self._say(
                f"{len(young)} domains are of other runs, under way or crashed, such as {oldest.name},"
                f" {leftovers.age(oldest)}; a run removes those of {leftovers.LEFTOVER_AGE // 3600} h,"
                " the command sweep all of them now"
            )

    def _send(self, request: Request) -> Exchange:
        exchange = self._client.send(request, self._caller)
        preflight.check(self._client, exchange, self._caller)
        return exchange
