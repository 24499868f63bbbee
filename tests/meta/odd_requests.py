"""Requests that are odd in as many ways as a signer can express, the same ones for the same seed."""

import random
from collections.abc import Iterator
from urllib.parse import quote

_SEGMENTS = [
    *("domains", "shop", "integrations", "delete", "", ".", "..", "...", "%2F", "%2e%2E", "%25", "a%20b"),
    *("a+b", "a%2Bb", "~x", "a=b&c", "x;y", "(*)!", "a:b@c", "%C3%A9", "%c3%a9", "%F0%9F%98%80", "%ff"),
    *("%5C", "%E2%80%A8", "%00", "%7E", "%41%42", "%252e", "a'b", "$,", "%", "%zz", "x" * 70),
]
#: Queries as RFC 3986 encodes them, and others, for which there is no rule that signers agree on.
ENCODED_QUERIES = [
    *("", "", "", "max-results=5", "b=2&a=1&a=0", "x", "x=&y", "=b", "b=&B=&a", "q=a%20b&A=%2F"),
    *("k=%C3%A9", "next-token=YQ%3D%3D"),
]
QUERIES = [*ENCODED_QUERIES, "q=a+b", "q=%2B~%7E"]
_HEADERS = [
    {},
    {"Content-Type": "application/json; charset=utf-8", "X-Amz-Target": "a  b   c"},
    {"X-Amz-Meta-Empty": "", "X-Amz-Meta-Tab": "a\tb"},
    {"User-Agent": "odd  agent/1.0", "X-Amz-Meta-List": "b, a,c", "X-Amz-Meta-Quoted": 'quo"ted;'},
    {"Accept": "*/*", "Amz-Sdk-Request": "attempt=1; max=3"},
]
_BODIES = [b"", b'{"Uri": "arn:flow"}', b"{", bytes(range(200, 240)), "\u00e9\U0001f600".encode()]
_LETTERS = [*map(chr, range(128)), *"\u00e9\u2028\U0001f600"]


def odd_requests(
    seed: int, count: int, queries: list[str] = QUERIES
) -> Iterator[tuple[random.Random, tuple[str, str, bytes, dict[str, str]]]]:
    """Method, target, body and headers of so many requests, each with the source of chance that made it."""
    source = random.Random(seed)
    for _ in range(count):
        path = "/" + "/".join(source.choice(_SEGMENTS) for _ in range(source.randint(0, 5)))
        if source.random() < 0.3:
            path += quote("".join(source.choice(_LETTERS) for _ in range(8)), safe="")
        query = source.choice(queries)
        method = source.choice(["POST", "POST", "GET", "PUT", "DELETE"])
        target = path + ("?" + query if query else "")
        yield source, (method, target, source.choice(_BODIES), dict(source.choice(_HEADERS)))
