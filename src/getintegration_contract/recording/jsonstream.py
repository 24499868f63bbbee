"""Reads the JSON of a HAR file value by value, so that a file of any length needs the memory of one entry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

from getintegration_contract.exchange import no_constant

#: Characters of one JSON value beyond which a file is no recording of this suite.
_LARGEST = 64 * 2**20
_CHUNK = 2**18


class HarError(ValueError):
    """Not a HAR file of this suite; the message is one clause, without the name of the file."""


def members(stream: IO[str]) -> Iterator[tuple[str, Any, str]]:
    """The members of ``log``: (name, value, its text); ``entries`` and ``_tests`` item by item.

    Raises:
        HarError: The file is not JSON, not UTF-8, or not an object with ``log`` and ``entries``.
    """
    scanner = _Scanner(stream)
    seen: set[str] = set()
    for name in scanner.names():
        if name != "log":
            scanner.value()
            continue
        for member in scanner.names():
            seen.add(member)
            if member in ("entries", "_tests"):
                for _ in scanner.items():
                    yield member, *scanner.value()
            else:
                yield member, *scanner.value()
    scanner.end()
    if "entries" not in seen:
        raise HarError("it has no log.entries")


class _Scanner:
    """Reads JSON value by value, holding no more than one value at a time."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self._ended = False
        self._decoder = json.JSONDecoder(parse_constant=no_constant)

    def names(self) -> Iterator[str]:
        """The keys of an object; the caller takes the value of each."""
        for _ in self._sequence("{", "}"):
            key, _ = self.value()
            if not isinstance(key, str):
                raise HarError("it is not JSON: a key is no string")
            self._take(":")
            yield key

    def items(self) -> Iterator[None]:
        """Stands before each item of an array; the caller takes it."""
        return self._sequence("[", "]")

    def value(self) -> tuple[Any, str]:
        """The next value and its text."""
        self._peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._more():
                    continue
                raise HarError(f"it is not JSON, or it was cut off: {error.msg}") from None
            except (ValueError, RecursionError) as error:
                raise HarError(f"it is not JSON: {shorten(str(error))}") from None
            if end < len(self._text) or not self._more():  # a number may go on in the next chunk
                text = self._text[self._at : end]
                self._at = end
                return value, text

    def end(self) -> None:
        """Nothing may follow."""
        if self._peek():
            raise HarError("something follows its JSON document")

    def _sequence(self, opening: str, closing: str) -> Iterator[None]:
        self._take(opening)
        if self._peek() == closing:
            self._at += 1
            return
        while True:
            yield
            if self._peek() == closing:
                self._at += 1
                return
            self._take(",")

    def _take(self, char: str) -> None:
        if self._peek() != char:
            raise HarError(f"it is not the JSON of a HAR file: {char} is missing")
        self._at += 1

    def _peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read on, twice as much each time that a value does not end; whether there was more."""
        if self._ended:
            return False
        pending = self._text[self._at :]
        if len(pending) > _LARGEST:
            raise HarError(f"one of its values is larger than {_LARGEST // 2**20} MiB")
        try:
            fresh = self._stream.read(max(_CHUNK, len(pending)))
        except UnicodeDecodeError:
            raise HarError("it is not UTF-8") from None
        if not fresh:
            self._ended = True
            return False
        self._text, self._at = pending + fresh, 0
        return True


def shorten(text: str) -> str:
    """A text short enough for a sentence."""
    return text if len(text) <= 200 else f"{text[:200]}..."
