"""The names of domains and Uris, which differ from endpoint to endpoint, and the neighbours of a name.

A name that stands in a request becomes a token, and the token becomes the name that another endpoint has in
its place. Neighbours (another case, a character less, another normalisation) are known too, so that a near
miss stays one. In bodies, strings are looked at one by one, and only those that change are written anew.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

from getintegration_contract.exchange import Request

#: Names that a state has, each with what they are.
_KINDS = ("domain", "uri", "other_domain", "other_uri")

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
_DOMAIN = re.compile(r"\A((?:/v1)?/domains?/)([^/?]*)", re.IGNORECASE)
#: Shorter names stand in other strings by chance.
_LONG_ENOUGH = 4


class RefusedError(Exception):
    """A recorded request that an endpoint cannot be asked; the text says why."""


class Names:
    """The names of one endpoint.

    Args:
        states: What exists there, for each session; the last one's names are those in use.
    """

    def __init__(self, states: Iterable[Mapping[str, Any]]) -> None:
        self._texts: dict[str, str] = {}
        self._exact: dict[str, str] = {}
        neighbours: dict[str, str] = {}
        for state in states:
            for kind in _KINDS:
                if name := state.get(kind):
                    self._texts[kind] = name
                    self._exact.setdefault(name, f"{OPEN}{kind}{CLOSE}")
                    for neighbour, change in _NEIGHBOURS.items():
                        neighbours.setdefault(change(name), f"{OPEN}{kind}.{neighbour}{CLOSE}")
        self._tokens = neighbours | self._exact
        self._tokens.pop("", None)
        longest = sorted((name for name in self._exact if len(name) >= _LONG_ENOUGH), key=len, reverse=True)
        self._within = re.compile("|".join(map(re.escape, longest)) or "(?!)")

    def same_as(self, other: Names) -> bool:
        """Whether both endpoints have the same names."""
        return self._texts == other._texts and self._exact == other._exact

    def hide(self, request: Request) -> Request:
        """The request with tokens for names."""
        return _changed(request, lambda text: self._tokens.get(text) or self._within.sub(self._token, text))

    def show(self, request: Request) -> Request:
        """The request with names for tokens.

        Raises:
            RefusedError: One of the names does not exist here.
        """
        return _changed(request, partial(_TOKEN.sub, self._show))

    def hidden(self, text: str) -> str:
        """A string of an answer with tokens for names, also where one is part of a longer name."""
        return self._exact.get(text) or self._within.sub(self._token, text)

    def _token(self, match: re.Match[str]) -> str:
        return self._exact[match[0]]

    def _show(self, match: re.Match[str]) -> str:
        kind, neighbour = match.groups()
        if kind not in self._texts:
            raise RefusedError(f"there is no {kind.replace('_', ' ')} here")
        name = self._texts[kind]
        return _NEIGHBOURS[neighbour](name) if neighbour else name


def _changed(request: Request, change: Callable[[str], str]) -> Request:
    """The request with the domain of its path and the strings of its body changed, JSON or not as that is."""

    def domain(match: re.Match[str]) -> str:
        name = unquote(match[2])
        new = change(name)
        return match[0] if new == name else match[1] + quote(new, safe="")

    def string(match: re.Match[bytes]) -> bytes:
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

    return replace(
        request, target=_DOMAIN.sub(domain, request.target), body=_STRING.sub(string, request.body)
    )
