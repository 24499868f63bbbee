"""The state a run needs on its target: given, made, or discovered; what was made is removed again.

Names are the same in every run, so that a seed gives the same requests; a domain that a run under way may
be using is left alone and the next slot is taken.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

from getintegration_contract.errors import EnvironmentFault, StateError
from getintegration_contract.identity import Identity
from getintegration_contract.operations import create_domain, get_domain, get_integration, put_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.faults import is_missing
from getintegration_contract.state import preflight, sweep
from getintegration_contract.state.account import Account, said, writers
from getintegration_contract.state.state import (
    MEMBERS,
    OTHER_URI,
    PLAIN_URI,
    PREFIX,
    RECENT,
    UNKNOWN_DOMAIN,
    URI,
    State,
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
        self._writers = writers(client, identities)
        self._caller = replace(self._writers[0], insists=True)
        self._say = say
        self._made: list[str] = []

    def provide(self, target: Target, members: dict[str, Any] | None = None) -> State:
        """The state that a target's description asks for.

        It is given; or made if writing is allowed; or else discovered, unless the user insists on writing.

        Args:
            members: Optional members to make an integration with; None for all.

        Raises:
            StateError: There is none; the message says why, and what to give instead.
        """
        known = get_integration(target.domain_name or UNKNOWN_DOMAIN, target.integration_uri or PLAIN_URI)
        with self._client.unlimited():
            preflight.wait(partial(self._writers[0].send, known), target.endpoint, target.wait, self._say)
        if target.domain_name is not None and target.integration_uri is not None:
            return self.given(target.domain_name, target.integration_uri)
        hindrance = ""
        why = "it may not be made: writing is not allowed"
        if target.allow_writes:
            try:
                made = self.made(members)
            except StateError as error:
                self.remove()
                hindrance = str(error)
                if target.insists_on_writing or isinstance(error, _SlotsTakenError):
                    raise
                why = f"it cannot be made ({error})"
            else:
                time.sleep(target.settling_time)
                return made
        try:
            return replace(self.discovered(), hindrance=hindrance)
        except StateError as error:
            why += f", and it cannot be discovered ({error})"
        unknown = get_integration(UNKNOWN_DOMAIN, PLAIN_URI)
        preflight.check_implemented(self._caller.send(unknown), strict=True)
        raise StateError(
            f"no integration to test with: {why}; give --domain-name and --integration-uri of one that exists"
        )

    def given(self, domain: str, uri: str) -> State:
        """Use an integration that exists already.

        Raises:
            StateError: It does not exist, or the endpoint refuses the caller or lacks the operation.
        """
        exchange = self._caller.send(get_integration(domain, uri))
        if is_missing(exchange.response):
            raise StateError(
                f"the integration {uri!r} of domain {domain!r} does not exist:"
                " change --domain-name and --integration-uri"
            )
        preflight.check_implemented(exchange, strict=False)
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
                has_other = self._taken(other, OTHER_URI, members) is not None
                return State("made", domain, uri, other, OTHER_URI if has_other else None, members)
        least = {"ObjectTypeName": MEMBERS["ObjectTypeName"]}
        refused = self._caller.send(put_integration(domain, PLAIN_URI, least))
        raise StateError(f"PutIntegration answered {said(refused)}")

    def _put(self, domain: str, uri: str, like: dict[str, Any] | None) -> dict[str, Any] | None:
        """Make an integration with all optional members that the target takes; None if it takes none."""
        for members in [like, MEMBERS] if like is not None else [MEMBERS]:
            if (taken := self._taken(domain, uri, members)) is not None:
                return taken
        kept: dict[str, Any] | None = None
        for name, value in MEMBERS.items():  # one by one, so that only those are left out that it refuses
            taken = self._taken(domain, uri, {**(kept or {}), name: value})
            kept = kept if taken is None else taken
        return kept

    def _taken(self, domain: str, uri: str, members: dict[str, Any]) -> dict[str, Any] | None:
        """Put an integration; the members without those that a target may not know yet, and did not take."""
        response = self._caller.send(put_integration(domain, uri, members)).response
        if response.status // 100 != 2:
            return None
        got = response.members
        if got.get("ObjectTypeName") is None:
            return members  # it does not say what it took
        return {
            name: value for name, value in members.items() if name not in RECENT or got.get(name) is not None
        }

    def discovered(self) -> State:
        """Find, by reading only, an integration, and a second one in another domain.

        Raises:
            StateError: There is none, or the target does not list.
        """
        found: list[tuple[str, str]] = []
        for name in self._caller.domains():
            found += [(name, uri) for uri in islice(self._caller.integrations(name), 1)]
            if len(found) == _CANDIDATES:
                break
        if not found:
            raise StateError("ListDomains and ListIntegrations show no integration")
        domain, uri = found[0]
        for other_domain, other_uri in found[1:]:
            crossed = get_integration(domain, other_uri), get_integration(other_domain, uri)
            if all(self._caller.send(request).response.status == 404 for request in crossed):
                return State("discovered", domain, uri, other_domain, other_uri)
        return State("discovered", domain, uri)

    def remove(self) -> None:
        """Remove what was made, by scenarios too, whatever the limit on requests; say what stays."""
        if not self._made:
            return
        with self._client.unlimited():
            for account in self._writers:
                try:
                    for name in list(account.domains()):
                        if name.startswith(f"{self._made[0]}-"):
                            self._delete(name, account)
                except (OSError, EnvironmentFault) as error:
                    self._say(f"domains that tests made cannot be listed, and may stay: {error}")
            while self._made:
                self._delete(self._made[-1], self._writers[0])
                self._made.pop()

    def _delete(self, name: str, account: Account) -> None:
        if reason := account.remove(name):
            self._say(f"the domain {name} could not be removed: {reason}")

    def _domains(self, prefix: str = PREFIX, ends: str = "AB") -> tuple[str, str]:
        """Make the two domains of the first slot that no other run holds.

        Their names are in small letters if the target takes no others.
        """
        for slot in range(_SLOTS):
            one, other = (f"{prefix}{slot}-{end}" for end in ends)
            # It was too young to be swept if it is there.
            if not (self._exists(one) or self._exists(other)):
                try:
                    if self._create(one) and self._create(other):
                        return one, other
                except _NameRefusedError as error:
                    self._say(f"{error}: domains get names in small letters instead")
                    return self._domains(prefix.lower(), ends.lower())
                self.remove()
        raise _SlotsTakenError(
            f"all domains {prefix}0 to {prefix}{_SLOTS - 1} are in use by other runs, or left by crashed"
            " ones: the command sweep removes them"
        )

    def _exists(self, name: str) -> bool:
        return self._caller.send(get_domain(name)).response.members.get("DomainName") == name

    def _create(self, name: str) -> bool:
        """Make a domain; False if another run made it in the meantime."""
        self._made.append(name)  # before it is: an interrupt may come in between
        exchange = self._caller.send(create_domain(name))
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
        found = list(sweep.find(self._writers))
        old = [each for each in found if each.age is not None and each.age > sweep.LEFTOVER_AGE]
        sweep.remove(old, self._say)
        young = [each for each in found if each not in old]
        if young:
            self._say(
                f"{len(young)} domains are of other runs, under way or crashed, such as"
                f" {max(young, key=lambda each: each.age or 0.0)}; a run removes those of"
                f" {sweep.LEFTOVER_AGE // 3600} h, the command sweep all of them now"
            )
