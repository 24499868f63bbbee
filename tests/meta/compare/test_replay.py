"""Replays: signed again, names mapped, order kept; nothing is written where nothing may be."""

import json
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
from getintegration_contract.target.target import Target

from ..mutants.kit import always, is_get, on_answer
from ..mutants.messages import Forward, Response, error
from ..mutants.messages import Request as Received
from ..support import AWS, Process, Tap, ask, domains, emulator, stock, suite
from .conftest import record_suite
from .kit import IDENTITIES, STATE, compared, exchange, load, places, record, run, save

HERE = Names([STATE])
THERE = Names([{"domain": "prod_domain", "uri": "arn:aws:flow:eu-west-1:1:caf\u00e9/a"}])


_THERE = "arn:aws:flow:eu-west-1:1:caf\u00e9/a"
_THERE_ESCAPED = json.dumps(_THERE)[1:-1]


@pytest.mark.parametrize(
    ("domain", "body", "mapped_domain", "mapped_body"),
    [
        ("Domain", '{"Uri":"s3://Bucket/Caf\\u00e9"}', "prod_domain", f'{{"Uri":"{_THERE_ESCAPED}"}}'),
        ("DOMAIN", '{"Uri": "s3://bucket/caf\u00e9"}', "PROD_DOMAIN", f'{{"Uri": "{_THERE.lower()}"}}'),
        ("Domai", '{"Uri": "s3://Bucket/Caf\u00e9/"}', "prod_domai", f'{{"Uri": "{_THERE}/"}}'),
        ("Domain0", '{"Uri": "s3://unknown"}', "prod_domain0", '{"Uri": "s3://unknown"}'),
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
    request = get_integration(domain, body=body.encode())
    assert THERE.show(HERE.hide(request)) == get_integration(mapped_domain, body=mapped_body.encode())
    assert HERE.show(HERE.hide(request)) == request


def test_a_name_without_counterpart_is_refused() -> None:
    with pytest.raises(RefusedError, match="no other domain"):
        THERE.show(HERE.hide(get_integration("Other", body=b'{"Uri": "s3://Other"}')))


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("POST", "/domains/a/integrations", False),
        ("GET", "/domains/a/integrations", False),
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
    target = Target(endpoint, identities=IDENTITIES, allow_writes=True)
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
        target = Target(AWS, identities=IDENTITIES, allow_writes=True, rate=5.0)
        live = Live.open(target, stack, print)
    assert live.target.allow_writes is made.called is False
    assert create.call_args.args[0] == 5.0
    assert not Path(budgets[0].path).exists(), "what keeps the rate is removed with the rest"


def test_a_replay_maps_names(
    tmp_path: Path, emulator_har: Path, live_emulator: Process, target_file: Any
) -> None:
    for suffix in "AB":  # another run's, so that the replay makes and gets other names
        stock(live_emulator.url, f"{PREFIX}0-{suffix}")
    kept = tmp_path / "kept.har"
    status, report = compared(
        tmp_path, emulator_har, live_emulator.url, "--target", target_file(), "--record", kept
    )
    assert (status, report["differences"]) == (0, [])
    reasons = set(report["coverage"]["not_compared"])
    assert reasons == {"only the suite itself can reproduce its faulty signature"}
    assert report["coverage"]["share"] > 0.7
    assert report["candidate"]["replay_of"]
    recording = recordings.read(kept)
    assert recording.suite.states[0]["domain"] == f"{PREFIX}1-A"
    targets = [recorded.exchange.request.target for recorded in recording.exchanges]
    starts = [recorded.exchange.started for recorded in recording.exchanges]
    assert any(f"{PREFIX}1-A/" in target for target in targets)
    assert f"{PREFIX}1-a".lower() in "".join(targets)  # a near miss of the new name
    assert starts == sorted(starts)
    listed = domains(live_emulator.url)
    assert f"{PREFIX}0-A" in listed
    assert not any(name.startswith(f"{PREFIX}1-") for name in listed)  # what the replay made is gone


def test_the_other_side_is_given_the_integration_that_was_recorded(
    tmp_path: Path, live_emulator: Process, closing: Any
) -> None:
    domain, uri = "shop-EU", "arn:aws:flow:us-east-1:111122223333:Mine"
    stock(live_emulator.url, domain, uri, ObjectTypeName="Mine", Tags={"a": "b"})
    given = ("--domain-name", domain, "--integration-uri", uri)
    path = tmp_path / "given.har"
    record_suite(path, suite("valid"), suite("missing"), "--endpoint-url", live_emulator.url, *given)
    status, report = compared(tmp_path, path, closing(emulator()).url)
    assert (status, report["differences"]) == (0, [])
    file = tmp_path / "given.toml"
    file.write_text(f'domain-name = "{domain}"\nintegration-uri = "{uri}"\n', encoding="utf-8")
    status, report = compared(tmp_path, live_emulator.url, "emulator", "--reference-target", file)
    assert (status, report["differences"]) == (0, [])
    ask(live_emulator.url, delete_domain(domain))


def test_a_passing_difference_is_not_confirmed_and_its_requests_alone_are_repeated(
    tmp_path: Path, live_emulator: Process, target_file: Any, tap: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    once = iter([error(400, "BadRequestException")])

    def change(request: Received, reply: Response) -> Response:
        return next(once, reply) if request.uri == "s3://unknown" else reply

    server = tap(live_emulator.url, on_answer(change, always))
    file = target_file()
    files = ("--target", file, "--reference-target", file)
    status, report = compared(tmp_path, live_emulator.url, server.url, *files)
    assert status == 1
    assert {group["confirmed"] for group in report["differences"]} == {False}
    assert "\n1 requests to " in capsys.readouterr().err


def test_live_differences_are_confirmed_but_for_what_the_limit_leaves_no_repeat_for(
    tmp_path: Path, closing: Any, tap: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    behind = closing(emulator())

    def odd(request: Received, reply: Response) -> Response:
        return reply.with_header("X-Odd", "1") if is_get(request) else reply

    server = tap(behind.url, on_answer(odd, always))
    path = record(tmp_path / "a.har", *(exchange() for _ in range(30)))
    run(path, behind.url, "--record", tmp_path / "b.har", "--no-repeat")
    _, report = compared(tmp_path, tmp_path / "b.har", server.url, "--max-requests", "20")
    assert report["divergence"]["different"] > 10
    assert {group["confirmed"] for group in report["differences"]} == {None}
    assert "repeat" not in capsys.readouterr().out
    _, report = compared(tmp_path, tmp_path / "b.har", server.url)
    assert {group["confirmed"] for group in report["differences"]} == {True}
    assert ("header", "x-odd") in places(report)


def test_two_live_servers_are_asked_in_turn(tmp_path: Path, closing: Any, tap: Any) -> None:
    order: list[str] = []
    behind = closing(emulator())

    def listen(name: str, request: Received, answer: Response) -> Response:
        order.append(name)
        return answer

    one, other = (tap(behind.url, on_answer(partial(listen, name))) for name in "ab")
    status, report = compared(tmp_path, one.url, other.url)
    assert (status, report["differences"], report["coverage"]["share"]) == (0, [], 1)
    assert "ab" * 30 in "".join(order)


def test_what_is_not_sent_is_reported(tmp_path: Path, emulator_har: Path, closing: Any) -> None:
    url = closing(emulator()).url
    status, report = compared(tmp_path, emulator_har, url, "--max-requests", "60", "--no-repeat")
    assert status == 0
    reasons = {"the target has no identity unauthorized", "the limit of 60 requests is reached"}
    assert reasons <= report["coverage"]["not_compared"].keys()
    assert report["divergence"]["compared"] < 60


def test_a_server_that_goes_away_is_indeterminate(
    tmp_path: Path, emulator_har: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = emulator()
    count = iter(range(10_000))

    def script(request: Received, forward: Forward) -> Response:
        if next(count) == 60:
            server.kill()
            proxy.close()
        return forward(request)

    proxy = Tap(server.url, script)
    assert run(emulator_har, proxy.url) == 6
    message = capsys.readouterr().err
    assert "nothing listens" in message
    assert "Traceback" not in message


def test_an_endpoint_without_the_operation_is_indeterminate(
    serve: Any, alike: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    other = serve(lambda request: error(404, "UnknownOperationException"))
    assert run(alike[0], other.url) == 6
    assert "does not implement GetIntegration" in capsys.readouterr().err


def test_a_replay_says_beforehand_how_long_it_takes(
    tmp_path: Path, live_emulator: Process, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record(tmp_path / "a.har", *(exchange() for _ in range(6)))
    run(path, live_emulator.url, "--rate", "100", "--no-repeat")
    assert "6 requests to " in (said := capsys.readouterr().err)
    assert "at 100 a second: about 1 s" in said
    assert replay.duration(600) == "10 min"


def test_a_hostile_recording_cannot_make_a_replay_fail(
    tmp_path: Path, live_emulator: Process, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = exchange(request=Request("POST", "/domains/%ff%00/integrations", (("X", "caf\xe9"),), b"\xff" * 10))
    path = record(tmp_path / "a.har", odd, exchange())
    log = load(path)
    log["entries"].append(log["entries"][1] | {"_test": "signed otherwise", "_signing": {}})
    save(log, path)
    assert run(path, live_emulator.url, "--no-repeat") == 1
    said = "".join(capsys.readouterr())
    assert "Traceback" not in said
    assert "only the suite itself can reproduce" in said
