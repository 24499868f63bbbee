"""Lawful habits that once raised an alarm."""

from __future__ import annotations

import gzip
import json
import math
import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from .credentials import age
from .excuses import serves_claims
from .kit import Build, always, answers, bind, changed, on_answer, on_document, on_error, plain, rejects
from .lawful_forms import times, typed
from .lawful_kit import GIVEN, Lawful, every, rewritten
from .messages import DELETE, DELETE_DOMAIN, PUT, Answer, Forward, Raw, Request, Response, error
from .official import is_current, is_right, presigned
from .signing import CALLER, fits, is_by, resigned
from .wire import serialise
from .writes import Writes, edited, key, reads

THEME = Lawful("lawful-alarm")
_add = THEME.variant


def _shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        items = list(value.items())
        random.shuffle(items)
        return {name: _shuffled(entry) for name, entry in items}
    return value


def _tags(combine: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]) -> Build:
    class Tags:
        """What tags an update leaves is made of the old and the new ones, as its answer says."""

        def __init__(self) -> None:
            self.tags: dict[Any, dict[str, Any]] = {}

        def __call__(self, request: Request, forward: Forward) -> Answer:
            place = key(request)
            if request.operation == PUT and place in self.tags and isinstance(request.document, dict):
                tags = combine(self.tags[place], request.document.get("Tags") or {})
                request = resigned(request.with_document({**request.document, "Tags": tags}))
            answer = forward(request)
            if answer.status == 200 and request.operation == PUT:
                self.tags[place] = request.document.get("Tags") or {}
            elif answer.status == 200 and request.operation == DELETE:
                self.tags.pop(place, None)
            elif answer.status == 200 and request.operation == DELETE_DOMAIN:
                self.tags = {other: tags for other, tags in self.tags.items() if other[0] != request.domain}
            return answer

    return Tags


def _zeros(answer: Response) -> Answer:
    return Raw(serialise(answer).replace(b"Content-Length: ", b"Content-Length: 000", 1), "keep")


def _wide_chunk(answer: Response) -> Answer:
    data = answer.body
    head = serialise(answer).partition(b"\r\n\r\n")[0].split(b"\r\n")
    kept = [line for line in head if not line.lower().startswith((b"content-length", b"transfer-encoding"))]
    chunks = b"%020x\r\n%s\r\n" % (len(data), data) if data else b""
    return Raw(b"\r\n".join([*kept, b"Transfer-Encoding: chunked", b"", chunks]) + b"0\r\n\r\n", "keep")


def _gzipped(answer: Response) -> Answer:
    if not answer.body or answer.header("content-encoding"):
        return answer
    return answer.with_body(gzip.compress(answer.body, 1)).with_header("Content-Encoding", "gzip")


def _with_members(answer: Response, members: bytes) -> Response:
    """Further members, as bytes, in every JSON object that is answered."""
    if not isinstance(answer.document, dict):
        return answer
    begun = answer.content.rstrip()[:-1]
    return answer.with_body(begun + (b", " if answer.document else b"") + members + b"}")


def _twice(answer: Response) -> Response:
    """The last member again, with the same value."""
    if not isinstance(answer.document, dict) or not answer.document:
        return answer
    name, value = list(answer.document.items())[-1]
    return _with_members(answer, f"{json.dumps(name)}: {json.dumps(value)}".encode())


def _too_large(status: int) -> Response:
    return Response(status, (("Content-Type", "text/html"),), b"<h1>too large</h1>")


_add(
    "members-in-any-order",
    "Members come in another order each time.",
    rewritten(lambda document: json.dumps(_shuffled(document)).encode()),
)


@THEME.mutant("no-deletion", "", plain)
def _no_deletion(request: Request, forward: Forward) -> Answer:
    """Nothing can be deleted, which is answered 404."""
    if request.operation in (DELETE, DELETE_DOMAIN):
        return error(404, "UnknownOperationException")
    return forward(request)


@THEME.mutant("scope-ignored", "", plain)
def _without_scope(request: Request, forward: Forward) -> Answer:
    """PutIntegration ignores Scope, which its page does not have."""
    if request.operation == PUT and isinstance(request.document, dict) and "Scope" in request.document:
        kept = {name: value for name, value in request.document.items() if name != "Scope"}
        return forward(resigned(request.with_document(kept)))
    return forward(request)


THEME.add_stateful(
    "tags-merged", "Tags of an update are added to those there are.", "", _tags(lambda old, new: old | new)
)
THEME.add_stateful("tags-kept", "Tags of an update are ignored.", "", _tags(lambda old, new: old))


class _Own(Writes):
    """The writes of all but the other account, whose domains are others, of whatever name."""

    def remember(self, request: Request) -> None:
        if not is_by(request, "other-account"):
            super().remember(request)


@THEME.mutant("domain-edited", "", partial(reads, base=_Own))
def _domain_edited(self: Writes, request: Request, answer: Response) -> Answer:
    """LastUpdatedAt is that of the domain."""
    written = [moments[-1] for (domain, _), moments in self.times.items() if domain == request.domain]
    if answer.status != 200 or not written:
        return answer
    return edited(answer, LastUpdatedAt=max(*written, answer.document["LastUpdatedAt"]))


_add("quarters-of-a-second", "The clock ticks four times a second.", times(lambda t: math.floor(t * 4) / 4))
_add("seconds-and-a-half", "Whole seconds, with a fraction of .5.", times(lambda t: math.floor(t) + 0.5))
_add("nul-rejected", "NUL in a Uri is invalid.", rejects(lambda request: "\0" in request.text))
_add(
    "token-for-permanent-ignored",
    "A session token that comes with permanent credentials is ignored.",
    serves_claims(
        lambda request, claim: (
            claim.identity == CALLER and fits(request) and bool(request.header("x-amz-security-token"))
        )
    ),
)
_add(
    "content-length-with-zeros",
    "Lengths begin with zeros.",
    on_answer(lambda request, answer: answer if request.method == "HEAD" else _zeros(answer), always),
)
_add(
    "chunk-size-with-zeros",
    "Sizes of chunks begin with many zeros.",
    on_answer(
        lambda request, answer: answer if request.method == "HEAD" else _wide_chunk(answer), lambda r: True
    ),
)
_add("gzip-unasked", "Every body is compressed, whether the client accepts that or not.", every(_gzipped))
_add(
    "clock-window-of-15-minutes",
    "X-Amz-Date may be fifteen minutes off.",
    serves_claims(
        lambda request, claim: (
            claim.identity == CALLER
            and timedelta(minutes=5) < abs(age(request) or timedelta()) <= timedelta(minutes=15)
            and claim.date == (request.header("x-amz-date") or "")[:8]
            and fits(request)
        )
    ),
)
_LONE, _LONG = b'"\\ud800"', b"1" * 5000
_add(
    "surrogates-escaped",
    "Messages and unknown members hold an escaped lone surrogate.",
    every(lambda answer: _with_members(answer, b'"message": %b, "Other": [%b]' % (_LONE, _LONE))),
)
_add(
    "numbers-of-5000-digits",
    "Unknown members hold numbers that no float can.",
    every(lambda answer: _with_members(answer, b'"Other": [%b, -1e999, 0.%b]' % (_LONG, _LONG))),
)
for _partition in ("aws-us-gov", "aws-cn", "aws-iso-b"):
    _add(
        f"role-of-{_partition}",
        f"The role is one of the partition {_partition}.",
        on_document(
            bind(_partition, lambda name, d: {**d, "RoleArn": f"arn:{name}:iam::123456789012:role/r"})
        ),
        options=GIVEN,
        stocked=True,
    )
_add(
    "type-as-code-before-__type",
    "The body has the type as code, and something of another kind as __type.",
    typed(lambda answer, name: changed(answer, lambda d: {**d, "__type": "https://errors", "code": name})),
)
_add(
    "query-authentication",
    "A right signature in the query is accepted, until it expires.",
    presigned(lambda request: is_right(request) and is_current(request)),
)
_add(
    "scope-default-PROFILE",
    "Put without Scope, PROFILE is read.",
    on_document(lambda d: {**d, "Scope": d.get("Scope") or "PROFILE"}),
)
_add(
    "numeric-code-beside-the-type",
    "Errors have their status as code in the body, beside the type in the header.",
    on_error(lambda a: changed(a.with_type(a.error_type), lambda d: {**d, "code": a.status})),
)
_add("names-twice", "Bodies name their last member twice.", every(_twice))
_add(
    "front-end-limits",
    "A front-end answers long paths 414 and bodies over 64 KiB 413, in HTML.",
    answers(lambda request: len(request.target) > 900, lambda _: _too_large(414)),
    answers(lambda request: len(request.body) > 65_536, lambda _: _too_large(413)),
)
