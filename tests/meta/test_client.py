"""The client signs as AWS does, sends requests byte for byte, and tells stray faults from lasting ones."""

from __future__ import annotations

import gzip
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from getintegration_contract.contract import Contract
from getintegration_contract.errors import BudgetExhausted, EndpointDown, Throttled
from getintegration_contract.exchange import Exchange, Request, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import OK, Expectation, Judge
from getintegration_contract.judging.ledger import Entry
from getintegration_contract.operations import (
    create_domain,
    delete_domain,
    delete_integration,
    get_domain,
    get_integration,
    list_domains,
    list_integrations,
    put_integration,
)
from getintegration_contract.redact import Redactor
from getintegration_contract.sending import client as clients
from getintegration_contract.sending.client import Client

from .conftest import RunSuite
from .support import (
    DESCRIPTION,
    Process,
    Received,
    Reply,
    Scripted,
    answered,
    emulator,
    forwarding,
    refused,
    suite,
)

CALLER = Identity("caller", "AKIAEXAMPLE", "secret/+=key")
TEMPORARY = Identity("temporary", "ASIAEXAMPLE", "secret/+=key", "token/+==\"quoted'&token")

Serve = Callable[[Any], Scripted]


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Makes clients, and closes them."""
    made: list[Client] = []

    def connect(url: str, **options: Any) -> Client:
        made.append(Client(url, "us-east-1", **options))
        return made[-1]

    yield connect
    for client in made:
        client.close()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backing off takes no time here."""
    monkeypatch.setattr(clients, "_backoff", lambda *_: 0.0)


# --- Signatures ---------------------------------------------------------------------------------------------


def _botocore_authorization(wire: Request, endpoint: str, identity: Identity, signing: Signing) -> str:
    """What botocore's own signer writes for the same request, date and headers."""
    headers = {name.lower(): value for name, value in wire.headers}
    signed = re.findall(r"SignedHeaders=([^,]+)", headers["authorization"])[0].split(";")
    request = AWSRequest(
        wire.method,
        endpoint + wire.target,
        {name: headers[name] for name in signed if name in headers},
        wire.body,
    )
    request.context["timestamp"] = headers["x-amz-date"]
    credentials = Credentials(identity.access_key, identity.secret_key, identity.session_token)
    auth = SigV4Auth(credentials, signing.service, signing.region or "us-east-1")
    signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    scope, names = auth.scope(request), ";".join(signed)
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"


def _normalised(authorization: str) -> str:
    return re.sub(r",\s*", ", ", authorization)


_text = st.text(st.characters(codec="utf-8"), max_size=12)
_odd = [".", "..", "...", "%2E", "%2e%2e", "a%2Fb", "a%5Cb", "%252e", "%00", "%FF", "caf%C3%A9", "caf%c3%a9"]
_odd += ["a%20b", "a+b", "a%2Bb", "a~b", "a*b", "a'b", "(a)", "a=b&c", "a:b@c", "a,b", "a!b$c", "", "%41%42"]
_segments = st.one_of(
    st.sampled_from(_odd), _text.map(lambda text: quote(text, safe="")), _text.map(lambda text: quote(text))
)
_targets = st.one_of(
    _segments.map(lambda segment: f"/domains/{segment}/integrations"),
    st.sampled_from(["/domains/a;b/integrations", "/domains/a%zz/integrations"]),
    st.lists(_segments, max_size=4).map(lambda segments: "/" + "/".join(segments)),
)
# Queries as RFC 3986 encodes them; for others there is no rule that signers agree on.
_words = _text.map(lambda text: quote(text, safe=""))
_queries = st.one_of(
    st.lists(st.tuples(_words, _words), max_size=4).map(
        lambda pairs: "?" + "&".join(f"{name}={value}" for name, value in pairs)
    ),
    st.sampled_from(["", "?", "?a", "?a=", "?=b", "?b=2&a=1", "?a=1&a=0", "?b=&B=&a", "?a=%20&A=%2F"]),
)
_values = st.sampled_from(["plain", " two  inner   spaces ", "a,b, c", 'quo"ted', "semi;colon", "tab\tbed"])
_identities = st.sampled_from([CALLER, TEMPORARY])
_signings = st.builds(
    Signing,
    region=st.sampled_from([None, "eu-central-1"]),
    service=st.sampled_from(["profile", "s3-like"]),
    skew=st.sampled_from([timedelta(), timedelta(hours=-25), timedelta(days=2)]),
)


@settings(
    max_examples=400,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    method=st.sampled_from(["POST", "GET", "PUT", "DELETE"]),
    target=_targets,
    query=_queries,
    body=st.one_of(st.binary(max_size=40), _text.map(str.encode)),
    value=_values,
    identity=_identities,
    signing=_signings,
)
def test_signatures_are_botocores(
    method: str, target: str, query: str, body: bytes, value: str, identity: Identity, signing: Signing
) -> None:
    client = Client("http://service.example:4566", "us-east-1")
    request = Request(
        method, target + query, (("Content-Type", "application/json"), ("X-Amz-Meta", value)), body
    )
    wire = client.sign(request, identity, signing)
    written = dict(wire.headers)["Authorization"]
    assert _normalised(written) == _botocore_authorization(wire, client.endpoint, identity, signing)
    assert (wire.target, wire.body, wire.method) == (request.target, body, method)
    assert dict(wire.headers).get("x-amz-security-token") == identity.session_token
    client.close()


def test_a_signature_covers_host_date_body_and_token() -> None:
    client = Client("http://service.example", "us-east-1")
    wire = client.sign(get_integration("d", "u"), TEMPORARY)
    signed = re.findall(r"SignedHeaders=([^,]+)", dict(wire.headers)["Authorization"])[0].split(";")
    assert {"host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "content-type"} <= set(
        signed
    )


def test_each_fault_of_signing_is_that_fault_alone(endpoint: Process, connect: Any) -> None:
    client = connect(endpoint.url)
    caller = Identity("caller", "AKIAEXAMPLECALLER001", "caller-EXAMPLE-secret-key-0123456789abcd")
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y%m%d")
    kind = "InvalidSignatureException"
    for signing, answer in (
        (Signing(), "ResourceNotFoundException"),
        (Signing(skew=timedelta(minutes=-4)), "ResourceNotFoundException"),
        (Signing(skew=timedelta(minutes=-6)), kind),
        (Signing(region="eu-central-1"), kind),
        (Signing(service="s3"), kind),
        (Signing(terminator="aws5_request"), kind),
        (Signing(scope_date=yesterday), kind),
        (Signing(tamper=lambda request: replace(request, body=b"{}")), kind),
    ):
        exchange = client.send(get_integration("unknown", "s3://u"), caller, signing)
        assert exchange.response.error_type == answer, signing


# --- The wire -----------------------------------------------------------------------------------------------

TARGETS = [
    "/domains/./integrations",
    "/domains/../integrations",
    "/domains/%2e/integrations",
    "/domains/%2E%2E/integrations",
    "/domains/a%2Fb/integrations",
    "/domains/a%2fb/integrations",
    "/domains//integrations",
    "//domains/a/integrations",
    "/domains/a%zz/integrations",
    "/domains/a%/integrations",
    "/domains/%00/integrations",
    "/domains/%FF/integrations",
    "/domains/caf%c3%a9/integrations",
    "/domains/a+b;c=d,e!f*g'h(i)/integrations/",
    "/domains/%41%7e~/integrations",
    "/domains/a/integrations?b=2&a=1&a=%20+",
    "/domains/a/integrations?",
    "/domains/a/integrations?x=/../y",
]


@pytest.mark.parametrize("identity", [CALLER, None], ids=["signed", "unsigned"])
def test_targets_arrive_as_they_are_meant(serve: Serve, connect: Any, identity: Identity | None) -> None:
    server = serve(found_or_not)
    client = connect(server.url)
    for target in TARGETS:
        exchange = client.send(replace(get_integration("a", "u"), target=target), identity)
        assert exchange.request.target == target
    assert [request.target for request in server.received] == TARGETS


def found_or_not(request: Received) -> Reply:
    """A script that answers anything."""
    return answered({"Uri": "u"})


BODIES = [b"", b"{}", b"\x00\xff\xfe", b'{"Uri": "\xc3\xa9"}', b"a\r\n\r\nb", b" " * 70_000]


def test_bodies_and_methods_arrive_as_they_are_meant(serve: Serve, connect: Any) -> None:
    server = serve(found_or_not)
    client = connect(server.url)
    for body in BODIES:
        client.send(get_integration("a", body=body), CALLER)
    for method in ("PATCH", "OPTIONS", "GET"):
        client.send(Request(method, "/domains"), CALLER)
    assert [request.body for request in server.received] == [*BODIES, b"", b"", b""]
    assert [request.method for request in server.received[-3:]] == ["PATCH", "OPTIONS", "GET"]


def test_nothing_is_added_but_what_http_needs(serve: Serve, connect: Any) -> None:
    server = serve(found_or_not)
    client = connect(server.url)
    client.send(Request("POST", "/", (("X-Odd-CASE", "1"),), b"{}"))
    client.send(Request("POST", "/"), CALLER)
    unsigned, signed = ([name for name, _ in request.headers] for request in server.received)
    http = {"Host", "Accept-Encoding", "Content-Length", "User-Agent"}
    assert set(unsigned) - http == {"X-Odd-CASE"}
    assert {name.lower() for name in set(signed) - http} == {
        "authorization",
        "x-amz-date",
        "x-amz-content-sha256",
    }


def test_what_was_tampered_with_arrives(serve: Serve, connect: Any) -> None:
    server = serve(found_or_not)
    signing = Signing(
        tamper=lambda request: replace(request, target="/x?y").with_headers(
            host="other.example", authorization=None
        )
    )
    connect(server.url).send(get_integration("a", "u"), CALLER, signing)
    (request,) = server.received
    assert (request.target, request.header("host"), request.header("authorization")) == (
        "/x?y",
        "other.example",
        "",
    )


def test_answers_are_kept_as_they_came(serve: Serve, connect: Any) -> None:
    packed = gzip.compress(b'{"Uri": 1}')
    headers = (("X-ODD-case", "1"), ("X-ODD-case", "2"), ("Content-Encoding", "gzip"))
    server = serve(lambda _: Reply(200, packed, headers, "Fine"))
    response = connect(server.url).send(get_integration("a", "u")).response
    assert (response.status, response.reason, response.body) == (200, "Fine", b'{"Uri": 1}')
    assert response.headers[:3] == headers


@pytest.mark.parametrize("location", ["/elsewhere", "http://[", "://", ""])
def test_a_redirect_is_an_answer(serve: Serve, connect: Any, location: str) -> None:
    server = serve(lambda _: Reply(307, b"", (("Location", location), ("Set-Cookie", "a=b"))))
    assert connect(server.url).send(get_integration("a", "u")).response.status == 307
    assert len(server.received) == 1


def test_one_connection_is_kept(serve: Serve, connect: Any) -> None:
    server = serve(lambda request: refused(404, "X") if request.uri == "1" else found_or_not(request))
    client = connect(server.url)
    for uri in "0123":
        client.send(get_integration("a", uri), CALLER)
    assert len({request.connection for request in server.received}) == 1


def test_a_proxy_is_asked_for_exactly_the_same(
    serve: Serve, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(found_or_not)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    client = connect("http://service.example")
    request = replace(get_integration("a", "u"), target="/domains/../%2e?a=%zz")
    assert client.send(request, CALLER).response.status == 200
    (received,) = proxy.received
    assert received.target == "http://service.example/domains/../%2e?a=%zz"
    assert received.header("host") == "service.example"


# --- Faults -------------------------------------------------------------------------------------------------


def script(*answers: Any) -> Callable[[Received], Any]:
    """Gives these answers in turn, the last one for ever."""
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


FINE = answered({"DomainName": "a", "Uri": "u", "CreatedAt": 1, "LastUpdatedAt": 1})
STRAY = {
    "a 503": (Reply(503, b"<html>"), "503"),
    "a typed 500": (refused(500, "InternalServerException"), "500"),
    "a dropped connection": (None, "the connection was closed without a whole answer"),
    "half a head": (
        b"HTTP/1.1 200 OK\r\nContent-Type: appli",
        "the connection was closed without a whole answer",
    ),
    "a head without an end": (
        b"HTTP/1.1 404 Not Found\r\nServer: x\r\n",
        "the connection was closed without a whole answer",
    ),
    "garbage": (b"garbage\r\n\r\n{}", "the answer is not HTTP"),
    "half an answer": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
        "the body ended before its Content-Length",
    ),
    "a 429": (refused(429, "ThrottlingException"), "429"),
    "throttling as 400": (refused(400, "ThrottlingException"), "429"),
}


def judged(exchange: Exchange) -> Entry:
    """What a checker makes of an exchange that should have found an integration."""
    entry = Entry("t")
    checker = Checker(Judge(Contract.load(DESCRIPTION)), entry, Redactor(), lambda _: True)
    checker.expect(exchange, Expectation("response.status", (OK,), "a", "u"))
    return entry


@pytest.mark.parametrize(("answer", "kind"), STRAY.values(), ids=STRAY.keys())
def test_a_stray_fault_is_counted_and_no_violation(
    serve: Serve, connect: Any, answer: Any, kind: str
) -> None:
    observed: list[Exchange] = []
    server = serve(script(answer, FINE))
    client = connect(server.url, observe=observed.append)
    exchange = client.send(get_integration("a", "u"), CALLER)
    assert exchange.response.status == 200
    assert exchange.faults == ((kind, 1),)
    assert client.sent == len(observed) == len(server.received) == 2
    assert (dict(client.faults), dict(judged(exchange).findings)) == ({kind: 1}, {})


@pytest.mark.parametrize(("answer", "kind"), STRAY.values(), ids=STRAY.keys())
def test_a_fault_that_persists_is_a_violation(serve: Serve, connect: Any, answer: Any, kind: str) -> None:
    server = serve(script(answer))
    client = connect(server.url)
    exchange = client.send(get_integration("a", "u"), CALLER)
    assert len(server.received) == (clients.THROTTLED_ATTEMPTS if kind == "429" else clients.ATTEMPTS)
    assert "response.status" in judged(exchange).findings
    assert not client.faults, "it is no transient fault"


def test_a_caller_who_is_throttled_for_good_ends_the_run(serve: Serve, connect: Any) -> None:
    server = serve(script(refused(429, "ThrottlingException")))
    client = connect(server.url)
    client.use_control(get_integration("a", "u"), CALLER)
    with pytest.raises(Throttled, match="throttles the caller and does not stop: lower --rate"):
        client.send(get_integration("a", "x"), CALLER)


def test_a_429_that_only_one_request_gets_is_an_answer_to_it(serve: Serve, connect: Any) -> None:
    server = serve(
        lambda request: refused(429, "ThrottlingException") if request.uri == "x" else found_or_not(request)
    )
    client = connect(server.url)
    client.use_control(get_integration("a", "u"), CALLER)
    exchange = client.send(get_integration("a", "x"), CALLER)
    assert "response.status" in judged(exchange).findings


def test_a_stray_fault_after_throttling_is_still_a_stray_one(serve: Serve, connect: Any) -> None:
    throttled, crash = refused(429, "ThrottlingException"), Reply(503)
    server = serve(script(throttled, throttled, throttled, crash, throttled, crash, FINE))
    exchange = connect(server.url).send(get_integration("a", "u"), CALLER)
    assert exchange.response.status == 200
    assert [kind for kind, _ in exchange.faults] == ["429", "429", "429", "503", "429", "503"]


def test_a_server_that_fails_in_changing_ways_fails(serve: Serve, connect: Any) -> None:
    server = serve(script(Reply(500), Reply(502), Reply(503), FINE))
    exchange = connect(server.url).send(get_integration("a", "u"), CALLER)
    assert exchange.response.status == 503
    assert "response.status" in judged(exchange).findings


def test_throttling_that_is_asked_for_is_not_repeated(serve: Serve, connect: Any) -> None:
    server = serve(script(refused(429, "ThrottlingException"), FINE))
    exchange = connect(server.url).send(get_integration("a", "u"), CALLER, throttled=True)
    assert (exchange.response.status, len(server.received)) == (429, 1)


def test_a_stray_fault_in_a_burst_is_repeated_at_once(
    serve: Serve, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(clients.time, "sleep", pauses.append)
    server = serve(script(Reply(503), refused(429, "ThrottlingException"), FINE))
    client = connect(server.url)
    exchange = client.send(get_integration("a", "u"), CALLER, throttled=True)
    assert (exchange.response.status, len(server.received)) == (429, 2)
    assert (dict(client.faults), pauses) == ({"503": 1}, [0.0])


def test_faults_of_siblings_are_their_clients(serve: Serve, connect: Any) -> None:
    server = serve(script(Reply(503), FINE))
    client = connect(server.url)
    client.sibling().send(get_integration("a", "u"), CALLER)
    assert client.faults == {"503": 1}


def test_a_repeat_is_dated_and_signed_anew(serve: Serve, connect: Any) -> None:
    server = serve(script(Reply(503), FINE))
    signing = Signing(tamper=lambda request: request.with_headers(x_count=str(len(server.received))))
    connect(server.url).send(get_integration("a", "u"), CALLER, signing)
    assert [request.header("x-count") for request in server.received] == ["0", "1"]


def test_an_endpoint_that_is_gone_is_told_from_a_request_it_cannot_answer(serve: Serve, connect: Any) -> None:
    server = serve(script(None))
    client = connect(server.url)
    assert client.send(get_integration("a", "u")).response.status == 0
    server.close()
    with pytest.raises(EndpointDown, match=f"nothing listens at {server.url}"):
        client.send(get_integration("a", "u"))


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints"])
def test_interim_answers_are_passed_over(serve: Serve, connect: Any, status: str) -> None:
    interim = f"HTTP/1.1 {status}\r\nLink: </a>\r\n\r\n".encode()
    server = serve(script(interim * 2 + FINE.encoded()))
    exchange = connect(server.url).send(get_integration("a", "u"))
    assert (exchange.response.status, exchange.faults) == (200, ())
    assert exchange.response.body == FINE.body


def test_many_headers_are_read(serve: Serve, connect: Any) -> None:
    many = b"".join(b"X-Header-%d: x\r\n" % number for number in range(200))
    server = serve(script(b"HTTP/1.1 200 OK\r\n" + many + b"Content-Length: 0\r\n\r\n"))
    response = connect(server.url).send(get_integration("a", "u")).response
    assert (response.status, len(response.headers)) == (200, 201)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1", "http://nowhere.invalid", "https://nowhere.invalid"]
)
def test_no_request_is_named_where_none_arrived(connect: Any, address: str) -> None:
    with pytest.raises(EndpointDown) as told:
        connect(address).send(get_integration("a", "u"), CALLER)
    assert str(told.value).startswith(f"nothing listens at {address}: ")
    assert "it took" not in str(told.value)


def test_the_request_that_a_server_dies_of_is_named(serve: Serve, connect: Any) -> None:
    def mortal(request: Received) -> None:
        server.close()

    server = serve(mortal)
    words = r"it took POST /domains/a/integrations with the body {.*}, and was gone"
    with pytest.raises(EndpointDown, match=words):
        connect(server.url).send(get_integration("a", "u"))


def test_backoff_is_short_for_stray_faults_and_bounded_for_throttling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    assert sum(clients._backoff(attempt, "503") for attempt in range(1, clients.ATTEMPTS)) < 0.2
    pauses = [clients._backoff(attempt, "429") for attempt in range(1, 30)]
    assert pauses[0] <= 1
    assert max(pauses) <= 20


# --- Bounds -------------------------------------------------------------------------------------------------


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        pytest.param(b"", b"", id="no answer"),
        pytest.param(_HEAD, b"", id="half a body"),
        pytest.param(_HEAD, b"x", id="body drop by drop"),
        pytest.param(b"HTTP/1.1 200 ", b"O", id="status line drop by drop"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-A: ", b"x", id="header drop by drop"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", id="headers without end"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="continue without end"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n", b"A: b\r\n", id="hints without end"),
    ],
)
def test_waiting_is_bounded(connect: Any, start: bytes, drop: bytes) -> None:
    with _Stalling(start, drop) as url:
        client = connect(url, timeout=0.2)
        started = time.monotonic()
        exchange = client.send(get_integration("a", "u"))
    assert time.monotonic() - started < 3
    assert (exchange.response.status, exchange.response.reason) == (0, "no answer within the time limit")


@pytest.mark.parametrize("size", [1, 2, 7])
def test_an_answer_in_small_pieces_is_read_whole(connect: Any, size: int) -> None:
    answer = b"HTTP/1.1 100 Continue\r\n\r\n" + FINE.encoded()
    with _Stalling(*(answer[at : at + size] for at in range(0, len(answer), size)), pause=0.0005) as url:
        exchange = connect(url, timeout=5).send(get_integration("a", "u"))
    assert (exchange.response.status, exchange.faults) == (200, ())
    assert exchange.response.body == FINE.body
    assert exchange.response.headers[:-1] == FINE.headers


class _Stalling:
    """A server that sends parts of an answer, the last of them again and again."""

    def __init__(self, *parts: bytes, pause: float = 0.02) -> None:
        self.parts, self.pause = parts, pause
        self.open = True

    def __enter__(self) -> str:
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def _accept(self) -> None:
        while self.open:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._stall, args=(connection,), daemon=True).start()

    def _stall(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for part in self.parts:
                    connection.sendall(part)
                    time.sleep(self.pause)
                while self.open:
                    connection.sendall(self.parts[-1])
                    time.sleep(self.pause)
            except OSError:
                pass

    def __exit__(self, *error: object) -> None:
        self.open = False
        self.listener.close()


def test_every_attempt_takes_part_of_the_budget(serve: Serve, connect: Any) -> None:
    def acquire(limited: bool, writing: bool) -> None:
        taken.append(limited)
        if len(taken) > 3:
            raise BudgetExhausted("spent")

    taken: list[bool] = []
    server = serve(script(Reply(503), FINE, Reply(503)))
    client = connect(server.url, acquire=acquire)
    client.send(get_integration("a", "u"))
    with pytest.raises(BudgetExhausted):
        client.send(get_integration("a", "u"))
    assert (len(taken), len(server.received)) == (4, 3), "repeats count, what is not sent does not"
    assert client.faults == {"503": 2}, "what was seen before the end is not lost"


@pytest.mark.parametrize(
    ("request_", "writing"),
    [
        (get_integration("a", "u"), False),
        (list_domains("t"), False),
        (list_integrations("a"), False),
        (get_domain("a"), False),
        (create_domain("a"), True),
        (delete_domain("a"), True),
        (put_integration("a", "u"), True),
        (delete_integration("a", "u"), True),
    ],
)
def test_the_budget_is_told_of_what_writes(
    serve: Serve, connect: Any, request_: Request, writing: bool
) -> None:
    told: list[bool] = []
    client = connect(serve(lambda _: FINE).url, acquire=lambda limited, writing: told.append(writing))
    client.send(request_)
    client.sibling().send(request_)
    assert told == [writing, writing]


# --- Whole runs ---------------------------------------------------------------------------------------------


def test_a_run_through_stray_faults_upholds_and_counts_them(
    run_suite: RunSuite, serve: Serve, endpoint: Process
) -> None:
    forward, count = forwarding(endpoint.url), iter(range(1_000_000))
    faults = {10: Reply(503), 30: None, 50: refused(429, "ThrottlingException"), 70: Reply(500)}

    def stray(request: Received) -> Any:
        number = next(count)
        return faults[number] if number in faults else forward(request)

    result = run_suite(suite("missing"), suite("valid"), "--endpoint-url", serve(stray).url)
    assert result.status == 0, result.output
    counted = {"429": 1, "500": 1, "503": 1, "the connection was closed without a whole answer": 1}
    assert result.report["run"]["faults"] == counted
    assert "each was repeated" in result.stdout
    (finding,) = (each for each in result.report["findings"] if each["clause"] == "transport.stray-faults")
    assert not finding["gating"]
    assert finding["exchange"]["response"]["status"] in (500, 503)
    assert finding["actual"].startswith(f"2 of {result.report['run']['requests']} requests")


def test_a_slow_endpoint_is_sent_a_burst_side_by_side(
    run_suite: RunSuite, serve: Serve, endpoint: Process, target_file: Any
) -> None:
    forward = forwarding(endpoint.url)

    def slowly(request: Received) -> Reply:
        time.sleep(0.15)
        return forward(request)

    target = target_file(f'endpoint-url = "{serve(slowly).url}"')
    result = run_suite(suite("throttling"), "--target", target)
    assert (result.status, result.outcomes["throttling.occurs"]) == (0, "upheld"), result.output


def test_an_endpoint_that_dies_makes_the_run_indeterminate(
    run_suite: RunSuite, serve: Serve, closing: Any
) -> None:
    backend = closing(emulator())
    forward = forwarding(backend.url)

    def mortal(request: Received) -> Reply:
        if len(server.received) > 60:
            server.close()
            raise ConnectionError
        return forward(request)

    server = serve(mortal)
    result = run_suite(suite("missing"), suite("valid"), "--endpoint-url", server.url, "-n", "2")
    assert result.status == 6, result.output
    assert f"nothing listens at {server.url}" in result.stdout
    assert "(tests/contract/test_" in result.stdout
    assert result.report["verdict"] == "indeterminate"
    assert result.report["findings"] == []
    assert "indeterminate" in result.outcomes.values()
    assert "Traceback" not in result.output
