"""Which requests may write, judged so that no lenient reading of a path lets one through."""

from __future__ import annotations

import re
from urllib.parse import unquote

from getintegration_contract.exchange import Request

_OPERATION = re.compile(r"/domains/([^/?#]*)/integrations(\?[^#]*)?")
_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def writes(request: Request) -> bool:
    """Whether a request may write: all but GetIntegration itself, and methods that never write."""
    if request.method in _READING_METHODS:
        return False
    match = _OPERATION.fullmatch(request.target)
    if request.method != "POST" or match is None:
        return True
    segment = unquote(unquote(match[1]))
    return segment in (".", "..") or any(char in segment for char in "/\\?#;")
