"""Replays: signed again, names mapped, order kept; nothing is written where nothing may be."""

import json
import re
from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from getintegration_compare import replay
from getintegration_compare.names import Names, RefusedError
from getintegration_compare.pairing import writes
from getintegration_compare.replay import Live
from getintegration_contract import recording as recordings
from getintegration_contract.exchange import Request
from getintegration_contract.operations import delete_domain, get_integration, put_integration
from getintegration_contract.recording.har import Recorded
from getintegration_contract.sending.budget import Budget
from getintegration_contract.sending.client import Client
from getintegration_contract.state.provisioner import Provisioner
from getintegration_contract.state.state import PREFIX, State
from getintegration_contract.target.emulator import emulator_identities
from getintegration_contract.target.target import Target

from ..exchanges import DOMAIN, exchange
from ..mutants.kit import always, is_get, on_answer
from ..mutants.messages import Forward, Response, error
from ..mutants.messages import Request as Received
from ..support import AWS, Process, Tap, ask, domains, emulator, stock, suite
from .conftest import STATE, Compare, load, record, record_suite, save

_THERE = "arn:aws:flow:eu-west-1:1:caf\u00e9/a"
_THERE_ESCAPED = json.dumps(_THERE)[1:-1]
HERE = Names([STATE])
THERE = Names([{"domain": "prod_domain", "uri": _THERE, "other_uri": "s3://caf\u00e9%20a"}])


@pytest.mark.parametrize(
    ("domain", "body", "mapped_domain", "mapped_body"),
    [
        ("Domain", '{"Uri":"s3://Bucket/Caf\\u00e9"}', "prod_domain", f'{{"Uri":"{_THERE_ESCAPED}"}}'),
        ("DOMAIN", '{"Uri": "s3://bucket/caf\u00e9"}', "PROD_DOMAIN", f'{{"Uri": "{_THERE.lower()}"}}'),
        ("Domai", '{"Uri": "s3://Bucket/Caf\u00e9/"}', "prod_domai", f'{{"Uri": "{_THERE}/"}}'),
        ("Domain0", '{"Uri": "s3://unknown"}', "prod_domain0", '{"Uri": "s3://unknown"}'),
        ("Domain", '{"Uri": "s3:///Bucket/Caf\u00e9"}', "prod_domain", f'{{"Uri": "{_THERE[:-1]}/a"}}'),
        ("Domain", '{"Uri": "s3://Other+one"}', "prod_domain", '{"Uri": "s3://caf\u00e9+a"}'),
        ("Domain", '{"Uri": "\udcff"}', "prod_domain", '{"Uri": "\udcff"}'),  # not UTF-8
        (
            "Domain",
            '{"Uri": ["s3://Bucket/Caf\u00e9"], "n": 01',
            "prod_domain",
            f'{{"Uri": ["{_THERE}"], "n": 01',
        ),
    ],
)
def test_names_are_mapped_and_nothing_else(
    domain: str, body: str, mapped_domain: str, mapped_body: str
) -> None:
    request, mapped = (
        get_integration(name, body=text.encode("utf-8", "surrogateescape"))
        for name, text in ((domain, body), (mapped_domain, mapped_body))
    )
    assert THERE.show(HERE.hide(request)) == mapped
    assert HERE.show(HERE.hide(request)) == request


def test_a_name_without_counterpart_is_refused() -> None:
    with pytest.raises(RefusedError, match="no other domain"):
        THERE.show(HERE.hide(get_integration("Other", body=b'{"Uri": "s3://Other"}')))


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        *((method, "/domains/a/integrations", False) for method in ("POST", "GET", "HEAD", "OPTIONS")),
        ("PUT", "/domains/a/integrations", True),
        ("post", "/domains/a/integrations", True),
        ("POST", "/domains/a", True),
        ("POST", "/domains/a/integrations/delete", True),
        ("POST", "/domains/a/integrations#x", True),
        ("POST", "/domains/a%2Fintegrations%2Fdelete%3F/integrations", True),
        ("POST", "/domains/a%252Fintegrations%252Fdelete/integrations", True),
        ("POST", "/domains/%2e%2e/integrations", True),
    ],
)
def test_what_may_write_is_known(method: str, target: str, expected: bool) -> None:
    assert writes(Request(method, target)) is expected


@pytest.mark.parametrize(("endpoint", "sent"), [(AWS, False), ("http://a", True)])
def test_writes_never_go_to_aws(endpoint: str, sent: bool) -> None:
    target = Target(endpoint, identities=emulator_identities(), allow_writes=True)
    live = Live(target, Client(endpoint, target.region), State("given", "d", "u"))
    writing = Recorded(exchange(request=put_integration("d", "u")), signing={"kind": "signed"})
    with nullcontext() if sent else pytest.raises(RefusedError, match="writing is not allowed here"):
        live.prepared(writing, live.names)
    live.prepared(Recorded(exchange(), signing={"kind": "signed"}), live.names)


def test_nothing_is_made_on_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    made, discovered = Mock(), Mock(return_value=State("discovered", "d", "u"))
    create = Mock(side_effect=(budgets := [Budget.create(5.0, None)]))
    monkeypatch.setattr(Provisioner, "made", made)
    monkeypatch.setattr(Provisioner, "discovered", discovered)
    monkeypatch.setattr(Budget, "create", create)
    with ExitStack() as stack:
        target = Target(AWS, identities=emulator_identities(), allow_writes=True, rate=5.0)
        live = Live.open(target, stack, print)
    assert live.target.allow_writes is made.called is False
    assert create.call_args.args[0] == 5.0
    assert not Path(budgets[0].path).exists(), "what keeps the rate is removed with the rest"


def test_a_replay_maps_names(
    tmp_path: Path, emulator_har: Path, closing: Any, target_file: Any, compare: Compare
) -> None:
    url, kept = closing(emulator()).url, tmp_path / "kept.har"
    for suffix in "AB":  # another run's, so that the replay makes and gets other names
        stock(url, f"{PREFIX}0-{suffix}")
    result = compare(emulator_har, url, "--target", target_file(), "--record", kept, status=0)
    assert result.differences == []
    reasons = set(result.report["coverage"]["not_compared"])
    assert reasons == {"only the suite itself can reproduce its faulty signature"}
    assert result.report["coverage"]["share"] > 0.7
    assert result.report["candidate"]["replay_of"]
    recording = recordings.read(kept)
    assert recording.suite.states[0]["domain"] == f"{PREFIX}1-A"
    targets = [recorded.exchange.request.target for recorded in recording.exchanges]
    starts = [recorded.exchange.started for recorded in recording.exchanges]
    assert any(f"{PREFIX}1-A/" in target for target in targets)
    assert f"{PREFIX}1-a".lower() in "".join(targets)  # a near miss of the new name
    assert starts == sorted(starts)
    assert domains(url) == {f"{PREFIX}0-A", f"{PREFIX}0-B"}, "what the replay made is gone"


def test_the_other_side_is_given_the_integration_that_was_recorded(
    tmp_path: Path, endpoint: Process, closing: Any, compare: Compare
) -> None:
    domain, uri = "shop-EU", "arn:aws:flow:us-east-1:111122223333:Mine"
    stock(endpoint.url, domain, uri, ObjectTypeName="Mine", Tags={"a": "b"})
    given = ("--domain-name", domain, "--integration-uri", uri)
    path = tmp_path / "given.har"
    record_suite(path, suite("valid"), suite("missing"), "--endpoint-url", endpoint.url, *given)
    assert compare(path, closing(emulator()).url, status=0).differences == []
    file = tmp_path / "given.toml"
    file.write_text(f'domain-name = "{domain}"\nintegration-uri = "{uri}"\n', encoding="utf-8")
    assert compare(endpoint.url, "emulator", "--reference-target", file, status=0).differences == []
    ask(endpoint.url, delete_domain(domain))


def test_a_passing_difference_is_not_confirmed_and_its_requests_alone_are_repeated(
    endpoint: Process, target_file: Any, tap: Any, compare: Compare
) -> None:
    once = iter([error(400, "BadRequestException")])

    def change(request: Received, reply: Response) -> Response:
        return next(once, reply) if request.uri == "s3://unknown" else reply

    files = ("--target", target_file(), "--reference-target", target_file())
    result = compare(endpoint.url, tap(endpoint.url, on_answer(change, always)).url, *files, status=1)
    assert {group["confirmed"] for group in result.differences} == {False}
    assert "\n1 requests to " in result.stderr


def test_live_differences_are_confirmed_but_for_what_the_limit_leaves_no_repeat_for(
    tmp_path: Path, closing: Any, tap: Any, compare: Compare
) -> None:
    behind = closing(emulator())

    def odd(request: Received, reply: Response) -> Response:
        return reply.with_header("X-Odd", "1") if is_get(request) else reply

    server, path = tap(behind.url, on_answer(odd, always)), tmp_path / "b.har"
    compare([exchange()] * 30, behind.url, "--record", path, "--no-repeat")
    result = compare(path, server.url, "--max-requests", "20")
    assert result.report["divergence"]["different"] > 10
    assert {group["confirmed"] for group in result.differences} == {None}
    assert "repeat" not in result.stdout
    result = compare(path, server.url)
    assert {group["confirmed"] for group in result.differences} == {True}
    assert ("header", "x-odd") in result.places


def test_two_live_servers_are_asked_in_turn(closing: Any, tap: Any, compare: Compare) -> None:
    order: list[str] = []
    behind = closing(emulator())

    def listen(name: str, request: Received, answer: Response) -> Response:
        order.append(name)
        return answer

    one, other = (tap(behind.url, on_answer(partial(listen, name))) for name in "ab")
    result = compare(one.url, other.url, status=0)
    assert (result.differences, result.report["coverage"]["share"]) == ([], 1)
    assert "ab" * 30 in "".join(order)


def test_what_timing_decides_is_not_sent(endpoint: Process, compare: Compare) -> None:
    write = exchange(request=put_integration(DOMAIN, "s3://a"), started=1.0, seconds=1.0)
    said = compare([write, exchange(started=1.5)], endpoint.url, test="race", status=6).stderr
    assert re.search("\n0 requests to .*\n.*nothing could be compared\n", said)


def test_throttling_that_was_meant_is_not_waited_out(
    endpoint: Process, tap: Any, target_file: Any, compare: Compare
) -> None:
    uris = ["s3://one", "s3://two"]
    first, second = (get_integration(DOMAIN, uri) for uri in uris)
    asked = [exchange(429, request=first), exchange(request=second, identity="low-quota")]
    throttled = error(429, "ThrottlingException")
    server = tap(endpoint.url, on_answer(lambda asked, reply: throttled if asked.uri in uris else reply))
    compare(asked, server.url, "--target", target_file(), "--no-repeat", status=6)
    assert [asked.uri for asked in server.received if asked.uri in uris] == uris


def test_what_is_not_sent_is_reported(emulator_har: Path, closing: Any, compare: Compare) -> None:
    url = closing(emulator()).url
    report = compare(emulator_har, url, "--max-requests", "60", "--no-repeat", status=0).report
    reasons = {"the target has no identity unauthorized", "the limit of 60 requests is reached"}
    assert reasons <= report["coverage"]["not_compared"].keys()
    assert report["divergence"]["compared"] < 60


def test_a_server_that_goes_away_is_indeterminate(emulator_har: Path, compare: Compare) -> None:
    server, count = emulator(), iter(range(10_000))

    def script(request: Received, forward: Forward) -> Response:
        if next(count) == 60:
            server.kill()
            proxy.close()
        return forward(request)

    proxy = Tap(server.url, script)
    message = compare(emulator_har, proxy.url, status=6).stderr
    assert "nothing listens" in message
    assert "Traceback" not in message


def test_an_endpoint_without_the_operation_is_indeterminate(serve: Any, compare: Compare) -> None:
    other = serve(lambda request: error(404, "UnknownOperationException"))
    assert "does not implement GetIntegration" in compare(exchange(), other.url, status=6).stderr


def test_a_replay_says_beforehand_how_long_it_takes(endpoint: Process, compare: Compare) -> None:
    said = compare([exchange()] * 6, endpoint.url, "--rate", "100", "--no-repeat").stderr
    assert "6 requests to " in said
    assert "at 100 a second: about 1 s" in said
    assert replay.duration(600) == "10 min"


def test_a_hostile_recording_cannot_make_a_replay_fail(
    tmp_path: Path, endpoint: Process, compare: Compare
) -> None:
    odd = exchange(request=Request("POST", "/domains/%ff%00/integrations", (("X", "caf\xe9"),), b"\xff" * 10))
    path = record(tmp_path / "a.har", odd, exchange())
    log = load(path)
    log["entries"].append(log["entries"][1] | {"_test": "signed otherwise", "_signing": {}})
    result = compare(save(log, path), endpoint.url, "--no-repeat", status=1)
    assert "Traceback" not in result.stdout + result.stderr
    assert "only the suite itself can reproduce" in result.stdout
