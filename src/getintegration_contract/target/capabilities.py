"""What a target may claim, and what it has to offer to claim it."""

from collections.abc import Mapping
from typing import Any

from getintegration_contract.identity import Identity

SIGNATURES = "signatures"
ACCESS_CONTROL = "access-control"
OTHER_ACCOUNT = "other-account"
TEMPORARY_CREDENTIALS = "temporary-credentials"
THROTTLING = "throttling"
WRITING = "writing"
LATENCY = "latency"
FAULTS = "faults"

#: What a target has to offer for each capability, for somebody who wants its clauses exercised.
OFFERS = {
    SIGNATURES: "a server that verifies them",
    ACCESS_CONTROL: "[identities.unauthorized] in the target file",
    OTHER_ACCOUNT: "[identities.other-account] in the target file",
    TEMPORARY_CREDENTIALS: "[identities.temporary] in the target file",
    THROTTLING: "[identities.low-quota] or throttling-rate in the target file",
    WRITING: "leave to make domains: no --domain-name and no --no-writes, and on AWS --allow-writes",
    LATENCY: "latency-limit in the target file",
    FAULTS: "fault-limit in the target file",
}
CAPABILITIES = tuple(OFFERS)


def claimed(
    settings: Mapping[str, Any], identities: Mapping[str, Identity], allow_writes: bool
) -> frozenset[str]:
    """What a target claims: signatures unless it says otherwise, the rest by what it offers."""
    caller = identities["caller"]
    offered = {
        SIGNATURES: True,
        ACCESS_CONTROL: "unauthorized" in identities,
        OTHER_ACCOUNT: "other-account" in identities,
        TEMPORARY_CREDENTIALS: "temporary" in identities or bool(caller.session_token or caller.refreshable),
        THROTTLING: "low-quota" in identities or "throttling-rate" in settings,
        WRITING: allow_writes,
        LATENCY: "latency-limit" in settings,
        FAULTS: "fault-limit" in settings,
    }
    disclaimed = set(settings.get("not-claimed", ()))
    if SIGNATURES in disclaimed:  # then identities cannot be told apart
        disclaimed |= {TEMPORARY_CREDENTIALS, ACCESS_CONTROL, OTHER_ACCOUNT}
    return frozenset(name for name, given in offered.items() if given) - disclaimed
