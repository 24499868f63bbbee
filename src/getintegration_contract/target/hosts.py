"""Whose host an address names: AWS's, or this machine's own."""

import ipaddress
import re
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

#: Labels of letters, digits, hyphens and underscores, as DNS limits them.
_NAME = re.compile(r"(?=.{1,254}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")


def is_plain(host: str) -> bool:
    """Whether a host is a name as DNS has it, or the number of an address.

    Anything else may be read as another name than it shows: percent-encoded, or by IDNA.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _NAME.fullmatch(host) is not None
    return True


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
