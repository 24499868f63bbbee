"""The number of workers: what -n says, unless the endpoint makes another number quicker."""

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from getintegration_contract.plugin import workers

from .conftest import Serve
from .mutants.messages import Forward, Request, Response, ok
from .support import Process, Result, finish, start_suite, suite


def _config(**option: object) -> Any:
    given = {"numprocesses": None, "usepdb": False, "keyword": "", "markexpr": "", **option}
    return SimpleNamespace(
        option=SimpleNamespace(**given),
        args=["tests/contract"],
        pluginmanager=SimpleNamespace(hasplugin=lambda name: True),
    )


def _run(latency: float, rate: float | None = None, *, is_emulator: bool = False) -> Any:
    said: list[str] = []
    target = SimpleNamespace(rate=rate)
    return SimpleNamespace(
        latency=latency, target=target, is_emulator=is_emulator, say=said.append, said=said
    )


@pytest.fixture(autouse=True)
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing else to do."""
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))


@pytest.mark.parametrize(
    ("asked", "latency", "rate", "option", "due"),
    [
        pytest.param(None, 0.1, None, {}, 6, id="slow"),
        pytest.param(None, 0.001, None, {}, 0, id="quick"),
        pytest.param(None, 0.1, 5.0, {}, 0, id="slow, at a rate"),
        pytest.param(None, 0.1, None, {"keyword": "fuzz"}, 0, id="slow, some tests"),
        pytest.param(None, 0.1, None, {"usepdb": True}, 0, id="slow, in a debugger"),
        pytest.param(0, 0.1, None, {}, 0, id="slow, none asked for"),
        pytest.param(3, 0.1, None, {}, 3, id="slow, three asked for"),
        pytest.param(3, 0.001, None, {}, 0, id="quick, three asked for"),
    ],
)
def test_number(
    asked: int | None, latency: float, rate: float | None, option: dict[str, object], due: int
) -> None:
    run = _run(latency, rate)
    assert workers.number(_config(numprocesses=asked, **option), run) == due
    assert bool(run.said) == (asked == 3 and latency < 0.01)


def test_a_busy_machine_gets_no_more_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert workers.number(_config(), _run(0.1, is_emulator=True)) == 0
    monkeypatch.setattr(os, "getloadavg", lambda: (1000.0, 0.0, 0.0))
    assert workers.number(_config(), _run(0.1)) == 0
    assert workers.number(_config(numprocesses=3), _run(0.1)) == 3


@pytest.mark.parametrize(
    ("dist", "depth", "chosen"),
    [
        ("no", "nightly", True),
        ("load", "gate", True),
        ("load", "nightly", False),
        ("worksteal", "gate", False),
    ],
)
def test_only_the_gate_leaves_a_number_aside(dist: str, depth: str, chosen: bool) -> None:
    option = SimpleNamespace(numprocesses=None if dist == "no" else 2, depth=depth)
    assert workers.may_choose(option, dist) is chosen


def _lines(result: Result) -> list[tuple[str, int]]:
    """The clauses with their checks, as report.json has them."""
    return [(clause["outcome"], clause["checks"]) for clause in result.report["clauses"]]


def test_a_slow_endpoint_is_asked_the_same_by_workers(tap: Any, endpoint: Process, tmp_path: Path) -> None:
    def slowly(request: Request, forward: Forward) -> Response:
        time.sleep(pause if server.received[1:] else 0)  # many a server is quick on a fresh connection
        return forward(request)

    results = []
    for pause in (0.0, workers.SLOW * 1.5):
        server, report = tap(endpoint.url, slowly), tmp_path / str(pause)
        given = (suite("access"), suite("missing"), "--endpoint-url", server.url, "--numprocesses=2")
        results.append(finish(start_suite(*given, report=report, lean=True), report))
    quick, slow = results
    assert (quick.report["run"]["workers"], slow.report["run"]["workers"]) == (1, 2)
    assert "-n 2 is left aside" in quick.stdout
    assert "2 workers, since an answer takes" in slow.stdout
    assert _lines(quick) == _lines(slow)
    assert quick.report["run"]["requests"] == slow.report["run"]["requests"]


def test_findings_with_lone_surrogates_reach_the_controller(serve: Serve, tmp_path: Path) -> None:
    integration = {"DomainName": "d", "Uri": "\ud800s3://u", "CreatedAt": 1, "LastUpdatedAt": 1}
    server = serve(lambda _: ok(integration))
    given = (suite("ambiguous"), "--endpoint-url", server.url, "--domain-name=d", "--integration-uri=s3://u")
    workers_of_xdist = ("--numprocesses=2", "--dist=worksteal", "--not-claimed=signatures")
    result = finish(start_suite(*given, *workers_of_xdist, report=tmp_path, lean=True), tmp_path, status=1)
    assert result.outcomes["request.json.robust"] == "violated"
