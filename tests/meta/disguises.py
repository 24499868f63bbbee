"""Two secrets, the ways in which a text may hold one, and what gives one away."""

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Callable, Iterator
from urllib.parse import quote

#: Words of their own at the start, in the middle and at the end, so that a piece is noticed as well.
SECRET = "Walrusberg/Key+one=\"Pelikanofix'&<Ocelotzahn"
TOKEN = "Marmotglas+Token/two=\"Quaggafeld'&>Yakwolle=="
WORDS = ("Walrusberg", "Pelikanofix", "Ocelotzahn", "Marmotglas", "Quaggafeld", "Yakwolle")
#: Pieces of this length of a word are noticed.
PIECE = 6


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _each(secret: str, form: str, plain: Callable[[str], bool] = lambda char: False) -> str:
    """Each character as a code of that form, but those that stay plain."""
    return "".join(char if plain(char) else form.format(ord(char)) for char in secret)


#: Where these stand, only the secret is replaced.
PLAIN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON with escaped slashes": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "a path": quote,
    "a query": urllib.parse.quote_plus,
    "HTML": html.escape,
    "base64": lambda secret: _base64(secret.encode()),
    "base64 of a header": lambda secret: _base64(f"X-Token: {secret};".encode()),
    "base64 of more": lambda secret: _base64(f"Token: {secret}!".encode()),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(f"{secret}?".encode()).decode().rstrip("="),
    "base64 in a query": lambda secret: quote(_base64(secret.encode()), safe=""),
    "hexadecimal": lambda secret: secret.encode().hex(),
    "hexadecimal in capitals": lambda secret: secret.encode().hex().upper(),
}
#: With these the whole text is withheld.
DISGUISED: dict[str, Callable[[str], str]] = {
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret))[1:-1],
    "JSON in numbers": lambda secret: _each(secret, "\\u{:04x}", plain=str.isalnum),
    "JSON in capital numbers": lambda secret: _each(secret, "\\u{:04X}", plain=str.isalnum),
    "a query in small letters": lambda secret: re.sub("%..", lambda code: code[0].lower(), quote(secret)),
    "a query, encoded twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "percent": lambda secret: _each(secret, "%{:02x}"),
    "percent twice": lambda secret: _each(_each(secret, "%{:02x}"), "%{:02x}"),
    "percent thrice": lambda secret: quote(_each(_each(secret, "%{:02x}"), "%{:02x}"), safe=""),
    "HTML in HTML": lambda secret: html.escape(html.escape(secret)),
    "HTML in numbers": lambda secret: _each(secret, "&#{};", plain=str.isalnum),
    "HTML in hexadecimal numbers": lambda secret: _each(secret, "&#x{:X};", plain=str.isalnum),
    "HTML by name": lambda secret: secret.replace("&", "&amp;").replace("'", "&apos;").replace("+", "&plus;"),
    "entities alone": lambda secret: _each(secret, "&#{};"),
    "Python": repr,
    "Python bytes": lambda secret: repr(secret.encode()),
    "Python in JSON": lambda secret: json.dumps(repr(secret.encode())),
    "unicode escapes": lambda secret: _each(secret, "\\u{:04x}"),
    "hex escapes": lambda secret: _each(secret, "\\x{:02x}"),
    "octal escapes": lambda secret: _each(secret, "\\{:03o}"),
    "lower case": str.lower,
    "upper case": str.upper,
    "reversed": lambda secret: secret[::-1],
    "spaced out": " ".join,
    "a letter a line": "\n".join,
    "UTF-16": lambda secret: secret.encode("utf-16").decode("latin-1"),
    "UTF-32": lambda secret: secret.encode("utf-32-be").decode("latin-1"),
    "UTF-16 in base64": lambda secret: _base64(secret.encode("utf-16-le")),
    "base64 twice": lambda secret: _base64(_base64(f"x{secret}".encode()).encode()),
    "base64 in lines": lambda secret: base64.encodebytes(f"token: {secret * 2}".encode()).decode(),
    "base64 in lines of JSON": lambda secret: json.dumps(
        base64.encodebytes(f"token: {secret * 2}".encode()).decode().replace("\n", "\\r\\n")
    ),
    "hexadecimal as AWS shows bytes": lambda secret: secret.encode().hex(" "),
    "hexadecimal with colons": lambda secret: secret.encode().hex(":"),
    "JSON in HTML in a query": lambda secret: quote(html.escape(json.dumps(secret))),
}


def _signs(secret: str) -> Iterator[str]:
    """What gives a secret away: pieces of its words, in any of the alphabets."""
    for word in WORDS:
        if word in secret:
            yield from (word[start : start + PIECE].lower() for start in range(len(word) - PIECE + 1))
            yield word.encode().hex()
            yield word.encode().hex(" ")
            for shift in range(3):
                encoded = base64.b64encode(b"\0" * shift + word.encode()).decode().rstrip("=")
                yield encoded[(8 * shift + 5) // 6 : -1].lower()


def leaks(output: str) -> list[str]:
    """The signs of secrets in some output, each with what is around it."""
    small = output.lower()
    found = {sign: small.index(sign) for sign in (*_signs(SECRET), *_signs(TOKEN)) if sign in small}
    return [f"{sign}: {output[max(0, at - 150) : at + 60]!r}" for sign, at in found.items()]
