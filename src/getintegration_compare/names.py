"""The names of domains and Uris, which differ from endpoint to endpoint, and the neighbours of a name.

A name that stands in a request becomes a token, and the token becomes the name that another endpoint has in
its place. Neighbours (another case, a character less, another normalisation) are known too, so that a near
miss stays one. In bodies, strings are looked at one by one, and only those that change are written anew.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from getintegration_contract.exchange import Request

#: Names that a state has, each with what they are.
NAMES = ("domain", "uri", "other_domain", "other_uri")

#: Neighbours that scenarios make of a name.
_NEIGHBOURS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "swapped": str.swapcase,
    "casefold": str.casefold,
    "cut": lambda name: name[:-1],
    "beheaded": lambda name: name[1:],
    "doubled": lambda name: name.replace("/", "//", 1),
    "NFD": lambda name: unicodedata.normalize("NFD", name),
    "NFKD": lambda name: unicodedata.normalize("NFKD", name),
    "ASCII": lambda name: name.encode("ascii", "ignore").decode(),
    "decoded": unquote,
    "encoded": lambda name: quote(name, safe=":/"),
    "plus": lambda name: name.replace("%20", "+"),
}
#: Around a token; characters that no name has.
OPEN, CLOSE = "\ue000", "\ue001"
_TOKEN = re.compile(f"{OPEN}([a-z_]+)(?:\\.([A-Za-z]+))?{CLOSE}")
_STRING = re.compile(rb'"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+"')
_PATH = re.compile(r"((?:/v1)?/domains?/)([^/?]*)(.*)", re.DOTALL | re.IGNORECASE)
#: Shorter names stand in other strings by chance.
_LONG_ENOUGH = 4


class UnmappedError(LookupError):
    """A name that has no counterpart on the other endpoint."""


class Names:
    """The names of one endpoint.

    Args:
        states: What exists there, for each session; the last one's names are those in use.
    """

    def __init__(self, states: Iterable[Mapping[str, Any]]) -> None:
        self._texts: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        exact: dict[str, str] = {}
        for state in states:
            for kind in NAMES:
                name = state.get(kind)
                if isinstance(name, str) and name:
                    self._texts[kind] = name
                    exact.setdefault(name, f"{OPEN}{kind}{CLOSE}")
                    for neighbour, change in _NEIGHBOURS.items():
                        token = f"{OPEN}{kind}.{neighbour}{CLOSE}"
                        self._tokens.setdefault(change(name), token)
        self._tokens |= exact
        self._tokens.pop("", None)
        self._exact = exact
        longest = sorted((name for name in exact if len(name) >= _LONG_ENOUGH), key=len, reverse=True)
        self._within = re.compile("|".join(map(re.escape, longest))) if longest else None
        #: A digest of a body with tokens for names; most requests of a run have one that others have as well.
        self.body_key = lru_cache(maxsize=10_000)(self._body_key)

    def same_as(self, other: Names) -> bool:
        """Whether both endpoints have the same names."""
        return self._texts == other._texts and self._exact == other._exact

    def hide(self, request: Request) -> Request:
        """The request with tokens for names."""
        body = _change_strings(request.body, self._hide)
        return replace(request, target=self.hide_target(request.target), body=body)

    def hide_target(self, target: str) -> str:
        """A request target with tokens for names."""
        if match := _PATH.fullmatch(target):
            start, segment, rest = match.groups()
            name = unquote(segment)
            if (hidden := self._hide(name)) != name:
                target = f"{start}{_quoted(hidden)}{rest}"
        return target

    def show(self, request: Request) -> Request:
        """The request with names for tokens.

        Raises:
            UnmappedError: One of the names does not exist here.
        """
        target = _TOKEN.sub(lambda match: quote(self._show(match), safe=""), request.target)
        body = _change_strings(request.body, lambda text: _TOKEN.sub(self._show, text))
        return replace(request, target=target, body=body)

    def hide_value(self, value: Any) -> Any:
        """A JSON value with tokens for names, also where one is part of a longer name."""
        return map_strings(value, lambda text: self._exact.get(text) or self._hidden_within(text))

    def _body_key(self, body: bytes) -> bytes:
        return hashlib.blake2b(_change_strings(body, self._hide), digest_size=16).digest()

    def _hide(self, text: str) -> str:
        return self._tokens.get(text) or self._hidden_within(text)

    def _hidden_within(self, text: str) -> str:
        if self._within is None:
            return text
        return self._within.sub(lambda match: self._exact[match[0]], text)

    def _show(self, match: re.Match[str]) -> str:
        kind, neighbour = match.groups()
        if kind not in self._texts:
            raise UnmappedError(f"there is no {kind.replace('_', ' ')}")
        name = self._texts[kind]
        return _NEIGHBOURS[neighbour](name) if neighbour else name


def map_strings(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with its strings changed; names of members stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: map_strings(entry, change) for key, entry in value.items()}
    if isinstance(value, list):
        return [map_strings(entry, change) for entry in value]
    return value


def _change_strings(body: bytes, change: Callable[[str], str]) -> bytes:
    """A body with some of the JSON strings in it changed; all other bytes stay, whether it is JSON or not."""

    def changed(match: re.Match[bytes]) -> bytes:
        literal = match[0]
        try:
            text: str = json.loads(literal) if b"\\" in literal else literal[1:-1].decode()
        except ValueError:
            return literal
        if (new := change(text)) == text:
            return literal
        # As it was written: with escapes where there were escapes only.
        is_escaped = literal.isascii() and b"\\u" in literal
        return json.dumps(new, ensure_ascii=is_escaped).encode("utf-8", "surrogatepass")

    return _STRING.sub(changed, body) if b'"' in body else body


def _quoted(hidden: str) -> str:
    """A path segment, encoded but for its tokens."""
    return "".join(
        part if part.startswith(OPEN) else quote(part, safe="")
        for part in re.split(f"({OPEN}[^{CLOSE}]*{CLOSE})", hidden)
    )
