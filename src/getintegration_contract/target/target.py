"""The endpoint under test: its address, its identities, what it claims, and whether it is safe to test it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs

from getintegration_contract.errors import TargetError
from getintegration_contract.identity import Identity
from getintegration_contract.target.credentials import find
from getintegration_contract.target.hosts import is_aws, is_plain
from getintegration_contract.target.waivers import plain

SIGNATURES = "signatures"
ACCESS_CONTROL = "access-control"
OTHER_ACCOUNT = "other-account"
TEMPORARY_CREDENTIALS = "temporary-credentials"
THROTTLING = "throttling"
WRITING = "writing"
LATENCY = "latency"
CLAIMS = (SIGNATURES, ACCESS_CONTROL, OTHER_ACCOUNT, TEMPORARY_CREDENTIALS, THROTTLING, WRITING, LATENCY)

#: Requests a second that AWS allows an account for GetIntegration, and for each operation that writes
#: (documented quotas).
AWS_RATE, AWS_WRITE_RATE = 5.0, 1.0
DEFAULT_REGION = "us-east-1"

#: AWS CLI's environment variables for the endpoint, the service's own first.
ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_CUSTOMER_PROFILES", "AWS_ENDPOINT_URL")
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")

_REGION = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_IDENTITIES = ("caller", "unauthorized", "other-account", "low-quota", "temporary")
_TEXT = {"type": "string", "minLength": 1}
_POSITIVE = {"type": "number", "minimum": 0.001, "maximum": 1_000_000}
_SECONDS = {"type": "number", "exclusiveMinimum": 0, "maximum": 86_400}
_IDENTITY = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "profile": _TEXT,
        "access-key-id": _TEXT,
        "secret-access-key": _TEXT,
        "session-token": _TEXT,
    },
    "oneOf": [{"required": ["profile"]}, {"required": ["access-key-id", "secret-access-key"]}],
}
#: JSON Schema of a target file; its keys are documented in the README.
TARGET_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "endpoint-url": _TEXT,
        "region": {"type": "string", "pattern": f"^{_REGION}$"},
        "domain-name": _TEXT,
        "integration-uri": _TEXT,
        "allow-writes": {"type": "boolean"},
        "not-claimed": {"type": "array", "items": {"enum": list(CLAIMS)}},
        "rate": _POSITIVE,
        "max-requests": {"type": "integer", "minimum": 1},
        "request-timeout": _SECONDS,
        "settling-time": {"type": "number", "minimum": 0, "maximum": 86_400},
        "throttling-rate": _POSITIVE,
        "latency-limit": _POSITIVE,
        "waivers": _TEXT,
        "identities": {
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys(_IDENTITIES, _IDENTITY),
        },
    },
}


@dataclass(frozen=True)
class Target:
    """What is tested and how.

    Attributes:
        endpoint: ``scheme://host[:port]``; empty for the shipped emulator before it runs.
        rate: Requests a second, shared by all workers; None for no limit.
        write_rate: Those of them that write; None for no limit of their own.
        timeout: Seconds to wait for an answer.
        settling_time: Seconds until a write is seen by readers.
        throttling_rate: Requests a second that the target says it throttles at; None if unknown.
        latency_limit: Seconds within which 99 of 100 requests have to be answered; None for no limit.
    """

    endpoint: str
    region: str = DEFAULT_REGION
    identities: Mapping[str, Identity] = field(default_factory=dict)
    claims: frozenset[str] = frozenset()
    domain_name: str | None = None
    integration_uri: str | None = None
    allow_writes: bool = False
    rate: float | None = None
    write_rate: float | None = None
    max_requests: int | None = None
    timeout: float = 10.0
    settling_time: float = 0.0
    throttling_rate: float | None = None
    latency_limit: float | None = None
    waivers: Path | None = None

    @property
    def caller(self) -> Identity:
        """The identity that the target is tested as."""
        return self.identities["caller"]

    @property
    def is_aws(self) -> bool:
        """Whether the endpoint is AWS itself."""
        return is_aws(self.endpoint)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never leave the process."""
        return tuple(secret for identity in self.identities.values() for secret in identity.secrets)


def read_file(path: Path) -> dict[str, Any]:
    """The settings of a target file.

    Raises:
        TargetError: The file cannot be read, is not TOML, or says something that no target has.
    """
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors on Windows begin with a BOM
    except OSError as error:
        raise TargetError(f"--target: cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise TargetError(f"--target: {path} is not TOML: {error}") from None
    for fault in jsonschema_rs.validator_for(TARGET_SCHEMA).iter_errors(plain(settings)):
        place = ".".join(map(str, fault.instance_path))
        message = fault.message
        if fault.kind.name == "additionalProperties" and place == "identities":
            message += f"; known are {', '.join(_IDENTITIES)}"
        elif fault.kind.name != "additionalProperties" and place.startswith("identities"):
            # The message of a wrong identity would quote it, secret included.
            message = "must have either profile, or access-key-id and secret-access-key"
        raise TargetError(f"--target: {path}: {place + ': ' if place else ''}{message}")
    if "waivers" in settings:  # relative to the file that names it
        settings["waivers"] = str(path.parent / settings["waivers"])
    return settings


def resolve(options: Mapping[str, Any], environ: Mapping[str, str]) -> Target | None:
    """The target that options, target file and environment describe; None for the shipped emulator.

    Args:
        options: By the name of the target file's key; options that were not given are None. ``target`` is
            the target file, ``profile`` the AWS profile of the caller.
        environ: The process environment.

    Raises:
        TargetError: The description is wrong, or AWS was not named on purpose.
    """
    settings = _settings(options)
    named = settings.get("endpoint-url")
    ambient = next((environ[name] for name in ENDPOINT_VARIABLES if environ.get(name)), None)
    endpoint = named or ambient
    if endpoint is None:
        _refuse_without_endpoint(settings, options)
        return None
    _check_address(endpoint)
    if is_aws(endpoint) and not named:
        raise TargetError(
            f"the environment points at {endpoint}: to test AWS itself, name it with --endpoint-url"
        )
    if (settings.get("integration-uri") is None) != (settings.get("domain-name") is None):
        raise TargetError("--domain-name and --integration-uri go together: give both or neither")
    identities = find(settings.get("identities", {}), options.get("profile"), endpoint)
    allow_writes = settings.get("allow-writes", not is_aws(endpoint))
    if settings.get("domain-name"):
        allow_writes = False
    pace = _pace(settings)
    if pace["rate"] is None and is_aws(endpoint):
        pace["rate"] = AWS_RATE
    return Target(
        endpoint=endpoint.rstrip("/"),
        region=_region(settings, environ, endpoint, _profile(settings, options, environ)),
        identities=identities,
        claims=claims(settings, identities, allow_writes),
        domain_name=settings.get("domain-name"),
        integration_uri=settings.get("integration-uri"),
        allow_writes=allow_writes,
        write_rate=AWS_WRITE_RATE if is_aws(endpoint) else None,
        **pace,
    )


def shipped(options: Mapping[str, Any], environ: Mapping[str, str]) -> Target:
    """The shipped emulator, not started yet, as options, target file and environment want it tested.

    It offers everything; its address and identities are known once it runs.
    """
    settings = _settings(options)
    allow_writes = settings.get("allow-writes", True)
    not_claimed = _not_claimed(settings) | (set() if allow_writes else {WRITING})
    if "latency-limit" not in settings:
        not_claimed.add(LATENCY)
    return Target(
        endpoint="",
        region=_region(settings, environ, ""),
        claims=frozenset(CLAIMS) - not_claimed,
        allow_writes=allow_writes,
        **_pace(settings),
    )


def _settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the target file says, if there is one, and options that win over it."""
    settings = read_file(Path(options["target"])) if options.get("target") else {}
    given = {key: options[key] for key in TARGET_SCHEMA["properties"] if options.get(key) is not None}
    for fault in jsonschema_rs.validator_for(TARGET_SCHEMA).iter_errors(given):
        raise TargetError(f"--{fault.instance_path[0]}: {fault.message}")
    return settings | given


def _pace(settings: Mapping[str, Any]) -> dict[str, Any]:
    """How fast, how much and how patiently a target is asked."""
    path = settings.get("waivers")
    return {
        "rate": settings.get("rate"),
        "max_requests": settings.get("max-requests"),
        "timeout": settings.get("request-timeout", 10.0),
        "settling_time": settings.get("settling-time", 0.0),
        "throttling_rate": settings.get("throttling-rate"),
        "latency_limit": settings.get("latency-limit"),
        "waivers": Path(path) if path else None,
    }


def _not_claimed(settings: Mapping[str, Any]) -> set[str]:
    not_claimed = set(settings.get("not-claimed", ()))
    if SIGNATURES in not_claimed:  # without signatures nobody can be told apart
        not_claimed |= {TEMPORARY_CREDENTIALS, ACCESS_CONTROL, OTHER_ACCOUNT}
    return not_claimed


def claims(
    settings: Mapping[str, Any], identities: Mapping[str, Identity], allow_writes: bool
) -> frozenset[str]:
    """What the target claims: signatures unless it says otherwise, the rest by what it offers."""
    caller = identities["caller"]
    temporary = "temporary" in identities or bool(caller.session_token or caller.refreshable)
    offered = {
        SIGNATURES: True,
        ACCESS_CONTROL: "unauthorized" in identities,
        OTHER_ACCOUNT: "other-account" in identities,
        TEMPORARY_CREDENTIALS: temporary,
        THROTTLING: "low-quota" in identities or "throttling-rate" in settings,
        WRITING: allow_writes,
        LATENCY: "latency-limit" in settings,
    }
    offers = frozenset(claim for claim, given in offered.items() if given)
    return offers - _not_claimed(settings)


def _refuse_without_endpoint(settings: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    pointless = [key for key in ("domain-name", "integration-uri", "identities") if settings.get(key)]
    if options.get("profile"):
        pointless.append("profile")
    if pointless:
        raise TargetError(f"{pointless[0]} needs an endpoint: give --endpoint-url as well")


def _check_address(endpoint: str) -> None:
    if "@" in endpoint:  # not quoted: there may be a password in it
        raise TargetError("--endpoint-url must not hold credentials: give --profile or a target file instead")
    try:
        parts = urlsplit(endpoint)
        valid = (parts.port is None or parts.port > 0) and is_plain(parts.hostname or "")
    except ValueError:
        valid = False
    if not valid or parts.scheme not in ("http", "https"):
        raise TargetError(f"--endpoint-url: {endpoint!r} is not an address like http://127.0.0.1:4566")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise TargetError(
            f"--endpoint-url: {endpoint!r} must not have a path: give scheme, host and port only"
        )


def _region(
    settings: Mapping[str, Any], environ: Mapping[str, str], endpoint: str, profile: str | None = None
) -> str:
    region, source = settings.get("region"), "region"
    if not region:
        source = next((name for name in REGION_VARIABLES if environ.get(name)), "")
        region = environ.get(source)
    if not region and profile:
        region, source = _region_of(profile), f"the region of the profile {profile}"
    if region and not re.fullmatch(_REGION, region):
        raise TargetError(f"{source}: {region!r} is not the name of a region")
    if is_aws(endpoint):
        labels = (urlsplit(endpoint).hostname or "").split(".")
        in_name = labels[1] if len(labels) > 3 and labels[0].startswith("profile") else None
        if region and in_name and region != in_name:
            raise TargetError(f"--region {region} is not the region of {endpoint}: leave it out")
        region = in_name or region
        if not region:
            raise TargetError(f"--region is missing: the address {endpoint} does not tell it")
    return region or DEFAULT_REGION


def _profile(
    settings: Mapping[str, Any], options: Mapping[str, Any], environ: Mapping[str, str]
) -> str | None:
    """The AWS profile of the caller, if it has one."""
    in_file = settings.get("identities", {}).get("caller", {}).get("profile")
    return options.get("profile") or in_file or environ.get("AWS_PROFILE")


def _region_of(profile: str) -> str | None:
    """The region that AWS's configuration gives a profile."""
    import botocore.exceptions
    import botocore.session

    try:
        region: str | None = botocore.session.Session(profile=profile).get_config_variable("region")
    except botocore.exceptions.BotoCoreError:  # such a profile has no credentials either, which is told
        return None
    return region
