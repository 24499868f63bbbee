"""Keeps secrets out of everything that leaves the process.

AWS echoes the Authorization header and the canonical request, session token included, in 403 bodies, so
responses are redacted as well as requests.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from html import unescape
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

REDACTED = "REDACTED"

#: Characters of a body that a finding keeps; a recording keeps all.
SHOWN = 4_000

_SECRET_HEADERS = frozenset({"authorization", "x-amz-security-token", "cookie", "set-cookie"})
_PATTERNS = (
    (re.compile(r"(Signature\"?\s*[=:]\s*\"?)[0-9a-fA-F]{16,}", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"(AWS4-HMAC-SHA256\s+Credential=)[^,\s\"]+", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"((?:X-Amz-)?Security-?Token\s*[=:]\s*\"?)[^\s\",;&\\]+", re.IGNORECASE), rf"\1{REDACTED}"),
)
#: Shorter ones are the made-up keys of mock servers ("test"), and words of every text.
_SHORTEST_SECRET = 8
#: Characters of a secret that may stand before or after an ellipsis.
_SHORTEST_PIECE = 4
#: Characters of the blocks that a secret is cut into: a piece of twice that length holds a whole block.
_BLOCK = 12
#: Characters of a secret that is looked for in disguise; shorter ones may be words of ordinary text.
_LONG = 16
#: What may stand for other characters: percent-encoding, entities, escapes.
_ESCAPES = re.compile(r"[%&\\]")
#: Characters of a text that is looked up rather than searched again, and how many are kept.
_OFTEN, _SEEN = 200, 5_000
#: Bytes in hexadecimal, one by one: as many as the shortest secret has.
_SPELT = re.compile(
    r"(?:[0-9a-fA-F]{2}[^0-9a-zA-Z]+(?:(?:amp;#|[xX]|u00|25)*0*(?:20|2[cC]|3[aA]|32|44|58);?)?){7}[0-9a-fA-F]{2}"
)
_ELLIPSIS = re.compile(r"\.\.\.|\u2026")
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_SIGNATURE = re.compile(r"Signature=([0-9a-fA-F]{16,})")


class Redactor:
    """Replaces secrets, in every encoding that a server may echo them in.

    Args:
        secrets: Secret keys and session tokens in use; those under eight characters are none.
        accounts: Whether 12-digit account ids are replaced as well.
    """

    def __init__(self, secrets: Iterable[str] = (), *, accounts: bool = False) -> None:
        self._accounts = accounts
        self._known: dict[str, tuple[_Writing, ...]] = {}
        self._seen: dict[str, str] = {}
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Learn further secrets, such as refreshed session tokens."""
        self._seen.clear()
        for secret in secrets:
            if len(secret) >= _SHORTEST_SECRET and secret not in self._known:
                self._known[secret] = tuple(_writings(secret))

    def text(self, text: str) -> str:
        """The text without secrets, and without pieces of them where somebody shortened it."""
        known = self._seen.get(text)
        if known is None:
            known = self._redacted(text)
            if len(text) <= _OFTEN:  # names and values of headers come again and again
                if len(self._seen) >= _SEEN:
                    self._seen.clear()
                self._seen[text] = known
        return known

    def _redacted(self, text: str) -> str:
        spelt = _SPELT.search(text) is not None
        for writings in self._known.values():
            for writing in writings:
                if writing.stretch in text and (spelt or not writing.is_spelt):
                    text = writing.pattern.sub(REDACTED, text)
        if self._known and (marks := list(_ELLIPSIS.finditer(text))):
            text = self._without_pieces(text, marks)
        text = self._without_blocks(text)
        if self._known and self._is_disguised(text):
            return REDACTED
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return _ACCOUNT.sub("0" * 12, text) if self._accounts else text

    def _without_pieces(self, text: str, marks: list[re.Match[str]]) -> str:
        """The text without what a secret begins with before an ellipsis, or ends with after one."""
        bounds = [0, *(bound for mark in marks for bound in mark.span()), len(text)]
        parts = [text[start:end] for start, end in pairwise(bounds)]
        forms = {form for secret in self._known for form in (secret, json.dumps(secret)[1:-1])}
        for number in range(0, len(parts), 2):
            for form in forms:
                if number:
                    parts[number] = _without_start(parts[number], form)
                if number < len(parts) - 1:
                    parts[number] = _without_start(parts[number][::-1], form[::-1], reverse=True)[::-1]
        return "".join(parts)

    def _without_blocks(self, text: str) -> str:
        """The text without longer pieces of a secret, wherever somebody cut it."""
        for secret in self._known:
            for start in range(0, len(secret) - _BLOCK + 1, _BLOCK):
                block = secret[start : start + _BLOCK]
                while (place := text.find(block)) >= 0:
                    first, last = place, place + _BLOCK
                    before, after = start, start + _BLOCK
                    while first and before and text[first - 1] == secret[before - 1]:
                        first, before = first - 1, before - 1
                    while last < len(text) and after < len(secret) and text[last] == secret[after]:
                        last, after = last + 1, after + 1
                    text = text[:first] + REDACTED + text[last:]
        return text

    def _is_disguised(self, text: str) -> bool:
        """Whether a secret stands there in other letters, or encoded character by character."""
        readings = {text}
        if _ESCAPES.search(text):
            readings |= {unquote(text), unescape(text), _ESCAPED.sub(_unescaped, text)}
        folded = [reading.casefold() for reading in readings]
        secrets = [secret.casefold() for secret in self._known if len(secret) >= _LONG]
        return any(secret in reading for secret in secrets for reading in folded)

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
        # A token that nobody named is hidden in this exchange only: elsewhere its text may be ordinary data.
        tokens = {value for name, value in headers if name.lower() == "x-amz-security-token"}
        signatures = [
            match for _, value in headers for match in _SIGNATURE.findall(value) if len(match) >= 32
        ]
        redacted: dict[str, Any] = self.value(exchange)
        if unknown := tokens - self._known.keys():
            redacted["response"] = Redactor(unknown).value(redacted["response"])
        if signatures:
            text = json.dumps(redacted)
            for own in signatures:
                text = text.replace(own, REDACTED).replace(own.upper(), REDACTED)
            redacted = json.loads(text)
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


#: Escapes of JSON, Python, JavaScript and C.
_ESCAPED = re.compile(r"\\+(?:u00|x)([0-9a-fA-F]{2})|\\+([0-3][0-7]{2})")


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16) if match[1] else int(match[2], 8))


class _Writing:
    """One way to write a secret.

    Attributes:
        stretch: A part that is the same however the rest is escaped, to look for first.
        is_spelt: Whether it is byte after byte, with something in between.
    """

    def __init__(self, secret: str, *, url_safe: bool = False, is_spelt: bool = False) -> None:
        self.is_spelt = is_spelt
        self.stretch = max(re.findall("[A-Za-z0-9]+", secret), key=len, default="")
        self._secret = secret
        self._same = {"+": "+-", "/": "/_"} if url_safe else {}

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Finds it, whatever of it JSON, URLs, HTML or Python escape, even twice."""
        return re.compile("".join(self._escaped(char) for char in self._secret))

    def _escaped(self, char: str) -> str:
        if char.isalnum():
            return char
        alternatives = []
        for same in self._same.get(char, char):
            code = "".join(f"[{digit}{digit.upper()}]" for digit in f"{ord(same):02x}")
            entity = rf"#0*{ord(same)}|#[xX]0*{code}|{_ENTITIES.get(same, 'none')}"
            alternatives += [rf"\\*{re.escape(same)}", rf"%(?:25)*{code}", rf"\\+(?:u00|x){code}"]
            alternatives.append(rf"&(?:amp;)*(?:{entity});")
        return f"(?:{'|'.join(alternatives)})"


_ENTITIES = {
    '"': "quot",
    "'": "apos",
    "&": "amp",
    "<": "lt",
    ">": "gt",
    "+": "plus",
    "/": "sol",
    "=": "equals",
}


def _writings(secret: str) -> Iterator[_Writing]:
    """A secret as text, in hexadecimal, and in base64 wherever it stands in what is encoded."""
    raw = secret.encode()
    yield _Writing(secret)
    for separator in ("", " ", ":", ","):
        digits = raw.hex(separator) if separator else raw.hex()
        yield _Writing(digits, is_spelt=bool(separator))
        yield _Writing(digits.upper(), is_spelt=bool(separator))
    for shift in range(3):
        # Without the characters that also encode adjacent bytes.
        encoded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")[(8 * shift + 5) // 6 :]
        whole = encoded if (shift + len(raw)) % 3 == 0 else encoded[:-1]
        yield _Writing(whole.decode(), url_safe=True)


def _without_start(text: str, form: str, *, reverse: bool = False) -> str:
    """The text without the longest end of a form that it starts with.

    Args:
        reverse: Whether both are turned round, so that it is about a start of the form at the text's end.
    """
    for length in range(min(len(form), len(text)), _SHORTEST_PIECE - 1, -1):
        if text.startswith(form[-length:]):
            return (REDACTED[::-1] if reverse else REDACTED) + text[length:]
    return text
