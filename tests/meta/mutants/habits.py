"""Servers that are wrong only now and then, only at first, or only for some."""

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from .errors import untyped
from .fates import CRASH
from .kit import (
    Theme,
    changed,
    drops,
    for_some,
    from_one,
    headed,
    now_and_then,
    observes,
    of_domain,
    of_uri,
    remembers,
    valid,
)
from .messages import Answer, Forward, Handler, Raw, Request, Response

THEME = Theme("habit")

Change = Callable[[Response], Answer]

# --- Now and then -------------------------------------------------------------------------------------------


def _counted(due: Callable[[int], bool], change: Change, statuses: range = range(200, 201)) -> Handler:
    """Changes some answers, chosen by how many there were."""

    def counted(numbers: Iterator[int], request: Request, answer: Response) -> Answer:
        return change(answer) if answer.status in statuses and due(next(numbers)) else answer

    return observes(from_one)(counted)


def _each(every: int) -> Callable[[int], bool]:
    return lambda number: number % every == 0


def _without_updated(answer: Response) -> Response:
    return changed(answer, drops("LastUpdatedAt"))


def _dawdles(answer: Response) -> Response:
    time.sleep(0.15)
    return replace(answer)


THEME.with_(settings={"latency-limit": 0.1})["latency.limit"] = {
    "slower-than-it-promises: Every 20th integration takes 150 ms, where 100 ms are promised.": _counted(
        _each(20), _dawdles
    )
}
# Where 1 in 100 is promised.
THEME.with_(settings={"fault-limit": 0.01})["faults.limit"] = {
    "fails-more-than-it-promises: Every 20th request is answered 500.": now_and_then(20, CRASH),
    "drops-more-than-it-promises: Every 5th request is dropped.": now_and_then(5, Raw(b"", "close")),
}
_ERRORS = range(400, 405)
_REQUIRED = "response.LastUpdatedAt.required"
for _every in (2, 3, 7, 20):
    THEME[_REQUIRED] = {
        f"member-missing-every-{_every}: Every {_every}th integration lacks LastUpdatedAt.": _counted(
            _each(_every), _without_updated
        )
    }
    THEME["error.type"] = {
        f"type-missing-every-{_every}: Every {_every}th lacks it.": _counted(_each(_every), untyped, _ERRORS)
    }
THEME[_REQUIRED] = {
    "right-at-first: Only the first integration is right.": _counted(lambda n: n > 1, _without_updated),
    "wrong-at-first: The first three integrations are wrong.": _counted(lambda n: n <= 3, _without_updated),
}
THEME["error.type"] = {
    "worn-out: After a hundred errors they lose their type.": _counted(lambda n: n > 100, untyped, _ERRORS)
}
THEME["response.content-type"] = {
    "content-type-every-5: Every fifth is HTML.": _counted(_each(5), headed("Content-Type", "text/html"))
}
THEME["response.status request.valid response.echo.Uri"] = {
    "fails-in-fours: Of forty integrations four in a row are answered 500, whoever asks again.": _counted(
        lambda number: number % 40 < 4, lambda _: CRASH
    )
}


@THEME.mutant("restarts-for-emoji", "request.valid request.Uri.minLength transport.answers", remembers(list))
def _restarts(crashes: list[float], request: Request, forward: Forward) -> Answer:
    """A Uri with an emoji ends the server, which is there again half a second later."""
    if valid(request) and "\U0001f600" in request.text:
        crashes.append(time.monotonic())
    is_away = bool(crashes) and time.monotonic() - crashes[-1] < 0.5
    return Raw(b"", "close") if is_away else forward(request)


# --- Only for some ------------------------------------------------------------------------------------------


def _hash(request: Request) -> int:
    return zlib.crc32(request.domain.encode() + request.text.encode("utf-8", "surrogatepass"))


_ANY = "request.valid request.Uri.maxLength missing.integration missing.domain request.DomainName.pattern"
THEME[_ANY] = {
    f"one-in-{share}-crashes: One in {share} keys is answered 500, always.": for_some(
        lambda r, share=share: valid(r) and _hash(r) % share == 0, lambda _: CRASH
    )
    for share in (5, 10)
}
for _name, _description, _clauses, _when in (
    ("noncharacters", "a Uri with noncharacters", "valid", of_uri(lambda uri: "\ufffe" in uri)),
    ("one-character", "a Uri of one code point", "Uri.minLength", of_uri(lambda uri: len(uri) == 1)),
    ("longest-uri", "a Uri of 255 code points", "Uri.maxLength", of_uri(lambda uri: len(uri) == 255)),
    ("longest-name", "a name of 64 code points", "DomainName.maxLength", of_domain(lambda n: len(n) == 64)),
    ("shortest-name", "a name of one code point", "DomainName.minLength", of_domain(lambda n: len(n) == 1)),
    ("arn", "a Uri that is an ARN", "valid missing.integration", of_uri(lambda uri: uri.startswith("arn:"))),
    ("emoji", "a Uri with an emoji", "valid request.Uri.minLength", of_uri(lambda uri: "\U0001f600" in uri)),
):
    THEME[f"request.{_clauses}"] = {
        f"crashes-for-{_name}: The answer to {_description} is 500.": for_some(_when, lambda _: CRASH)
    }
    THEME["error.type"] = {
        f"untyped-for-{_name}: The error for {_description} has no type.": for_some(
            _when, lambda a: untyped(a) if a.status >= 400 else a
        )
    }
