"""The client sends requests byte for byte, and tells stray faults from lasting ones."""

import gzip
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from getintegration_contract.errors import EndpointDown, EnvironmentFault
from getintegration_contract.exchange import Exchange, Request, Signing
from getintegration_contract.judging.judge import OK, Expectation
from getintegration_contract.judging.ledger import Entry
from getintegration_contract.operations import get_integration
from getintegration_contract.sending import client as clients

from .conftest import RunSuite, Serve
from .exchanges import checking
from .mutants.messages import Forward, Raw, Response, error, ok
from .mutants.messages import Request as Received
from .odd_requests import odd_requests
from .support import CALLER, Process, suite


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backing off takes no time here."""
    monkeypatch.setattr(clients, "_backoff", lambda *_: 0.0)


def script(*answers: Any) -> Callable[[Received], Any]:
    """Gives these answers in turn, the last one for ever."""
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


# --- The wire -----------------------------------------------------------------------------------------------

#: Answers anything.
ANY = ok({"Uri": "u"})


def test_requests_arrive_as_they_are_meant_on_one_connection(against: Any) -> None:
    client, server = against(lambda request: error(404, "X") if request.body == b"{" else ANY)
    sent = [Request(method, target, (), body) for _, (method, target, body, _) in odd_requests(0, 200)]
    sent += [get_integration("a", body=body) for body in (b"a\r\n\r\nb", b" " * 70_000)]
    sent += [Request(method, "/domains/a/integrations?x=/../y&b=%20+") for method in ("PATCH", "OPTIONS")]
    for identity in (CALLER, None):
        for request in sent:
            assert client.send(request, identity).request.target == request.target
    received = [(request.method, request.target, request.body) for request in server.received]
    assert received == [(request.method, request.target, request.body) for request in sent] * 2
    assert len({request.connection for request in server.received}) == 1


def test_nothing_is_added_but_what_http_and_signing_need(against: Any) -> None:
    client, server = against(lambda _: ANY)
    client.send(Request("POST", "/", (("X-Odd-CASE", "1"),), b"{}"))
    client.send(Request("POST", "/"), CALLER)
    unsigned, signed = ({name for name, _ in request.headers} for request in server.received)
    http = {"Host", "Accept-Encoding", "Content-Length", "User-Agent"}
    assert unsigned - http == {"X-Odd-CASE"}
    needed = {"authorization", "x-amz-date", "x-amz-content-sha256"}
    assert {name.lower() for name in signed - http} == needed


def test_answers_are_kept_as_they_came(against: Any) -> None:
    packed = gzip.compress(b'{"Uri": 1}')
    headers = (("X-ODD-case", "1"), ("X-ODD-case", "2"), ("Content-Encoding", "gzip"))
    many = tuple((f"X-Header-{number}", "x") for number in range(200))
    client, _ = against(lambda _: Response(200, (*headers, *many), packed, "Fine"))
    response = client.send(get_integration("a", "u")).response
    assert (response.status, response.reason, response.body) == (200, "Fine", b'{"Uri": 1}')
    assert response.headers[:-2] == (*headers, *many)


def test_a_redirect_is_an_answer(against: Any) -> None:
    places = ["/elsewhere", "http://[", "://", ""]
    answers = [Response(307, (("Location", each), ("Set-Cookie", "a=b"))) for each in places]
    client, server = against(script(*answers))
    assert [client.send(get_integration("a", "u")).response.status for _ in places] == [307] * len(places)
    assert len(server.received) == len(places)


def test_a_proxy_is_asked_for_exactly_the_same(
    serve: Serve, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(lambda _: ANY)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    request = replace(get_integration("a", "u"), target="/domains/../%2e?a=%zz")
    assert connect("http://service.example").send(request, CALLER).response.status == 200
    (received,) = proxy.received
    assert received.target == "http://service.example/domains/../%2e?a=%zz"
    assert received.header("host") == "service.example"


# --- Faults -------------------------------------------------------------------------------------------------


FINE = ok({"DomainName": "a", "Uri": "u", "CreatedAt": 1, "LastUpdatedAt": 1})
CUT = "the connection was closed without a whole answer"
STRAY = {
    "a 503": (Response(503, body=b"<html>"), "503"),
    "a typed 500": (error(500, "InternalServerException"), "500"),
    "a dropped connection": (None, CUT),
    "a reset within a body": (Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "reset"), CUT),
    "half a head": (Raw(b"HTTP/1.1 200 OK\r\nContent-Type: appli"), CUT),
    "a head without an end": (Raw(b"HTTP/1.1 404 Not Found\r\nServer: x\r\n"), CUT),
    "garbage": (Raw(b"garbage\r\n\r\n{}"), "the answer is not HTTP"),
    "half a body": (
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
        "the body ended before its Content-Length",
    ),
    "a 429": (error(429, "ThrottlingException"), "429"),
    "throttling as 400": (error(400, "ThrottlingException"), "429"),
}


def judged(exchange: Exchange) -> Entry:
    """What a checker makes of an exchange that should have found an integration."""
    checker, entry = checking()
    checker.expect(exchange, Expectation("response.status", (OK,), "a", "u"))
    return entry


@pytest.mark.parametrize(("answer", "kind"), STRAY.values(), ids=STRAY.keys())
def test_a_stray_fault_is_counted_and_one_that_persists_is_a_violation(
    against: Any, answer: Any, kind: str
) -> None:
    observed: list[Exchange] = []
    client, server = against(script(answer, FINE), observe=observed.append)
    exchange = client.send(get_integration("a", "u"), CALLER)
    assert exchange.response.status == 200
    assert exchange.faults == (kind,)
    assert client.sent == len(observed) == len(server.received) == 2
    assert ([fault for fault, _ in client.faults], dict(judged(exchange).findings)) == ([kind], {})

    client, server = against(script(answer))
    exchange = client.send(get_integration("a", "u"), CALLER)
    assert len(server.received) == (clients.THROTTLED_ATTEMPTS if kind == "429" else clients.ATTEMPTS)
    assert "response.status" in judged(exchange).findings
    assert not client.faults, "it is no transient fault"


@pytest.mark.parametrize("control", ["x", "u"], ids=["the caller", "one request"])
def test_who_is_throttled_for_good(against: Any, control: str) -> None:
    client, _ = against(lambda request: error(429, "ThrottlingException") if request.uri == "x" else ANY)
    client.control = get_integration("a", control), CALLER
    if control == "x":
        with pytest.raises(EnvironmentFault, match="throttles the caller and does not stop: lower --rate"):
            client.send(get_integration("a", "x"), CALLER)
    else:
        assert "response.status" in judged(client.send(get_integration("a", "x"), CALLER)).findings


@pytest.mark.parametrize(
    ("answers", "status", "faults"),
    [
        pytest.param("429 429 429 503 429 503 200", 200, "429 429 429 503 429 503", id="counted apart"),
        pytest.param("500 502 503 200", 503, "500 502", id="changing ways"),
    ],
)
def test_faults_of_several_kinds(against: Any, answers: str, status: int, faults: str) -> None:
    client, _ = against(script(*(FINE if code == "200" else Response(int(code)) for code in answers.split())))
    exchange = client.send(get_integration("a", "u"), CALLER)
    assert (exchange.response.status, exchange.faults) == (status, tuple(faults.split()))
    assert ("response.status" in judged(exchange).findings) == (status != 200)


def test_a_stray_fault_in_a_burst_is_repeated_at_once(against: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(clients, "_backoff", lambda *_: 1.0)
    moments = SimpleNamespace(sleep=pauses.append, time=time.time, perf_counter=time.perf_counter)
    monkeypatch.setattr(clients, "time", moments)  # and not the module, which servers use too
    client, server = against(script(Response(503), error(429, "ThrottlingException"), FINE))
    exchange = client.send(get_integration("a", "u"), CALLER, throttled=True)
    assert (exchange.response.status, len(server.received)) == (429, 2)
    assert ([fault for fault, _ in client.faults], pauses) == (["503"], [0.0])


def test_a_repeat_is_dated_and_signed_anew_and_a_siblings_faults_are_counted(against: Any) -> None:
    signing = Signing(tamper=lambda request: request.with_headers(x_count=str(len(server.received))))
    client, server = against(script(Response(503), FINE))
    client.sibling().send(get_integration("a", "u"), CALLER, signing)
    assert [request.header("x-count") for request in server.received] == ["0", "1"]
    assert [fault for fault, _ in client.faults] == ["503"]


def test_an_endpoint_that_is_gone_is_not_a_request_it_cannot_answer(serve: Serve, connect: Any) -> None:
    server = serve(script(None))
    client = connect(server.url)
    assert client.send(get_integration("a", "u")).response.status == 0
    server.close()
    for url in (server.url, "https://nowhere.invalid"):
        with pytest.raises(EndpointDown, match=f"^nothing listens at {url}: ") as raised:
            connect(url).send(get_integration("a", "u"), CALLER)
        assert "it took" not in str(raised.value), "no request is named where none arrived"


def test_the_request_that_a_server_dies_of_is_named(serve: Serve, connect: Any) -> None:
    server = serve(lambda _: server.close())
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


# --- Whole runs ---------------------------------------------------------------------------------------------


def test_a_run_through_stray_faults_upholds_and_counts_them(
    run_suite: RunSuite, tap: Any, endpoint: Process
) -> None:
    count = iter(range(1_000_000))
    faults = {10: Response(503), 30: None, 50: error(429, "ThrottlingException"), 70: Response(500)}

    def stray(request: Received, forward: Forward) -> Any:
        number = next(count)
        return faults[number] if number in faults else forward(request)

    result = run_suite(suite("missing"), suite("valid"), "--endpoint-url", tap(endpoint.url, stray).url)
    assert result.status == 0, result.output
    counted = {"429": 1, "500": 1, "503": 1, "the connection was closed without a whole answer": 1}
    assert result.report["run"]["faults"] == counted
    assert "each was repeated" in result.stdout
    (finding,) = (each for each in result.report["findings"] if each["clause"] == "transport.stray-faults")
    assert not finding["gating"]
    assert finding["exchange"]["response"]["status"] in (0, 500, 503)
    assert finding["actual"].startswith(f"3 of {result.report['run']['requests']} requests")


def test_a_slow_endpoint_is_sent_a_burst_side_by_side(
    run_suite: RunSuite, tap: Any, endpoint: Process, target_file: Any
) -> None:
    def slowly(request: Received, forward: Forward) -> Response:
        time.sleep(0.15)
        return forward(request)

    target = target_file(f'endpoint-url = "{tap(endpoint.url, slowly).url}"')
    result = run_suite(suite("throttling"), "--target", target)
    assert (result.status, result.outcomes["throttling.occurs"]) == (0, "upheld"), result.output


@pytest.mark.parametrize("fault", [None, Response(500)], ids=["no answer", "a 5xx"])
def test_writes_that_fail_for_good_are_reported(
    run_suite: RunSuite, tap: Any, endpoint: Process, fault: Response | None
) -> None:
    def script(request: Received, forward: Forward) -> Any:
        return fault if request.method == "PUT" and "\n" in request.text else forward(request)

    result = run_suite(suite("state"), "--endpoint-url", tap(endpoint.url, script).url, status=0)
    assert not result.findings["state.write-faults"]["gating"]
