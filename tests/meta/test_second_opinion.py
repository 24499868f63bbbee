"""For each request of a gate run, two servers written apart agree on status and error type.

Or a ruling says why they may differ, for one kind of request and one pair of answers.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .mutants.bases import BaseServer
from .mutants.catalogue import MUTANTS
from .mutants.jobs import target_file
from .mutants.kit import When, is_get, valid
from .mutants.messages import MISSING, PUT, Answer, Forward, Request, Response
from .mutants.proxy import Base, Proxy
from .mutants.signing import is_by, resigned
from .support import Result


@dataclass(frozen=True)
class Ruling:
    """Both answers to a kind of request are lawful; ``sometimes`` where it depends on time."""

    emulator: str
    second: str
    when: When
    sometimes: bool = False


def _unreadable(request: Request) -> bool:
    """What no deserialiser makes a Uri of."""
    text = request.uri is MISSING or request.uri is None or isinstance(request.uri, str)
    read = isinstance(request.document, dict) and text
    return is_get(request) and bool(request.body) and not (read and _is_text(request.text))


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _seen_by_routing(request: Request) -> bool:
    """Names that a gateway decodes or normalises before it routes."""
    name = request.domain
    return request.method == "POST" and (name in ("", ".", "..") or "/" in name)


def _declared_otherwise(request: Request) -> bool:
    media_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    return is_get(request) and media_type != "application/json"


def _denied(request: Request) -> bool:
    """Bad input of an identity without permission."""
    return is_by(request, "unauthorized") and (_unreadable(request) or not valid(request))


def _empty_collections(request: Request) -> bool:
    document = request.document
    empty = isinstance(document, dict) and (
        document.get("Tags") == {} or document.get("EventTriggerNames") == []
    )
    return request.operation == PUT and empty


def _of_few(request: Request) -> bool:
    return is_get(request) and is_by(request, "low-quota")


_UNREAD, _BAD = "400 SerializationException", "400 BadRequestException"
_NO_ROUTE, _MEDIA_TYPE = "404 UnknownOperationException", "415 UnsupportedMediaTypeException"
_DENIED, _THROTTLED = "403 AccessDeniedException", "429 ThrottlingException"
RULINGS = (
    # restJson1 has the first for what cannot be read, the operation declares the second only.
    Ruling(_UNREAD, _BAD, _unreadable),
    # A gateway may decode before it routes.
    Ruling(_BAD, _NO_ROUTE, _seen_by_routing),
    # 415 in the protocol's tests; many services ignore the header.
    Ruling("200", _MEDIA_TYPE, lambda request: _declared_otherwise(request) and valid(request)),
    Ruling("404 ResourceNotFoundException", _MEDIA_TYPE, lambda r: _declared_otherwise(r) and valid(r)),
    Ruling(_UNREAD, _MEDIA_TYPE, lambda request: _declared_otherwise(request) and _unreadable(request)),
    # The order of the two checks is nowhere said.
    Ruling(_DENIED, _BAD, _denied),
    # No operation has this method: API Gateway answers 403, others 405.
    Ruling(
        "405 MethodNotAllowedException",
        "403 MissingAuthenticationTokenException",
        lambda r: r.method in ("PATCH", "HEAD", "OPTIONS") and r.path.endswith("/integrations"),
    ),
    # A path that is neither the signed one nor an operation's: what comes first is nowhere said.
    Ruling("403 InvalidSignatureException", _NO_ROUTE, lambda r: r.path.endswith("/integrations/")),
    # Below the model's minimum, but real accounts show Tags {}: see the contract's rulings.
    Ruling(_BAD, "200", _empty_collections),
    # The quotas of low-quota differ.
    Ruling("200", _THROTTLED, _of_few, sometimes=True),
    Ruling(_THROTTLED, "200", _of_few, sometimes=True),
)


@dataclass(frozen=True)
class Disagreement:
    """A request that the emulator and the second server answer differently."""

    request: Request
    emulator: str
    second: str

    def is_ruled_by(self, ruling: Ruling) -> bool:
        alike = (self.emulator, self.second) == (ruling.emulator, ruling.second)
        return alike and ruling.when(self.request)


def _verdict(answer: Response) -> str:
    return f"{answer.status} {answer.error_type or ''}".strip()


class Both:
    """A handler that asks both, one request at a time, so that both see the same order of events."""

    def __init__(self, second: str) -> None:
        self._second = Base(second)
        self._lock = threading.Lock()
        self.asked = 0
        self.found: list[Disagreement] = []

    def __call__(self, request: Request, forward: Forward) -> Answer:
        with self._lock:
            answer, other = forward(request), self._second.ask(request)
            self.asked += 1
            if _verdict(answer) != _verdict(other):
                self.found.append(Disagreement(request, _verdict(answer), _verdict(other)))
        return answer


def test_the_servers_agree_or_a_ruling_says_why_not(run_suite: Callable[..., Result], tmp_path: Path) -> None:
    with BaseServer("emulator") as emulator, BaseServer("second") as second:
        both = Both(second.url)
        target = tmp_path / "target.toml"
        target.write_text(target_file(MUTANTS[0]), encoding="utf-8")
        with Proxy(emulator.url, both) as proxy:
            result = run_suite("--endpoint-url", proxy.url, "--target", target, "--max-examples", "100")
    assert result.status == 0, result.stdout
    assert both.asked > 1000
    assert (proxy.count.changed, proxy.count.faults) == (0, 0), "the proxy alone changes nothing"
    unruled = [found for found in both.found if not any(map(found.is_ruled_by, RULINGS))]
    assert [_shown(found) for found in unruled] == []
    needed = [ruling for ruling in RULINGS if not ruling.sometimes]
    assert [rule for rule in needed if not any(found.is_ruled_by(rule) for found in both.found)] == []


#: Pairs of answers that a ruling names, to a request of another kind.
OTHER_KINDS = [
    ("200", "404 ResourceNotFoundException", "Alone", b'{"Uri": "s3://alone"}'),
    (_UNREAD, _BAD, "Alone", b'{"Uri": "%s"}' % (b"u" * 256)),
    (_BAD, _UNREAD, "Alone", b"{"),
    (_BAD, _NO_ROUTE, "not%20a%20name", b'{"Uri": "s3://alone"}'),
    ("200", _MEDIA_TYPE, "Alone", b'{"Uri": "s3://alone"}'),
    (_DENIED, _BAD, "Alone", b'{"Uri": ""}'),
    ("200", _THROTTLED, "Alone", b'{"Uri": "s3://alone"}'),
]


@pytest.mark.parametrize(("emulator", "second", "domain", "body"), OTHER_KINDS)
def test_a_ruling_is_for_one_kind_of_request(emulator: str, second: str, domain: str, body: bytes) -> None:
    headers = (("Host", "127.0.0.1"), ("Content-Type", "application/json"))
    request = resigned(Request("POST", f"/domains/{domain}/integrations", headers, body))
    assert not any(Disagreement(request, emulator, second).is_ruled_by(ruling) for ruling in RULINGS)


def _shown(found: Disagreement) -> tuple[Any, ...]:
    request = found.request
    return (
        found.emulator,
        found.second,
        request.method,
        request.target[:100],
        request.body[:100],
        request.headers,
    )
