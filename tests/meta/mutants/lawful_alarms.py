"""Lawful habits that once raised an alarm."""

import json
import math
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from .credentials import age
from .excuses import serves_claims
from .fates import page
from .kit import Theme, always, answers, chain, changed, on_answer, on_document, on_error, rejects, remembers
from .lawful_forms import GIVEN, NOTHING, every, only, rewritten, times, typed
from .messages import DELETE, DELETE_DOMAIN, PUT, Answer, Forward, Handler, Raw, Request, Response, error
from .official import is_current, is_right, presigned
from .signing import CALLER, fits, is_by, resigned
from .wire import serialise
from .writes import Document, History, Key, Past, key, reads

THEME = Theme("lawful-alarm")

_REQUIRED = ("DomainName", "Uri", "CreatedAt", "LastUpdatedAt")


def _shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        items = list(value.items())
        random.shuffle(items)
        return {name: _shuffled(entry) for name, entry in items}
    return value


def _tags(combine: Callable[[Document, Document], Document]) -> Handler:
    """What tags an update leaves is made of the old and the new ones, as its answer says."""

    def handler(kept: dict[Key, Document], request: Request, forward: Forward) -> Answer:
        place = key(request)
        if request.operation == PUT and place in kept and request.members:
            tags = combine(kept[place], request.members.get("Tags") or {})
            request = resigned(request.edited(Tags=tags))
        answer = forward(request)
        if answer.status == 200 and request.operation == PUT:
            kept[place] = request.document.get("Tags") or {}
        elif answer.status == 200 and request.operation == DELETE:
            kept.pop(place, None)
        elif answer.status == 200 and request.operation == DELETE_DOMAIN:
            for gone in [other for other in kept if other[0] == request.domain]:
                kept.pop(gone, None)
        return answer

    return remembers(dict)(handler)


def _zeros(answer: Response) -> Answer:
    return Raw(serialise(answer).replace(b"Content-Length: ", b"Content-Length: 000", 1), "keep")


def _wide_chunk(answer: Response) -> Answer:
    data = answer.body
    head = serialise(answer).partition(b"\r\n\r\n")[0].split(b"\r\n")
    kept = [line for line in head if not line.lower().startswith((b"content-length", b"transfer-encoding"))]
    chunks = b"%020x\r\n%s\r\n" % (len(data), data) if data else b""
    return Raw(b"\r\n".join([*kept, b"Transfer-Encoding: chunked", b"", chunks]) + b"0\r\n\r\n", "keep")


def _with_members(answer: Response, members: bytes) -> Response:
    """Further members, as bytes, in every JSON object that is answered."""
    if not isinstance(answer.document, dict):
        return answer
    begun = answer.content.rstrip()[:-1]
    return answer.with_body(begun + (b", " if answer.document else b"") + members + b"}")


def _twice(answer: Response) -> Response:
    """The last member again, with the same value."""
    if not answer.members:
        return answer
    name, value = list(answer.members.items())[-1]
    return _with_members(answer, f"{json.dumps(name)}: {json.dumps(value)}".encode())


def _unless_head(change: Callable[[Response], Answer]) -> Handler:
    return on_answer(lambda r, answer: answer if r.method == "HEAD" else change(answer), always)


THEME[NOTHING] = {
    "members-in-any-order: Their order is random.": rewritten(lambda d: json.dumps(_shuffled(d)).encode()),
    "no-deletion: Nothing can be deleted, which is answered 404.": only(
        lambda r: r.operation not in (DELETE, DELETE_DOMAIN), error(404, "UnknownOperationException")
    ),
}


@THEME.mutant("scope-ignored", NOTHING)
def _without_scope(request: Request, forward: Forward) -> Answer:
    """PutIntegration ignores Scope, which its page does not have."""
    if request.operation == PUT and "Scope" in request.members:
        kept = {name: value for name, value in request.members.items() if name != "Scope"}
        return forward(resigned(request.with_document(kept)))
    return forward(request)


THEME[NOTHING] = {
    "tags-merged: Tags of an update are added to those there are.": _tags(lambda old, new: old | new),
    "tags-kept: Tags of an update are ignored.": _tags(lambda old, new: old),
    "tags-merged-unsaid: Tags are added, and the answer to an update has no optional member.": chain(
        on_document(lambda d: {name: d[name] for name in _REQUIRED}, lambda r: r.operation == PUT),
        _tags(lambda old, new: old | new),
    ),
}

_LONE, _LONG = b'"\\ud800"', b"1" * 5000


class _Own(Past):
    """The writes of all but the other account, whose domains are others, of whatever name."""

    def remember(self, request: Request) -> None:
        if not is_by(request, "other-account"):
            super().remember(request)


def _of_the_domain(history: History, answer: Response) -> Answer:
    moments = history.past.times.items()
    written = [times[-1] for (domain, _), times in moments if domain == history.request.domain]
    if answer.status != 200 or not written:
        return answer
    return answer.edited(LastUpdatedAt=max(*written, answer.document["LastUpdatedAt"]))


THEME[NOTHING] = {
    "domain-edited: LastUpdatedAt is that of the domain.": reads(_of_the_domain, _Own),
    "quarters-of-a-second: The clock ticks four times a second.": times(lambda t: math.floor(t * 4) / 4),
    "seconds-and-a-half: Whole seconds, with a fraction of .5.": times(lambda t: math.floor(t) + 0.5),
    "nul-rejected: NUL in a Uri is invalid.": rejects(lambda r: "\0" in r.text),
    "token-for-permanent-ignored: A token with permanent credentials is ignored.": serves_claims(
        lambda r, c: c.identity == CALLER and fits(r) and bool(r.header("x-amz-security-token"))
    ),
    "content-length-with-zeros: Lengths begin with zeros.": _unless_head(_zeros),
    "chunk-size-with-zeros: Sizes of chunks begin with many zeros.": _unless_head(_wide_chunk),
    "gzip-unasked: Every body is compressed, whether clients accept it or not.": every(Response.gzipped),
    "clock-window-of-15-minutes: X-Amz-Date may be fifteen minutes off.": serves_claims(
        lambda r, c: (
            c.identity == CALLER
            and timedelta(minutes=5) < abs(age(r) or timedelta()) <= timedelta(minutes=15)
            and c.date == (r.header("x-amz-date") or "")[:8]
            and fits(r)
        )
    ),
    "surrogates-escaped: Messages and unknown members hold an escaped lone surrogate.": every(
        lambda a: _with_members(a, b'"message": %b, "Other": [%b]' % (_LONE, _LONE))
    ),
    "numbers-of-5000-digits: Unknown members hold numbers that no float can.": every(
        lambda a: _with_members(a, b'"Other": [%b, -1e999, 0.%b]' % (_LONG, _LONG))
    ),
}
THEME.with_(**GIVEN)[NOTHING] = {
    f"role-of-{partition}: The role is one of the partition {partition}.": on_document(
        lambda d, name=partition: {**d, "RoleArn": f"arn:{name}:iam::123456789012:role/r"}
    )
    for partition in ("aws-us-gov", "aws-cn", "aws-iso-b")
}
THEME[NOTHING] = {
    "type-as-code-before-__type: The type is code, and __type something else.": typed(
        lambda a, name: changed(a, lambda d: {**d, "__type": "https://errors", "code": name})
    ),
    "query-authentication: A right signature in the query is accepted, until it expires.": presigned(
        lambda r: is_right(r) and is_current(r)
    ),
    "scope-default-PROFILE: Put without Scope, PROFILE is read.": on_document(
        lambda d: {**d, "Scope": d.get("Scope") or "PROFILE"}
    ),
    "numeric-code-beside-the-type: Errors have their status as code in the body.": on_error(
        lambda a: changed(a.with_type(a.error_type), lambda d: {**d, "code": a.status})
    ),
    "names-twice: Bodies name their last member twice.": every(_twice),
    "front-end-limits: A front-end answers long paths 414 and bodies over 64 KiB 413, in HTML.": chain(
        answers(lambda r: len(r.target) > 900, page(414)), answers(lambda r: len(r.body) > 65_536, page(413))
    ),
}
