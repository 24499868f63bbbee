"""Keeps secrets out of everything that leaves the process.

AWS echoes the Authorization header and the canonical request, session token included, in 403 bodies, so
responses are redacted as well as requests. Where a secret stands plainly it is replaced. A text that still
gives one away, or a piece of one, in any other reading is withheld: other case, spaced out, reversed, UTF-16,
encoded twice.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, unquote

from getintegration_contract.text import shorten

REDACTED = "REDACTED"

#: Characters of a body that a finding keeps; a recording keeps all.
SHOWN = 4_000

_SECRET_HEADERS = frozenset({"authorization", "x-amz-security-token", "cookie", "set-cookie"})
_PATTERNS = (
    (re.compile(r"(Signature\"?\s*[=:]\s*\"?)[0-9a-fA-F]{16,}", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"(AWS4-HMAC-SHA256\s+Credential=)[^,\s\"]+", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"((?:X-Amz-)?Security-?Token\s*[=:]\s*\"?)[^\s\",;&\\]+", re.IGNORECASE), rf"\1{REDACTED}"),
)
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_SIGNATURE = re.compile(r"Signature=([0-9a-fA-F]{16,})")
#: Shorter ones are the made-up keys of mock servers ("test"), and words of every text.
_SHORTEST_SECRET = 8
#: Secrets are known by blocks of so many letters, one at every third place, and texts are looked through at
#: every fourth: 23 letters of a secret in a row are always found. Signatures are known by their two ends.
_BLOCK, _EVERY, _STEP, _END = 12, 3, 4, 16
_SURELY_FOUND = _BLOCK + _EVERY * _STEP - 1
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{16,}")
#: base64 of what is as long as a signature.
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{86,}")
_ESCAPED = re.compile(r"\\+(?:u00|x)([0-9a-fA-F]{2})|\\+([0-3][0-7]{2})")
_CUT = re.compile("(.{6})?(?:\\.\\.\\.|\u2026)(.{6})?", re.DOTALL)
_NO_LETTERS = bytes(code for code in range(256) if not chr(code).isascii() or not chr(code).isalnum())
#: Characters of a text that is looked up rather than searched again, and how many are kept.
_OFTEN, _SEEN = 200, 5_000


class Redactor:
    """Replaces secrets, and withholds texts that give them away otherwise.

    Args:
        secrets: Secret keys and session tokens in use; those under eight characters are none.
        accounts: Whether 12-digit account ids are replaced as well.
    """

    def __init__(self, secrets: Iterable[str] = (), *, accounts: bool = False) -> None:
        self._accounts = accounts
        self._secrets: dict[str, None] = {}
        self._short: list[str] = []
        self._blocks: set[bytes] = set()
        self._signatures: set[str] = set()
        self._seen: dict[str, str] = {}
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Learn further secrets, such as refreshed session tokens."""
        for secret in secrets:
            if len(secret) < _SHORTEST_SECRET or secret in self._secrets:
                continue
            self._secrets[secret] = None
            self._seen.clear()
            if len(_letters(secret)) < _SURELY_FOUND:
                self._short += _writings(secret)
                continue
            for form in map(_letters, _disguises(secret)):
                self._blocks.update(form[at : at + _BLOCK] for at in range(0, len(form) - _BLOCK + 1, _EVERY))

    def add_signatures(self, *texts: str) -> list[str]:
        """Learn the signatures that stand in headers or queries, since any answer may echo them."""
        found = [each for each in _SIGNATURE.findall(" ".join(texts)) if len(set(each)) > 4]  # not 000...
        for signature in found:
            low = signature.lower()
            self._signatures |= {low[:_END], low[-_END:], low[::-1][:_END]}
        return found

    def text(self, text: str) -> str:
        """The text without secrets."""
        known = self._seen.get(text)
        if known is None:
            known = self._redacted(text)
            if len(text) <= _OFTEN and not _HEXADECIMAL.search(
                text
            ):  # values of headers come again and again
                if len(self._seen) >= _SEEN:
                    self._seen.clear()
                self._seen[text] = known
        return known

    def _redacted(self, text: str) -> str:
        for form in self._short:
            text = text.replace(form, REDACTED)
        if self._gives_away(text):
            for form in (form for secret in self._secrets for form in _writings(secret)):
                text = text.replace(form, REDACTED)
            text = self.without_signatures(text)
            if self._gives_away(text):
                return REDACTED
        if any(word in _letters(text) for word in (b"signature", b"credential", b"token")):
            for pattern, replacement in _PATTERNS:
                text = pattern.sub(replacement, text)
        return _ACCOUNT.sub("0" * 12, text) if self._accounts else text

    def without_signatures(self, text: str) -> str:
        """The text without signatures that stand there plainly."""
        return _HEXADECIMAL.sub(lambda run: REDACTED if self._is_signed(run[0]) else run[0], text)

    def _is_signed(self, run: str) -> bool:
        low = run.lower()
        return any(low[at : at + _END] in self._signatures for at in range(len(low) - _END + 1))

    def _gives_away(self, text: str) -> bool:
        """Whether any reading of a text has a piece of a secret or of a signature."""
        if self._secrets and ("..." in text or "\u2026" in text):
            ends = {end for cut in _CUT.findall(text) for end in cut if end}
            if any(end in secret for secret in self._secrets for end in ends):
                return True
        for letters in _readings(text):
            stretches = (letters[at : at + _BLOCK] for at in range(0, len(letters) - _BLOCK + 1, _STEP))
            if not self._blocks.isdisjoint(stretches):
                return True
            if self._signatures and any(map(self._is_signed, _HEXADECIMAL.findall(letters.decode()))):
                return True
        return False

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
        """An exchange in its JSON-able form; its signature is learnt."""
        headers = exchange["request"]["headers"]
        self.add_signatures(exchange["request"].get("target", ""), *(value for _, value in headers))
        # A token that nobody named is hidden in this exchange only: elsewhere its text may be ordinary data.
        tokens = {value for name, value in headers if name.lower() == "x-amz-security-token"}
        redacted: dict[str, Any] = {
            key: self._message(value) if isinstance(value, dict) else self.value(value)
            for key, value in exchange.items()
        }
        if unknown := tokens - self._secrets.keys():
            redacted["response"] = Redactor(unknown).value(redacted["response"])
        return redacted

    def _message(self, message: dict[str, Any]) -> dict[str, Any]:
        """A request or response; headers that are secret by their name need not be looked through."""
        return {
            key: [
                [self.text(name), REDACTED if name.lower() in _SECRET_HEADERS else self.text(value)]
                for name, value in part
            ]
            if key == "headers"
            else self.value(part)
            for key, part in message.items()
        }

    def finding(self, exchange: dict[str, Any]) -> dict[str, Any]:
        """An exchange for a finding: redacted whole, then its bodies shortened."""
        redacted = self.exchange(exchange)
        for side in ("request", "response"):
            redacted[side]["body"] = shorten(redacted[side]["body"], SHOWN)
        return redacted


def _letters(text: str) -> bytes:
    """The letters and digits of ASCII, in lower case: what no line break or NUL in between changes."""
    return text.lower().encode("ascii", "ignore").translate(None, _NO_LETTERS)


def _writings(secret: str) -> Iterator[str]:
    """A secret as it may stand plainly in a text: as it is, escaped, in base64, in hexadecimal."""
    in_json = json.dumps(secret)[1:-1]
    yield from (json.dumps(in_json)[1:-1], in_json.replace("/", "\\/"), in_json, html.escape(secret))
    for in_address in (quote(secret, safe=""), quote(secret)):
        yield from (in_address, re.sub("%..", lambda code: code[0].lower(), in_address))
    yield secret
    for digits in (secret.encode().hex(), secret.encode().hex(" ")):
        yield from (digits, digits.upper())
    for encode in (b64encode, urlsafe_b64encode):
        yield from sorted(_shifted(secret.encode(), encode), key=len, reverse=True)


def _shifted(raw: bytes, encode: Any = b64encode) -> Iterator[str]:
    """Bytes in base64, wherever they begin in what is encoded, without what also encodes their neighbours."""
    for shift in range(3):
        encoded = encode(b"\0" * shift + raw).decode().rstrip("=")[(8 * shift + 5) // 6 :]
        yield encoded if (shift + len(raw)) % 3 == 0 else encoded[:-1]


def _disguises(secret: str) -> Iterator[str]:
    """A secret as any reading of a text may have it."""
    yield from (secret, secret[::-1], secret.encode().hex())
    for raw in (secret.encode(), secret.encode("utf-16-le")):
        for once in _shifted(raw):
            yield once
            yield from _shifted(once.encode())


def _readings(text: str, depth: int = 3) -> Iterator[bytes]:
    """The letters of a text as it is, unescaped again and again, and of what it has in base64."""
    yield _letters(text)
    for run in _BASE64.findall(text) if depth else ():
        alphabet = b"-_" if "-" in run or "_" in run else b"+/"
        for start in range(4):
            whole = run[start : start + (len(run) - start) // 4 * 4]
            yield _letters(b64decode(whole, alphabet).decode("latin-1"))
    if depth and any(mark in text for mark in "%&\\"):
        plain = _ESCAPED.sub(lambda code: chr(int(code[1], 16) if code[1] else int(code[2], 8)), text)
        plain = html.unescape(unquote(plain))
        if plain != text:
            yield from _readings(plain, depth - 1)
