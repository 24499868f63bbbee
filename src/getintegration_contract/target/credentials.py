"""Finds the identities of a target: in its file, in AWS's configuration, by botocore's chain."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.identity import Identity, Refreshing, patiently, provider_fault, unusable
from getintegration_contract.target.emulator import emulator_identities

#: Identities that are something because they are not the caller.
_OTHERS = ("unauthorized", "other-account", "low-quota")


def find(given: Mapping[str, Mapping[str, str]], profile: str | None, local: bool) -> dict[str, Identity]:
    """The identities of a target, by name, the caller among them.

    Args:
        given: The identities of its file.
        profile: The AWS profile of the caller, if it is given as an option, which wins.
        local: Whether its address is a loopback one, whose caller needs no credentials.

    Raises:
        UsageError: One has no credentials, or none that can be sent, or contradicts its name.
    """
    caller = {"profile": profile} if profile else given.get("caller", {})
    identities = {name: _identity(name, entry, local) for name, entry in {**given, "caller": caller}.items()}
    temporary = identities.get("temporary")
    if temporary is not None and not (temporary.session_token or temporary.refreshable):
        raise UsageError("identities.temporary needs session-token")
    access_key = identities["caller"].access_key
    for name in _OTHERS:
        if access_key and name in identities and identities[name].access_key == access_key:
            raise UsageError(f"identities.{name} has the access key of the caller: give it another")
    return identities


def _identity(name: str, entry: Mapping[str, str], local: bool) -> Identity:
    """The identity that has keys or a profile; without either, what botocore's chain finds.

    Where that finds nothing, a loopback endpoint gets the emulator's documented caller.
    """
    if "access-key-id" in entry:
        keys = entry["access-key-id"], entry["secret-access-key"], entry.get("session-token")
        return _sendable(Identity(name, *keys))
    profile = entry.get("profile")
    if found := _from_botocore(name, profile, instance_metadata=bool(profile) or not local):
        return found
    if profile:
        raise UsageError(f"no credentials for {name}: the profile {profile} has none")
    if not local:
        raise UsageError("no credentials for caller: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its kin")
    return replace(emulator_identities()["caller"], source="the emulator's, for want of others")


def _sendable(identity: Identity) -> Identity:
    if fault := unusable(identity.access_key, identity.secret_key, identity.session_token):
        raise UsageError(f"credentials for {identity.name}: {fault}")
    return identity


def _from_botocore(name: str, profile: str | None, *, instance_metadata: bool) -> Identity | None:
    """What botocore's chain finds, if anything.

    Raises:
        UsageError: Something is configured, but does not work.
    """
    import botocore.session
    from botocore.credentials import RefreshableCredentials

    try:
        session = botocore.session.Session(profile=profile)
        resolver = session.get_component("credential_provider")
        if not instance_metadata:  # asking a metadata service for a local mock would only cost time
            resolver.remove("iam-role")
        resolver.get_provider("assume-role")._prompter = _no_code
        credentials = patiently(session.get_credentials)
        # Some are fetched only now.
        frozen: Any = credentials and patiently(credentials.get_frozen_credentials)
    except Exception as error:  # whatever a provider does wrong, and without a traceback that shows secrets
        raise UsageError(f"credentials for {name}: {provider_fault(error)}") from None
    if frozen is None:
        return None
    source = f"the profile {profile}" if profile else f"botocore's chain: {credentials.method}"
    found = _sendable(Identity(name, frozen.access_key, frozen.secret_key, frozen.token, source=source))
    if isinstance(credentials, RefreshableCredentials):
        return Identity(name, refreshable=Refreshing(credentials), source=source)
    return found


def _no_code(prompt: str) -> str:
    raise EnvironmentFault(
        "a run cannot be asked for an MFA code: give a profile that holds a session already"
    )
