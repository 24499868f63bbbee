"""The emulator's state, and what each operation does with it.

GetIntegration is the operation under contract; the others create, read and remove its state, which is kept
in memory only. Times are epoch seconds, to the millisecond.
"""

from __future__ import annotations

import itertools
import re
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .errors import bad_request, not_found

MAX_INTEGRATIONS = 50
"""How many integrations a domain may have (service quotas)."""
UNSTRUCTURED = "_unstructured"
"""The object type name that marks an integration as unstructured (API reference)."""
DEFAULT_PAGE = 100
"""How many items a list answers with when MaxResults is absent: the model's maximum."""

Members = dict[str, Any]


@dataclass(slots=True)
class Entry:
    """A domain or an integration.

    ``serial`` grows with every entry made; lists are in its order, and pages continue after it.
    ``members`` are those of the wire, ``CreatedAt`` and ``LastUpdatedAt`` among them. ``integrations`` are a
    domain's, by their Uri.
    """

    serial: int
    members: Members
    integrations: dict[str, Entry] = field(default_factory=dict)


class AccountState:
    """The state of one account in one region.

    Each operation takes valid input and returns the members of its answer, and possibly others. Raises
    :class:`ApiError`: 404 for a domain or an integration that does not exist, 400 for what the state forbids.
    """

    def __init__(self, account: str, region: str, clock: Callable[[], float] = time.time) -> None:
        self._flows = f"arn:aws:appflow:{region}:{account}:flow/"
        self._clock = clock
        self._serials = itertools.count(1)
        self._domains: dict[str, Entry] = {}

    def _domain(self, given: Members) -> Entry:
        name = given["DomainName"]
        if name not in self._domains:
            raise not_found(f"Domain {name} does not exist.")
        return self._domains[name]

    def get_integration(self, given: Members) -> Members:
        integration = self._domain(given).integrations.get(given["Uri"])
        if integration is None:
            raise not_found(f"Domain {given['DomainName']} has no such integration.")
        return integration.members

    def put_integration(self, given: Members) -> Members:
        """Create an integration, or replace the members of an existing one.

        The model lets Uri be absent: it is then that of the flow definition's flow. ``CreatedAt`` stays,
        ``LastUpdatedAt`` grows by at least a millisecond. ``IsUnstructured`` follows from the object type
        name; a flow definition gets a ``WorkflowId``.
        """
        uri, flow = given.get("Uri"), given.get("FlowDefinition")
        if uri is None:
            if flow is None:
                raise bad_request("Either Uri or FlowDefinition must be given.")
            uri = f"{self._flows}{flow['FlowName']}"[:255]
        integrations = self._domain(given).integrations
        previous = integrations.get(uri)
        if previous is None and len(integrations) >= MAX_INTEGRATIONS:
            raise bad_request(f"A domain has at most {MAX_INTEGRATIONS} integrations.")
        before = previous.members if previous else {}
        now = round(self._clock(), 3)
        kept = given | {
            "Uri": uri,
            "CreatedAt": before.get("CreatedAt", now),
            "LastUpdatedAt": max(now, round(before.get("LastUpdatedAt", 0.0) + 0.001, 3)),
        }
        if "ObjectTypeName" in given:
            kept["IsUnstructured"] = given["ObjectTypeName"] == UNSTRUCTURED
        if flow is not None:
            kept["WorkflowId"] = before.get("WorkflowId") or uuid.uuid4().hex
        integrations[uri] = Entry(previous.serial if previous else next(self._serials), kept)
        return kept

    def delete_integration(self, given: Members) -> Members:
        self.get_integration(given)
        del self._domain(given).integrations[given["Uri"]]
        return {"Message": "OK. The integration was deleted."}

    def list_integrations(self, given: Members) -> Members:
        return _page(self._domain(given).integrations.values(), given)

    def create_domain(self, given: Members) -> Members:
        name, now = given["DomainName"], round(self._clock(), 3)
        if name in self._domains:
            raise bad_request(f"Domain {name} already exists.")
        members = given | {"CreatedAt": now, "LastUpdatedAt": now}
        self._domains[name] = Entry(next(self._serials), members)
        return members

    def get_domain(self, given: Members) -> Members:
        return self._domain(given).members

    def delete_domain(self, given: Members) -> Members:
        """Remove a domain with its integrations."""
        self._domain(given)
        del self._domains[given["DomainName"]]
        return {"Message": "OK. The domain was deleted."}

    def list_domains(self, given: Members) -> Members:
        return _page(self._domains.values(), given)


def _page(entries: Iterable[Entry], given: Members) -> Members:
    """Cut one page out of entries, which are in the order of their serials."""
    token = given.get("NextToken")
    match = re.fullmatch(r"after-([1-9][0-9]{0,18})", token or "")
    if match is None and token is not None:
        raise bad_request("The pagination token is not valid.")
    after = int(match[1]) if match else 0
    rest = (entry for entry in entries if entry.serial > after)
    found = list(itertools.islice(rest, given.get("MaxResults", DEFAULT_PAGE)))
    more = next(rest, None) is not None
    items = [entry.members for entry in found]
    return {"Items": items, "NextToken": f"after-{found[-1].serial}" if more else None}


OPERATIONS: dict[str, Callable[[AccountState, Members], Members]] = {
    "GetIntegration": AccountState.get_integration,
    "PutIntegration": AccountState.put_integration,
    "DeleteIntegration": AccountState.delete_integration,
    "ListIntegrations": AccountState.list_integrations,
    "CreateDomain": AccountState.create_domain,
    "GetDomain": AccountState.get_domain,
    "DeleteDomain": AccountState.delete_domain,
    "ListDomains": AccountState.list_domains,
}
"""The operations that the emulator has, by their names in the service model."""
