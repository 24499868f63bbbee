"""Keeps secrets out of everything that leaves the process.

AWS echoes the Authorization header and the canonical request, session token included, in 403 bodies, so
responses are redacted like requests. A secret that stands plainly in a text is replaced. A text that gives
away a secret, or a piece of one, in any other reading (other case, reversed, encoded, …) is withheld.
"""

import html
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from getintegration_contract.exchange import Request
from getintegration_contract.text import shorten

REDACTED = "REDACTED"
#: Characters of a body that a finding keeps; a recording keeps all.
SHOWN = 4_000
#: Shorter secrets are the made-up keys of mock servers ("test"), and words of every text.
_SHORTEST = 8
#: A secret is known by each 12 of its letters, so that 23 in a row are always found; a signature by its ends.
_BLOCK, _END = 12, 16

#: Texts of up to so many characters are remembered: headers, and the bodies that come again and again.
_LONGEST_REMEMBERED = 1_000

_SECRET_HEADERS = frozenset({"authorization", "x-amz-security-token", "cookie", "set-cookie"})
_NAMED = re.compile(
    r"(Signature\"?\s*[=:]\s*\"?)[0-9a-f]{16,}|(AWS4-HMAC-SHA256\s+Credential=)[^,\s\"]+"
    r"|((?:X-Amz-)?Security-?Token\s*[=:]\s*\"?)[^\s\",;&\\]+",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_SIGNATURE = re.compile(r"Signature=([0-9a-fA-F]{16,})")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{16,}")
_ESCAPED = re.compile(r"\\+(?:u00|x)([0-9a-fA-F]{2})|\\+([0-3][0-7]{2})")
#: Characters of a run of one character that are looked through: more than a secret has.
_LONGEST_RUN = 10_000
_RUN = re.compile(rf"(.)\1{{{_LONGEST_RUN},}}", re.DOTALL)
_ELLIPSIS = re.compile("\\.\\.\\.|\u2026")
#: Letters next to an ellipsis that make it a cut secret.
_CUT = 6
_NO_LETTERS = bytes(code for code in range(256) if not chr(code).isascii() or not chr(code).isalnum())
#: Blanks in place of all that is not base64, whose runs are at least so long; a hash or a UUID is none.
_BASE64 = bytes(32 if code in _NO_LETTERS and chr(code) not in "+/-_" else code for code in range(256))
_SHORTEST_RUN, _HASH = 32, b"0123456789abcdef-"


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
        self._remembered = lru_cache(5_000)(self._look)
        self._is_signature = lru_cache(5_000)(self._has_end)
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

    def learn(self, request: Request) -> list[str]:
        """Learn the signatures of a request, since any answer may echo them, and return them."""
        texts = request.target, *(value for _, value in request.headers)
        found = [each for each in _SIGNATURE.findall(" ".join(texts)) if len(set(each)) > 4]  # not 000...
        self.add_signatures(*found)
        return found

    def add_signatures(self, *signatures: str) -> None:
        """Learn signatures."""
        for low in map(str.lower, signatures):
            if (ends := {low[:_END], low[-_END:], low[::-1][:_END]}) - self._ends:
                self._ends |= ends
                self._is_signature.cache_clear()

    def text(self, text: str) -> str:
        """The text without secrets."""
        look = self._remembered if len(text) <= _LONGEST_REMEMBERED else self._look
        redacted, runs = look(text)
        if runs and any(map(self._is_signature, runs)):
            redacted, runs = self._look(self.without_signatures(text))
            return REDACTED if any(map(self._is_signature, runs)) else redacted
        return redacted

    def _look(self, text: str) -> tuple[str, list[str]]:
        """The text without all that is known of secrets, and where in its readings a signature may stand."""
        # What leaves is UTF-8, without lone surrogates.
        text = text.encode("utf-8", "backslashreplace").decode()
        for form in self._plain:
            text = text.replace(form, REDACTED)
        pieces = _ELLIPSIS.split(text)
        ends = [*(piece[-_CUT:] for piece in pieces[:-1]), *(piece[:_CUT] for piece in pieces[1:])]
        brief = _RUN.sub(lambda run: run[0][:_LONGEST_RUN], text) if len(text) > _LONGEST_RUN else text
        letters = "\n".join(map(_letters, _readings(brief)))
        is_cut = any(len(end) == _CUT and end in secret for secret in self._secrets for end in ends)
        if is_cut or any(map(letters.__contains__, self._blocks)):
            return REDACTED, []
        low = text.lower()
        if "signature" in low or "credential" in low or "token" in low:
            text = _NAMED.sub(lambda found: f"{found[1] or found[2] or found[3]}{REDACTED}", text)
        return _ACCOUNT.sub("0" * 12, text) if self._accounts else text, _HEXADECIMAL.findall(letters)

    def without_signatures(self, text: str) -> str:
        """The text without signatures that stand there plainly."""
        return _HEXADECIMAL.sub(lambda run: REDACTED if self._is_signature(run[0]) else run[0], text)

    def _has_end(self, run: str) -> bool:
        """Whether one end of a signature stands in a run of hexadecimal digits."""
        low = run.lower()
        return not self._ends.isdisjoint([low[at : at + _END] for at in range(len(low) - _END + 1)])

    def value(self, value: Any) -> Any:
        """A JSON-able value, every string in it redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(entry) for key, entry in value.items()}
        return [self.value(entry) for entry in value] if isinstance(value, list | tuple) else value

    def exchange(self, exchange: dict[str, Any], longest_body: int | None = None) -> dict[str, Any]:
        """An exchange in its JSON-able form, its bodies cut if asked."""
        redacted = {part: self._part(entry, longest_body) for part, entry in exchange.items()}
        # A token that nobody named is hidden in this exchange only: elsewhere its text may be ordinary data.
        headers = exchange["request"]["headers"]
        tokens = {value for name, value in headers if name.lower() == "x-amz-security-token"}
        if unknown := tokens - self._secrets.keys():
            redacted["response"] = Redactor(unknown).value(redacted["response"])
        if longest_body:
            for side in ("request", "response"):
                length = len(exchange[side]["body"])
                # A secret at the cut is found by the ellipsis behind it.
                redacted[side]["body"] = self.text(shorten(redacted[side]["body"], longest_body, length))
        return redacted

    def _part(self, part: Any, longest_body: int | None) -> Any:
        """A part of an exchange; in a message, the values of some headers are nothing but secrets."""
        if not isinstance(part, dict):
            return self.value(part)
        headers = [
            [self.text(name), REDACTED if name.lower() in _SECRET_HEADERS else self.text(value)]
            for name, value in part["headers"]
        ]
        body = part["body"][: 2 * longest_body] if longest_body else part["body"]
        rest = {name: self.value(entry) for name, entry in part.items() if name not in ("headers", "body")}
        return rest | {"headers": headers, "body": self.text(body)}


def _letters(text: str) -> str:
    """The letters and digits of ASCII, in lower case: what no line break or NUL in between changes."""
    return text.lower().encode("ascii", "ignore").translate(None, _NO_LETTERS).decode()


def _plain(secret: str) -> list[str]:
    """A secret as it may stand plainly in a text, the longest first: itself, escaped, in hex and base64."""
    in_json, digits = json.dumps(secret)[1:-1], secret.encode().hex()
    forms = {secret, in_json, in_json.replace("/", "\\/"), html.escape(secret)}
    forms |= {quote(secret), quote(secret, safe=""), digits, digits.upper()}
    for shift in range(3):  # wherever it begins in what is encoded, without what also encodes its neighbours
        encoded = b64encode(b"\0" * shift + secret.encode()).decode().rstrip("=")[(8 * shift + 5) // 6 :]
        forms.add(encoded if (shift + len(secret)) % 3 == 0 else encoded[:-1])
    return sorted(forms, key=len, reverse=True)


def _readings(text: str) -> set[str]:
    """A text as it is, and what it says three times unescaped, or decoded from base64."""
    known, latest = {text}, {text}
    for _ in range(3):
        latest = {reading for each in latest for reading in _decoded(each)} - known
        if not latest:
            break
        known |= latest
    return known


def _decoded(text: str) -> Iterator[str]:
    """A text without its escapes, and what stands in it in base64, wherever that begins."""
    if "%" in text or "&" in text or "\\" in text:
        plain = _ESCAPED.sub(lambda code: chr(int(code[1], 16) if code[1] else int(code[2], 8)), text)
        yield html.unescape(unquote(plain))
    if len(text) < _SHORTEST_RUN:
        return
    joined = "".join(text.replace("\\n", "").replace("\\r", "").split())
    for run in joined.encode("ascii", "replace").translate(_BASE64).split():
        if len(run) >= _SHORTEST_RUN and run.strip(_HASH):
            alphabet = b"-_" if b"-" in run or b"_" in run else b"+/"
            for start in range(4):
                whole = run[start : start + (len(run) - start) // 4 * 4]
                yield b64decode(whole, alphabet).decode("latin-1")
