"""Servers that are wrong only now and then, only at first, or only for some."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from .kit import Build, Theme, bind, changed, drops, from_one, observes, on_answer, remembers, valid
from .messages import Answer, Forward, Handler, Request, Response, error

THEME = Theme("habit")
_add = THEME.add

Change = Callable[[Response], Answer]

# --- Now and then -------------------------------------------------------------------------------------------


def _counted(due: Callable[[int], bool], change: Change, statuses: range = range(200, 201)) -> Build:
    """Changes some answers, chosen by how many there were."""

    def counted(numbers: Iterator[int], request: Request, answer: Response) -> Answer:
        return change(answer) if answer.status in statuses and due(next(numbers)) else answer

    return observes(from_one)(counted)


def _without_updated(answer: Response) -> Response:
    return changed(answer, drops("LastUpdatedAt"))


def _untyped(answer: Response) -> Response:
    return answer.with_type(None)


_PROMPT = {"settings": {"latency-limit": 0.1}}
_SOUND = {"settings": {"fault-limit": 0.01}}


@THEME.mutant("slower-than-it-promises", "latency.limit", remembers(from_one), **_PROMPT)
def _dawdles(numbers: Iterator[int], request: Request, forward: Forward) -> Answer:
    """Every 20th answer takes 150 ms, where 100 ms are promised."""
    if next(numbers) % 20:
        return forward(request)
    time.sleep(0.15)
    return replace(forward(request))


@THEME.mutant("fails-more-than-it-promises", "faults.limit", remembers(from_one), **_SOUND)
def _fails(numbers: Iterator[int], request: Request, forward: Forward) -> Answer:
    """Every 20th request is answered 500, where 1 in 100 is promised."""
    return forward(request) if next(numbers) % 20 else error(500, "InternalServerException")


_ERRORS = range(400, 405)
_REQUIRED = "response.LastUpdatedAt.required"
for _every in (2, 3, 7, 20):
    THEME.add_stateful(
        f"member-missing-every-{_every}",
        f"Every {_every}th integration lacks LastUpdatedAt.",
        _REQUIRED,
        _counted(bind(_every, lambda every, number: number % every == 0), _without_updated),
    )
    THEME.add_stateful(
        f"type-missing-every-{_every}",
        f"Every {_every}th error lacks its type.",
        "error.type",
        _counted(bind(_every, lambda every, number: number % every == 0), _untyped, _ERRORS),
    )
THEME.add_stateful(
    "right-at-first",
    "Only the first integration is right.",
    _REQUIRED,
    _counted(lambda n: n > 1, _without_updated),
)
THEME.add_stateful(
    "wrong-at-first",
    "The first three integrations are wrong.",
    _REQUIRED,
    _counted(lambda number: number <= 3, _without_updated),
)
THEME.add_stateful(
    "worn-out",
    "After a hundred errors they lose their type.",
    "error.type",
    _counted(lambda number: number > 100, _untyped, _ERRORS),
)
THEME.add_stateful(
    "content-type-every-5",
    "Every fifth integration is declared as HTML.",
    "response.content-type",
    _counted(lambda number: number % 5 == 0, lambda answer: answer.with_header("Content-Type", "text/html")),
)
THEME.add_stateful(
    "fails-in-fours",
    "Of forty integrations four in a row are answered 500, whoever asks again.",
    "response.status request.valid response.echo.Uri",
    _counted(lambda number: number % 40 < 4, lambda _: error(500, "InternalServerException")),
)

# --- Only for some ------------------------------------------------------------------------------------------


def _for(when: Callable[[Request], bool], change: Change) -> Handler:
    return on_answer(lambda request, answer: change(answer) if valid(request) and when(request) else answer)


def _hash(request: Request) -> int:
    return zlib.crc32(request.domain.encode() + request.text.encode("utf-8", "surrogatepass"))


def _crash(answer: Response) -> Answer:
    return error(500, "InternalServerException")


for _share in (5, 10):
    _add(
        f"one-in-{_share}-crashes",
        f"One in {_share} keys is answered 500, always.",
        "request.valid request.Uri.maxLength missing.integration missing.domain request.DomainName.pattern",
        _for(bind(_share, lambda share, request: _hash(request) % share == 0), _crash),
    )
for _name, _description, _clauses, _when in (
    ("noncharacters", "a Uri with noncharacters", "request.valid", lambda r: "\ufffe" in r.text),
    ("one-character", "a Uri of one code point", "request.Uri.minLength", lambda r: len(r.text) == 1),
    ("longest-uri", "a Uri of 255 code points", "request.Uri.maxLength", lambda r: len(r.text) == 255),
    (
        "longest-name",
        "a domain name of 64 code points",
        "request.DomainName.maxLength",
        lambda r: len(r.domain) == 64,
    ),
    (
        "shortest-name",
        "a domain name of one code point",
        "request.DomainName.minLength",
        lambda r: len(r.domain) == 1,
    ),
    ("arn", "a Uri that is an ARN", "request.valid missing.integration", lambda r: r.text.startswith("arn:")),
    ("emoji", "a Uri with an emoji", "request.valid request.Uri.minLength", lambda r: "\U0001f600" in r.text),
):
    _add(f"crashes-for-{_name}", f"The answer to {_description} is 500.", _clauses, _for(_when, _crash))
    _add(
        f"untyped-for-{_name}",
        f"The error for {_description} has no type.",
        "error.type",
        _for(_when, lambda answer: _untyped(answer) if answer.status >= 400 else answer),
    )
