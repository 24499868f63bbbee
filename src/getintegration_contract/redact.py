"""Keeps secrets out of everything that leaves the process.

AWS echoes the Authorization header and the canonical request, session token included, in 403 bodies, so
responses are redacted like requests. A secret that stands plainly in a text is replaced. A text that gives
away a secret, or a piece of one, in any other reading (other case, reversed, encoded, …) is withheld.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from getintegration_contract.text import shorten

REDACTED = "REDACTED"
#: Characters of a body that a finding keeps; a recording keeps all.
SHOWN = 4_000
#: Shorter secrets are the made-up keys of mock servers ("test"), and words of every text.
_SHORTEST = 8
#: A secret is known by each 12 of its letters, so that 23 in a row are always found; a signature by its ends.
_BLOCK, _END = 12, 16

_SECRET_HEADERS = frozenset({"authorization", "x-amz-security-token", "cookie", "set-cookie"})
_NAMED = re.compile(
    r"(Signature\"?\s*[=:]\s*\"?)[0-9a-f]{16,}|(AWS4-HMAC-SHA256\s+Credential=)[^,\s\"]+"
    r"|((?:X-Amz-)?Security-?Token\s*[=:]\s*\"?)[^\s\",;&\\]+",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_SIGNATURE = re.compile(r"Signature=([0-9a-fA-F]{16,})")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{16,}")
_BASE64 = re.compile(r"(?![0-9a-f]{32})[A-Za-z0-9+/_-]{32,}")  # a hash is not base64
_LINE_END = re.compile(r"\\[rn]|\s")
_ESCAPED = re.compile(r"\\+(?:u00|x)([0-9a-fA-F]{2})|\\+([0-3][0-7]{2})")
_ELLIPSIS = re.compile("(.{6})?(?:\\.\\.\\.|\u2026)(.{6})?", re.DOTALL)
_NO_LETTERS = bytes(code for code in range(256) if not chr(code).isascii() or not chr(code).isalnum())


class Redactor:
    """Replaces secrets, and withholds texts that give them away otherwise.

    Args:
        secrets: Secret keys and session tokens in use; those under eight characters are ignored.
        accounts: Whether 12-digit account ids are replaced as well.
    """

    def __init__(self, secrets: Iterable[str] = (), *, accounts: bool = False) -> None:
        self._accounts = accounts
        self._secrets: dict[str, None] = {}
        self._plain: list[str] = []
        self._blocks: list[str] = []
        self._ends: set[str] = set()
        self._remembered = lru_cache(5_000)(self._redacted)
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Learn further secrets, such as refreshed session tokens."""
        for secret in secrets:
            if len(secret) < _SHORTEST or secret in self._secrets:
                continue
            self._secrets[secret] = None
            self._plain += _plain(secret)
            if len(_letters(secret)) >= 2 * _BLOCK - 1:
                for form in map(_letters, (secret, secret[::-1], secret.encode().hex())):
                    self._blocks += (
                        form[at : at + _BLOCK] for at in range(0, len(form) - _BLOCK + 1, _BLOCK)
                    )
            self._remembered.cache_clear()

    def add_signatures(self, *texts: str) -> list[str]:
        """Learn the signatures that stand in headers or queries, since any answer may echo them."""
        found = [each for each in _SIGNATURE.findall(" ".join(texts)) if len(set(each)) > 4]  # not 000...
        for low in map(str.lower, found):
            self._ends |= {low[:_END], low[-_END:], low[::-1][:_END]}
        return found

    def text(self, text: str) -> str:
        """The text without secrets; short ones, such as headers, come again and again."""
        often = len(text) <= 200 and not _HEXADECIMAL.search(text)
        return self._remembered(text) if often else self._redacted(text)

    def _redacted(self, text: str) -> str:
        for form in self._plain:
            text = text.replace(form, REDACTED)
        text = self.without_signatures(text)
        if self._gives_away(text):
            return REDACTED
        if any(word in text.lower() for word in ("signature", "credential", "token")):
            text = _NAMED.sub(lambda found: f"{found[1] or found[2] or found[3]}{REDACTED}", text)
        return _ACCOUNT.sub("0" * 12, text) if self._accounts else text

    def without_signatures(self, text: str) -> str:
        """The text without signatures that stand there plainly."""
        return _HEXADECIMAL.sub(lambda run: REDACTED if self._is_signature(run[0]) else run[0], text)

    def _is_signature(self, run: str) -> bool:
        low = run.lower()
        return any(low[at : at + _END] in self._ends for at in range(len(low) - _END + 1))

    def _gives_away(self, text: str) -> bool:
        """Whether any reading of a text has a piece of a secret or of a signature."""
        ends = [end for cut in _ELLIPSIS.findall(text) for end in cut if end]
        letters = "\n".join(map(_letters, _readings(text)))
        return (
            any(end in secret for secret in self._secrets for end in ends)
            or any(block in letters for block in self._blocks)
            or any(map(self._is_signature, _HEXADECIMAL.findall(letters)))
        )

    def value(self, value: Any) -> Any:
        """A JSON-able value, every string in it redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(entry) for key, entry in value.items()}
        return [self.value(entry) for entry in value] if isinstance(value, list | tuple) else value

    def exchange(self, exchange: dict[str, Any], longest_body: int | None = None) -> dict[str, Any]:
        """An exchange in its JSON-able form, its bodies cut if asked; its signature is learnt."""
        headers = exchange["request"]["headers"]
        self.add_signatures(exchange["request"].get("target", ""), *(value for _, value in headers))
        plain = dict(exchange)
        for side in ("request", "response"):
            shown = [
                [name, REDACTED if name.lower() in _SECRET_HEADERS else value]
                for name, value in exchange[side]["headers"]
            ]
            plain[side] = {**exchange[side], "headers": shown}
        redacted: dict[str, Any] = self.value(plain)
        # A token that nobody named is hidden in this exchange only: elsewhere its text may be ordinary data.
        tokens = {value for name, value in headers if name.lower() == "x-amz-security-token"}
        if unknown := tokens - self._secrets.keys():
            redacted["response"] = Redactor(unknown).value(redacted["response"])
        if longest_body:
            for message in (redacted["request"], redacted["response"]):
                message["body"] = shorten(message["body"], longest_body)
        return redacted


def _letters(text: str) -> str:
    """The letters and digits of ASCII, in lower case: what no line break or NUL in between changes."""
    return text.lower().encode("ascii", "ignore").translate(None, _NO_LETTERS).decode()


def _plain(secret: str) -> list[str]:
    """A secret as it may stand plainly in a text, the longest first: itself, escaped, in hex and base64."""
    in_json, digits = json.dumps(secret)[1:-1], secret.encode().hex()
    forms = {
        secret,
        in_json,
        in_json.replace("/", "\\/"),
        html.escape(secret),
        quote(secret, safe=""),
        quote(secret),
    }
    forms |= {digits, digits.upper()}
    for shift in range(3):  # wherever it begins in what is encoded, without what also encodes its neighbours
        encoded = b64encode(b"\0" * shift + secret.encode()).decode().rstrip("=")[(8 * shift + 5) // 6 :]
        forms.add(encoded if (shift + len(secret)) % 3 == 0 else encoded[:-1])
    return sorted(forms, key=len, reverse=True)


def _readings(text: str, depth: int = 3) -> Iterator[str]:
    """A text as it is, unescaped again and again, and with what it has in base64 decoded."""
    yield text
    if not depth:
        return
    if any(mark in text for mark in "%&\\"):
        plain = _ESCAPED.sub(lambda code: chr(int(code[1], 16) if code[1] else int(code[2], 8)), text)
        plain = html.unescape(unquote(plain))
        if plain != text:
            yield from _readings(plain, depth - 1)
    for run in _BASE64.findall(_LINE_END.sub("", text)):
        alphabet = b"-_" if "-" in run or "_" in run else b"+/"
        for start in range(4):
            whole = run[start : start + (len(run) - start) // 4 * 4]
            yield from _readings(b64decode(whole, alphabet).decode("latin-1"), depth - 1)
