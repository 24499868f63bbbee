"""What a target may claim, and what it has to offer to claim it."""

from __future__ import annotations

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

#: Limits that a target file sets, by the capability that each claims.
LIMITS = {LATENCY: "latency-limit", FAULTS: "fault-limit"}

#: What a target has to offer for each capability, for somebody who wants its clauses exercised.
OFFERS = {
    SIGNATURES: "a server that verifies them",
    ACCESS_CONTROL: "[identities.unauthorized] in the target file",
    OTHER_ACCOUNT: "[identities.other-account] in the target file",
    TEMPORARY_CREDENTIALS: "[identities.temporary] in the target file",
    THROTTLING: "[identities.low-quota] or throttling-rate in the target file",
    WRITING: "leave to make domains: no --domain-name and no --no-writes, and on AWS --allow-writes",
    **{name: f"{key} in the target file" for name, key in LIMITS.items()},
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
        **{name: key in settings for name, key in LIMITS.items()},
    }
    return frozenset(name for name, given in offered.items() if given) - not_claimed(settings)


def not_claimed(settings: Mapping[str, Any]) -> set[str]:
    """What a target disclaims; without signatures, identities cannot be told apart."""
    given = set(settings.get("not-claimed", ()))
    return given | {TEMPORARY_CREDENTIALS, ACCESS_CONTROL, OTHER_ACCOUNT} if SIGNATURES in given else given
