"""What the emulator remembers: domains and integrations, apart for each account and region.

All of it is in memory and gone when the emulator stops. Times are epoch seconds, to the
millisecond.
"""

from __future__ import annotations

import itertools
import re
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .errors import bad_request, not_found

MAX_INTEGRATIONS = 50
"""How many integrations a domain may have (service quotas)."""
UNSTRUCTURED = "_unstructured"
"""The object type name that marks an integration as unstructured (API reference)."""


@dataclass(slots=True)
class Entry:
    """Something that was made once and may have been changed since.

    ``serial`` grows with every entry made; lists are in its order, and pages continue after it.
    ``members`` are those of the wire, ``CreatedAt`` and ``LastUpdatedAt`` among them; a change
    replaces the whole entry.
    """

    serial: int
    members: dict[str, Any]


@dataclass(slots=True)
class Domain(Entry):
    """A domain and its integrations, by their Uri."""

    integrations: dict[str, Entry] = field(default_factory=dict)


AnyEntry = TypeVar("AnyEntry", bound=Entry)


class AccountState:
    """The state of one account in one region."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._serials = itertools.count(1)
        self.domains: dict[str, Domain] = {}

    def domain(self, name: str) -> Domain:
        """The domain of that name. Raises :class:`ApiError` (404) if there is none."""
        try:
            return self.domains[name]
        except KeyError:
            raise not_found(f"Domain {name} does not exist.") from None

    def integration(self, domain_name: str, uri: str) -> Entry:
        """The integration (domain, Uri). Raises :class:`ApiError` (404) if there is none."""
        try:
            return self.domain(domain_name).integrations[uri]
        except KeyError:
            raise not_found(f"Domain {domain_name} has no such integration.") from None

    def create_domain(self, members: dict[str, Any]) -> Domain:
        """Make a domain. Raises :class:`ApiError` (400) if its name is taken."""
        name = members["DomainName"]
        if name in self.domains:
            raise bad_request(f"Domain {name} already exists.")
        now = round(self._clock(), 3)
        times = {"CreatedAt": now, "LastUpdatedAt": now}
        domain = self.domains[name] = Domain(next(self._serials), members | times)
        return domain

    def delete_domain(self, name: str) -> None:
        """Remove a domain with its integrations. Raises :class:`ApiError` (404)."""
        self.domain(name)
        del self.domains[name]

    def put_integration(self, uri: str, members: dict[str, Any]) -> Entry:
        """Make an integration, or replace the members of the one that is there.

        ``CreatedAt`` stays, ``LastUpdatedAt`` grows by a millisecond at least. ``IsUnstructured``
        follows from the object type name, ``WorkflowId`` is made for a flow definition.
        Raises :class:`ApiError`: 404 for an unknown domain, 400 when the domain is full.
        """
        domain = self.domain(members["DomainName"])
        previous = domain.integrations.get(uri)
        if previous is None and len(domain.integrations) >= MAX_INTEGRATIONS:
            raise bad_request(f"A domain has at most {MAX_INTEGRATIONS} integrations.")
        now = round(self._clock(), 3)
        created, workflow = now, None
        if previous is not None:
            created = previous.members["CreatedAt"]
            now = max(now, round(previous.members["LastUpdatedAt"] + 0.001, 3))
            workflow = previous.members.get("WorkflowId")
        kept = members | {"Uri": uri, "CreatedAt": created, "LastUpdatedAt": now}
        if "ObjectTypeName" in kept:
            kept["IsUnstructured"] = kept["ObjectTypeName"] == UNSTRUCTURED
        if "FlowDefinition" in kept:
            kept["WorkflowId"] = workflow or uuid.uuid4().hex
        serial = next(self._serials) if previous is None else previous.serial
        entry = domain.integrations[uri] = Entry(serial, kept)
        return entry

    def delete_integration(self, domain_name: str, uri: str) -> None:
        """Remove an integration. Raises :class:`ApiError` (404)."""
        self.integration(domain_name, uri)
        del self.domains[domain_name].integrations[uri]


def page(entries: Iterable[AnyEntry], size: int, token: str | None) -> tuple[list[AnyEntry], str | None]:
    """Cut one page out of entries in the order of their serials.

    ``token`` is the one that came with the page before. Returns the page and the token of the
    next one, None after the last. Raises :class:`ApiError` (400) for a token never given out.
    """
    match = re.fullmatch(r"after-([1-9][0-9]{0,18})", token or "")
    if match is None and token is not None:
        raise bad_request("The pagination token is not valid.")
    after = int(match[1]) if match else 0
    rest = (entry for entry in entries if entry.serial > after)
    found = list(itertools.islice(rest, size))
    more = next(rest, None) is not None
    return found, f"after-{found[-1].serial}" if more else None
