"""Whose host an address names: AWS's, or this machine's own."""

import ipaddress
from urllib.parse import urlsplit

#: Ends of the names of AWS's hosts, in all partitions that botocore knows.
_AWS = (
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


def is_aws(endpoint: str) -> bool:
    """Whether an address belongs to AWS."""
    host = (urlsplit(endpoint).hostname or "").rstrip(".").lower()
    return f".{host}".endswith(_AWS)


def is_loopback(endpoint: str) -> bool:
    """Whether an address is this machine's own."""
    host = (urlsplit(endpoint).hostname or "").lower()
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return f".{host}".endswith(".localhost")
