"""For each request of a gate run, two servers written apart agree on status and error type.

Or a ruling says why they may differ, for one kind of request and one pair of answers.
"""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from .mutants.bases import BaseServer
from .mutants.catalogue import MUTANTS
from .mutants.jobs import target_file
from .mutants.kit import When, is_get, valid
from .mutants.messages import MISSING, PUT, Answer, Forward, Request
from .mutants.proxy import Base, Proxy
from .mutants.signing import is_by, resigned
from .support import Result


def _unreadable(request: Request) -> bool:
    """What no deserialiser makes a Uri of."""
    uri = request.uri
    is_text = isinstance(uri, str) and not any("\ud800" <= character <= "\udfff" for character in uri)
    read = isinstance(request.document, dict) and (uri is MISSING or uri is None or is_text)
    return is_get(request) and bool(request.body) and not read


def _has_other_media_type(request: Request) -> bool:
    return is_get(request) and request.media_type != "application/json"


def _readable_in_another(request: Request) -> bool:
    return _has_other_media_type(request) and valid(request)


def _has_an_empty_collection(request: Request) -> bool:
    members = request.members
    return request.operation == PUT and (members.get("Tags") == {} or members.get("EventTriggerNames") == [])


def _of_few(request: Request) -> bool:
    return is_get(request) and is_by(request, "low-quota")


_UNREAD, _BAD = "400 SerializationException", "400 BadRequestException"
_NO_ROUTE, _MEDIA_TYPE = "404 UnknownOperationException", "415 UnsupportedMediaTypeException"
_DENIED, _THROTTLED = "403 AccessDeniedException", "429 ThrottlingException"
#: What the emulator and the second server answer, both lawful, and to which requests.
RULINGS: dict[tuple[str, str], When] = {
    # restJson1 has the first for what cannot be read, the operation declares the second only.
    (_UNREAD, _BAD): _unreadable,
    # A gateway may decode or normalise a name before it routes.
    (_BAD, _NO_ROUTE): lambda r: r.method == "POST" and (r.domain in ("", ".", "..") or "/" in r.domain),
    # 415 in the protocol's tests; many services ignore the header.
    ("200", _MEDIA_TYPE): _readable_in_another,
    ("404 ResourceNotFoundException", _MEDIA_TYPE): _readable_in_another,
    (_UNREAD, _MEDIA_TYPE): lambda request: _has_other_media_type(request) and _unreadable(request),
    # Bad input of an identity without permission: the order of the two checks is nowhere said.
    (_DENIED, _BAD): lambda r: is_by(r, "unauthorized") and (_unreadable(r) or not valid(r)),
    # No operation has this method: API Gateway answers 403, others 405.
    ("405 MethodNotAllowedException", "403 MissingAuthenticationTokenException"): (
        lambda r: r.method in ("PATCH", "HEAD", "OPTIONS") and r.path.endswith("/integrations")
    ),
    # A path that is neither the signed one nor an operation's: what comes first is nowhere said.
    ("403 InvalidSignatureException", _NO_ROUTE): lambda request: request.path.endswith("/integrations/"),
    # Below the model's minimum, but real accounts show Tags {}: see the contract's rulings.
    (_BAD, "200"): _has_an_empty_collection,
    # The quotas of low-quota differ.
    ("200", _THROTTLED): _of_few,
    (_THROTTLED, "200"): _of_few,
}
#: Those that depend on time.
SOMETIMES = {("200", _THROTTLED), (_THROTTLED, "200")}


def is_ruled(answers: tuple[str, str], request: Request) -> bool:
    """Whether a ruling says that both answers to the request are lawful."""
    return answers in RULINGS and RULINGS[answers](request)


class Both:
    """A handler that asks both, one request at a time, so that both see the same order of events."""

    def __init__(self, second: str) -> None:
        self._second = Base(second)
        self._lock = threading.Lock()
        self.asked = 0
        #: What was answered otherwise by the second, and to which request.
        self.found: list[tuple[tuple[str, str], Request]] = []

    def __call__(self, request: Request, forward: Forward) -> Answer:
        with self._lock:
            answer, other = forward(request), self._second.ask(request)
            self.asked += 1
            one, two = (f"{each.status} {each.error_type or ''}".strip() for each in (answer, other))
            if one != two:
                self.found.append(((one, two), request))
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
    assert (proxy.changed, proxy.faults) == (0, 0), "the proxy alone changes nothing"
    assert [
        (*answers, request.method, request.target[:100], request.body[:100], request.headers)
        for answers, request in both.found
        if not is_ruled(answers, request)
    ] == []
    assert RULINGS.keys() - SOMETIMES - {answers for answers, _ in both.found} == set(), "not needed"


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
    assert not is_ruled((emulator, second), request)
