"""The endpoint under test: its address, its identities, what it claims, and whether it is safe to test it."""

import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from getintegration_contract.errors import UsageError
from getintegration_contract.identity import Identity
from getintegration_contract.schema import is_valid
from getintegration_contract.sending.client import Client
from getintegration_contract.target.credentials import find
from getintegration_contract.target.emulator import emulator_identities
from getintegration_contract.target.file import KEYS, check, read_file

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
#: The capability that each identity beside the caller is there for.
_IDENTITIES = {
    "unauthorized": ACCESS_CONTROL,
    "other-account": OTHER_ACCOUNT,
    "temporary": TEMPORARY_CREDENTIALS,
    "low-quota": THROTTLING,
}

#: Requests a second that AWS allows an account for GetIntegration, and for each operation that writes
#: (documented quotas).
AWS_RATE, AWS_WRITE_RATE = 5.0, 1.0
DEFAULT_REGION = "us-east-1"

#: AWS CLI's environment variables for the endpoint, the service's own first.
ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_CUSTOMER_PROFILES", "AWS_ENDPOINT_URL")
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
#: A host's name of letters, digits, hyphens and underscores, as DNS limits them; any other may be read as
#: another name than it shows, percent-encoded or by IDNA.
_NAME = re.compile(r"(?=.{1,254}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
#: Ends of the names of AWS's hosts, in all partitions that botocore knows.
_AWS_DOMAINS = (
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".amazonwebservices.com.cn",
    ".amazonwebservices.eu",
    ".api.aws",
    ".on.aws",
    ".aws.ic.gov",
    ".c2s.ic.gov",
    ".hci.ic.gov",
    ".sc2s.sgov.gov",
    ".aws.scloud",
    ".adc-e.uk",
)
#: Keys of the target file that a target does not have as they are.
_RESOLVED = {"endpoint-url", "region", "allow-writes", "not-claimed", "identities"}


def is_aws(endpoint: str) -> bool:
    """Whether an address belongs to AWS."""
    host = (urlsplit(endpoint).hostname or "").rstrip(".").lower()
    return f".{host}".endswith(_AWS_DOMAINS)


def is_loopback(endpoint: str) -> bool:
    """Whether an address is this machine's own."""
    host = (urlsplit(endpoint).hostname or "").lower()
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return f".{host}".endswith(".localhost")


@dataclass(frozen=True)
class Target:
    """What is tested and how.

    Attributes:
        endpoint: ``scheme://host[:port]``; empty for the shipped emulator before it runs.
        insists_on_writing: Whether the user asked for writes, so that a run without them is refused.
        rate: Requests a second, shared by all workers; None for no limit.
        write_rate: Those of them that write; None for no limit of their own.
        request_timeout: Seconds to wait for an answer.
        settling_time: Seconds until a write is seen by readers.
        throttling_rate: Requests a second that the target says it throttles at; None if unknown.
        latency_limit: Seconds within which 99 of 100 requests have to be answered; None for no limit.
        fault_limit: Share of requests that may meet a passing fault; None for no limit.
        wait: Seconds to wait for an endpoint that is still starting.
    """

    endpoint: str
    region: str = DEFAULT_REGION
    identities: Mapping[str, Identity] = field(default_factory=dict)
    capabilities: frozenset[str] = frozenset()
    domain_name: str | None = None
    integration_uri: str | None = None
    allow_writes: bool = False
    insists_on_writing: bool = False
    rate: float | None = None
    write_rate: float | None = None
    max_requests: int | None = None
    request_timeout: float = 10.0
    settling_time: float = 0.0
    throttling_rate: float | None = None
    latency_limit: float | None = None
    fault_limit: float | None = None
    wait: float = 0.0
    name: str | None = None
    depth: str = "gate"
    max_examples: int | None = None
    waivers: str | None = None

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

    def client(self, **hooks: Any) -> Client:
        """A client of the endpoint, with the hooks that it takes."""
        return Client(self.endpoint, self.region, timeout=self.request_timeout, **hooks)


def resolve(options: Mapping[str, Any], environ: Mapping[str, str]) -> Target:
    """The target that options, target file and environment describe.

    Where nothing names an endpoint, it is the shipped emulator, which has no address before it runs.

    Args:
        options: By the name of the target file's key; options that were not given are None. ``target`` is
            the target file, ``profile`` the AWS profile of the caller.
        environ: The process environment.

    Raises:
        UsageError: The description is wrong, or AWS was not named on purpose.
    """
    settings = read_file(Path(options["target"])) if options.get("target") else {}
    given = {key: options[key] for key in KEYS if options.get(key) is not None}
    check(given)
    settings |= given
    endpoint = _endpoint(settings, options, environ)
    is_read_only = settings.get("domain-name") is not None
    if is_read_only != (settings.get("integration-uri") is not None):
        raise UsageError("--domain-name and --integration-uri go together: give both or neither")
    if endpoint:
        identities = find(settings.get("identities", {}), options.get("profile"), is_loopback(endpoint))
    else:
        identities = emulator_identities()
    allow_writes = settings.get("allow-writes", not is_aws(endpoint)) and not is_read_only
    capabilities = _claimed(settings, identities, allow_writes)
    resolved = {
        "endpoint": endpoint,
        "region": _region(settings, options, environ, endpoint),
        # Nobody asks as an identity whose capability is not claimed.
        "identities": {
            name: each
            for name, each in identities.items()
            if name not in _IDENTITIES or _IDENTITIES[name] in capabilities
        },
        "capabilities": capabilities,
        "allow_writes": allow_writes,
        "insists_on_writing": allow_writes and settings.get("allow-writes", False),
    }
    quotas = {"rate": AWS_RATE, "write_rate": AWS_WRITE_RATE} if is_aws(endpoint) else {}
    taken = {key.replace("-", "_"): settings[key] for key in settings.keys() - _RESOLVED}
    return Target(**quotas | taken | resolved)


def _claimed(
    settings: Mapping[str, Any], identities: Mapping[str, Identity], allow_writes: bool
) -> frozenset[str]:
    """What a target claims: signatures unless it says otherwise, the rest by what it offers."""
    caller = identities["caller"]
    offered = {capability: name in identities for name, capability in _IDENTITIES.items()}
    offered[TEMPORARY_CREDENTIALS] |= bool(caller.session_token or caller.refreshable)
    offered[THROTTLING] |= "throttling-rate" in settings
    offered |= {SIGNATURES: True, WRITING: allow_writes}
    offered |= {LATENCY: "latency-limit" in settings, FAULTS: "fault-limit" in settings}
    disclaimed = set(settings.get("not-claimed", ()))
    if SIGNATURES in disclaimed:  # then no identity differs from another
        disclaimed |= {TEMPORARY_CREDENTIALS, ACCESS_CONTROL, OTHER_ACCOUNT}
    return frozenset(name for name, given in offered.items() if given) - disclaimed


def _endpoint(settings: Mapping[str, Any], options: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """The address under test; empty for the shipped emulator."""
    ambient = next((environ[name] for name in ENDPOINT_VARIABLES if environ.get(name)), "")
    endpoint: str = settings.get("endpoint-url", ambient)
    if not endpoint:
        given = {**settings, "profile": options.get("profile")}
        for key in ("domain-name", "integration-uri", "identities", "profile"):
            if given.get(key):
                raise UsageError(f"{key} needs an endpoint: give --endpoint-url as well")
        return ""
    _check_address(endpoint)
    if is_aws(endpoint) and "endpoint-url" not in settings:
        raise UsageError(
            f"the environment points at {endpoint}: to test AWS itself, name it with --endpoint-url"
        )
    return endpoint.rstrip("/")


def _check_address(endpoint: str) -> None:
    if "@" in endpoint:  # not quoted: there may be a password in it
        raise UsageError("--endpoint-url must not hold credentials: set AWS_PROFILE, or use a target file")
    try:
        parts = urlsplit(endpoint)
        valid = parts.port is None or parts.port > 0
        if not _NAME.fullmatch(parts.hostname or ""):
            ipaddress.ip_address(parts.hostname or "")
    except ValueError:
        valid = False
    if not valid or parts.scheme not in ("http", "https"):
        raise UsageError(f"--endpoint-url: {endpoint!r} is not an address like http://127.0.0.1:4566")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UsageError(
            f"--endpoint-url: {endpoint!r} must not have a path: give scheme, host and port only"
        )


def _region(
    settings: Mapping[str, Any], options: Mapping[str, Any], environ: Mapping[str, str], endpoint: str
) -> str:
    """The region that is given, by the first who gives one; that of an address of AWS stands in its name."""
    region, source = settings.get("region"), "region"
    if not region:
        source = next((name for name in REGION_VARIABLES if environ.get(name)), "")
        region = environ.get(source)
    if not region and endpoint:
        in_file = settings.get("identities", {}).get("caller", {}).get("profile")
        if profile := options.get("profile") or in_file or environ.get("AWS_PROFILE"):
            from botocore.exceptions import BotoCoreError
            from botocore.session import Session

            source = f"the region of the profile {profile}"
            with suppress(BotoCoreError):  # it has no credentials either, and that is reported
                region = Session(profile=profile).get_config_variable("region")
    if region and not is_valid(region, KEYS["region"]):
        raise UsageError(f"{source}: {region!r} is not the name of a region")
    if is_aws(endpoint):
        labels = (urlsplit(endpoint).hostname or "").split(".")
        in_name = labels[1] if len(labels) > 3 and labels[0].startswith("profile") else None
        if region and in_name and region != in_name:
            raise UsageError(f"--region {region} is not the region of {endpoint}: leave it out")
        region = in_name or region
        if not region:
            raise UsageError(f"--region is missing: the address {endpoint} does not tell it")
    return region or DEFAULT_REGION
