"""Keeps secrets out of everything that leaves the process.

AWS echoes the Authorization header and the canonical request, session token included, in 403 bodies, so
responses are redacted as well as requests.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

REDACTED = "REDACTED"

#: Characters of a body that a finding keeps; a recording keeps all.
SHOWN = 4_000

_SECRET_HEADERS = frozenset({"authorization", "x-amz-security-token", "cookie", "set-cookie"})
_PATTERNS = (
    (re.compile(r"(Signature\s*[=:]\s*\"?)[0-9a-fA-F]{16,}"), rf"\1{REDACTED}"),
    (re.compile(r"(AWS4-HMAC-SHA256\s+Credential=)[^,\s\"]+"), rf"\1{REDACTED}"),
    (re.compile(r"((?:X-Amz-)?Security-?Token\s*[=:]\s*\"?)[^\s\",;&\\]+", re.IGNORECASE), rf"\1{REDACTED}"),
)
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_SIGNATURE = re.compile(r"Signature=([0-9a-fA-F]{16,})")


class Redactor:
    """Replaces secrets, in every encoding that a server may echo them in.

    Args:
        secrets: Secret keys and session tokens in use.
        accounts: Whether 12-digit account ids are replaced as well.
    """

    def __init__(self, secrets: Iterable[str] = (), *, accounts: bool = False) -> None:
        self._accounts = accounts
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Learn further secrets, such as refreshed session tokens."""
        fresh = [secret for secret in secrets if secret and secret not in self._known]
        if not fresh:
            return
        self._known.update(fresh)
        forms = {form for secret in self._known for form in _encodings(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def text(self, text: str) -> str:
        """The text without secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(REDACTED, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return _ACCOUNT.sub("0" * 12, text) if self._accounts else text

    def value(self, value: Any) -> Any:
        """A JSON-able value, every string in it redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(entry) for entry in value]
        return value

    def exchange(self, exchange: dict[str, Any]) -> dict[str, Any]:
        """An exchange in its JSON-able form, its own signature gone wherever it is echoed."""
        headers = exchange["request"]["headers"]
        # Refreshed credentials bring tokens that nobody named beforehand.
        self.add(*(value for name, value in headers if name.lower() == "x-amz-security-token"))
        signatures = [
            match for _, value in headers for match in _SIGNATURE.findall(value) if len(match) >= 32
        ]
        redacted: dict[str, Any] = self.value(exchange)
        if signatures:
            own = re.compile("|".join(map(re.escape, signatures)), re.IGNORECASE)
            redacted = json.loads(own.sub(REDACTED, json.dumps(redacted)))
        for side in ("request", "response"):
            redacted[side]["headers"] = [
                [name, REDACTED if name.lower() in _SECRET_HEADERS else value]
                for name, value in redacted[side]["headers"]
            ]
        return redacted

    def finding(self, exchange: dict[str, Any]) -> dict[str, Any]:
        """An exchange for a finding: redacted whole, then its bodies shortened."""
        redacted = self.exchange(exchange)
        for side in ("request", "response"):
            body = redacted[side]["body"]
            if len(body) > SHOWN:
                redacted[side]["body"] = f"{body[:SHOWN]}… ({len(body)} characters)"
        return redacted


def _encodings(secret: str) -> Iterable[str]:
    """A secret as it is, and as JSON, URL, HTML and base64 write it."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield html.escape(secret)
    raw = secret.encode()
    for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        yield encoded.decode().rstrip("=")
