"""What an Authorization header says, believed without verification.

For an emulator that enforces no signatures, and for the access log.
"""

from __future__ import annotations

import re

from .identities import Directory
from .request import Request
from .sigv4 import Caller

DEFAULT_REGION = "us-east-1"
"""The region of a request that names none; only possible when signatures are not enforced."""

_CREDENTIAL = re.compile(r"Credential=([A-Za-z0-9_]{16,128})/(?:\d{8}/([A-Za-z0-9-]{1,64})/)?")


def claimed_caller(request: Request, directory: Directory, region: str | None) -> Caller:
    """Believe the Authorization header.

    An unknown or missing access key means the directory's caller; a missing region means
    ``region``, or else :data:`DEFAULT_REGION`.
    """
    claim = _claim(request)
    if claim is None:
        return Caller(directory.caller, region or DEFAULT_REGION)
    identity = directory.find(claim[1]) or directory.caller
    return Caller(identity, claim[2] or region or DEFAULT_REGION)


def claimed_access_key(request: Request) -> str | None:
    """The access key id in the Authorization header, for logs; None if it looks like none."""
    claim = _claim(request)
    return claim[1] if claim else None


def _claim(request: Request) -> re.Match[str] | None:
    value = request.headers.get(b"authorization")
    return None if value is None else _CREDENTIAL.search(value.decode("latin-1"))
