"""What each operation does with input that has passed all checks.

GetIntegration is the operation under contract; the others exist so that its state can be made,
read and removed. Each handler takes the account's state, the caller and the checked input, and
returns the members from which the answer is made; what the output lacks is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .errors import bad_request
from .sigv4 import Caller
from .state import AccountState, Entry, page

Members = dict[str, Any]
Handler = Callable[[AccountState, Caller, Members], Members]

DEFAULT_PAGE = 100
"""How many items a list answers with when MaxResults is absent: the model's maximum."""


def get_integration(state: AccountState, caller: Caller, given: Members) -> Members:
    """Everything that is known of one integration."""
    return state.integration(given["DomainName"], given["Uri"]).members


def put_integration(state: AccountState, caller: Caller, given: Members) -> Members:
    """Make or update an integration.

    The model lets Uri be absent: a flow definition then stands for its flow.
    """
    uri = given.get("Uri")
    if uri is None:
        flow = given.get("FlowDefinition")
        if flow is None:
            raise bad_request("Either Uri or FlowDefinition must be given.")
        account = caller.identity.account
        uri = f"arn:aws:appflow:{caller.region}:{account}:flow/{flow['FlowName']}"[:255]
    return state.put_integration(uri, given).members


def delete_integration(state: AccountState, caller: Caller, given: Members) -> Members:
    """Remove one integration."""
    state.delete_integration(given["DomainName"], given["Uri"])
    return {"Message": "OK. The integration was deleted."}


def list_integrations(state: AccountState, caller: Caller, given: Members) -> Members:
    """One page of a domain's integrations."""
    return _list(state.domain(given["DomainName"]).integrations.values(), given)


def create_domain(state: AccountState, caller: Caller, given: Members) -> Members:
    """Make a domain."""
    return state.create_domain(given).members


def get_domain(state: AccountState, caller: Caller, given: Members) -> Members:
    """Everything that is known of one domain."""
    return state.domain(given["DomainName"]).members


def delete_domain(state: AccountState, caller: Caller, given: Members) -> Members:
    """Remove a domain with its integrations."""
    state.delete_domain(given["DomainName"])
    return {"Message": "OK. The domain was deleted."}


def list_domains(state: AccountState, caller: Caller, given: Members) -> Members:
    """One page of the account's domains."""
    return _list(state.domains.values(), given)


def _list(entries: Iterable[Entry], given: Members) -> Members:
    found, token = page(entries, given.get("MaxResults", DEFAULT_PAGE), given.get("NextToken"))
    return {"Items": [entry.members for entry in found], "NextToken": token}


HANDLERS: dict[str, Handler] = {
    "GetIntegration": get_integration,
    "PutIntegration": put_integration,
    "DeleteIntegration": delete_integration,
    "ListIntegrations": list_integrations,
    "CreateDomain": create_domain,
    "GetDomain": get_domain,
    "DeleteDomain": delete_domain,
    "ListDomains": list_domains,
}
"""The operations that the emulator has, by their names in the service model."""
