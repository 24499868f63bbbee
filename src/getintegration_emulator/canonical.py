"""The canonical request of AWS Signature Version 4, made from a request as it stood on the wire.

Source: "Create a signed AWS API request" in the IAM user guide. Where that leaves a choice and
signers differ, every form that some signer uses is offered. Each of them binds the whole request,
so accepting them all does not let a changed request pass:

- path: dot segments and double slashes removed, as the specification says and botocore and
  requests-aws4auth do, or left as they are; then every segment is encoded once more;
- query: each name and value decoded and encoded again, as the specification says, with ``+`` for
  itself or for a space (requests-aws4auth), or taken as it is (botocore).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from .request import Request


def canonical_requests(request: Request, signed: Sequence[str], body_hash: str) -> list[str]:
    """All accepted canonical forms of a request, the most usual one first.

    ``signed`` are the names of the signed headers, ``body_hash`` is the body's SHA-256 in hex.
    Raises ``KeyError`` with the name of a signed header that the request does not have.
    """
    values = request.headers
    headers = "\n".join([f"{name}:{_header_text(values[name.encode()])}" for name in signed])
    tail = f"{headers}\n\n{';'.join(signed)}\n{body_hash}"
    return [
        f"{request.method}\n{path}\n{query}\n{tail}"
        for path in _canonical_paths(request.path)
        for query in (_canonical_queries(request.query) if request.query else ("",))
    ]


def _header_text(value: bytes) -> str:
    """Trim a header value and make every run of spaces one space."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return " ".join(text.split())


@lru_cache(maxsize=1024)
def _canonical_paths(path: bytes) -> tuple[str, ...]:
    as_sent = quote(path, safe="/~")
    if b"//" not in path and b"/." not in path:
        return (as_sent,)
    return tuple(dict.fromkeys((quote(_remove_dot_segments(path), safe="/~"), as_sent)))


def _remove_dot_segments(path: bytes) -> bytes:
    """RFC 3986, 5.2.4, and every run of slashes made one."""
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    last = b"/" if path.endswith(b"/") and kept else b""
    return b"/" + b"/".join(kept) + last


def _canonical_queries(query: bytes) -> tuple[str, ...]:
    pairs = [pair.partition(b"=")[::2] for pair in query.split(b"&")]
    encodings: tuple[Callable[[bytes], str], ...] = (
        lambda part: quote(unquote_to_bytes(part), safe="-_.~"),
        lambda part: quote(unquote_plus(part.decode("latin-1")), safe="-_.~"),
        lambda part: part.decode("latin-1"),
    )
    forms = (
        "&".join("=".join(pair) for pair in sorted((encode(k), encode(v)) for k, v in pairs))
        for encode in encodings
    )
    return tuple(dict.fromkeys(forms))
