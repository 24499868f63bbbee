"""The names of domains and Uris, which differ from endpoint to endpoint, and the neighbours of a name.

A name in a request becomes a token, and the token becomes the name that another endpoint has in its place.
Neighbours (another case, a character less, another normalisation) have tokens too, so that a near miss stays
one. In bodies only the strings that change are written anew.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Self
from urllib.parse import quote, unquote

from getintegration_contract.exchange import Request

#: Names that a state has, each with what they are.
_KINDS = ("domain", "uri", "other_domain", "other_uri")

#: A name itself, and the neighbours that scenarios make of it. No name is taken for a neighbour of another.
_NEIGHBOURS: dict[str, Callable[[str], str]] = {
    "": str,
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
_TOKEN = re.compile(f"{OPEN}([a-z_]+)[^{CLOSE}]*{CLOSE}")
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
        names = [(kind, name) for state in states for kind in _KINDS if (name := state.get(kind))]
        self._tokens: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        for neighbour, change in _NEIGHBOURS.items():
            for kind, name in names:
                token, text = f"{OPEN}{f'{kind} {neighbour}'.rstrip()}{CLOSE}", change(name)
                self._texts[token] = text
                self._tokens.setdefault(text, token)
        self._tokens.pop("", None)
        self._exact = {name: self._tokens[name] for _, name in names}
        longest = sorted((name for name in self._exact if len(name) >= _LONG_ENOUGH), key=len, reverse=True)
        self._within = re.compile("|".join(map(re.escape, longest)) or "(?!)")

    def same_as(self, other: Self) -> bool:
        """Whether both endpoints have the same names."""
        return (self._texts, self._tokens) == (other._texts, other._tokens)

    def hide(self, request: Request) -> Request:
        """The request with tokens for names."""
        return _changed(request, lambda text: self._tokens.get(text) or self.hidden(text))

    def show(self, request: Request) -> Request:
        """The request with names for tokens.

        Raises:
            RefusedError: One of the names does not exist here.
        """
        return _changed(request, partial(_TOKEN.sub, self._text))

    def hidden(self, text: str) -> str:
        """A string of an answer with tokens for names, also where one is part of a longer name."""
        return self._exact.get(text) or self._within.sub(lambda match: self._exact[match[0]], text)

    def _text(self, match: re.Match[str]) -> str:
        if match[0] not in self._texts:
            raise RefusedError(f"the endpoint has no {match[1].replace('_', ' ')}")
        return self._texts[match[0]]


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
