"""The number of workers: what -n says, unless the endpoint makes another number quicker."""

import os
import time
from types import SimpleNamespace
from typing import Any

import pytest

from getintegration_contract.plugin import controller

from .conftest import RunSuite, Serve
from .mutants.messages import Forward, Request, Response, ok
from .support import Process, Result, suite

#: What a run is like, unless a row says otherwise: its target, and options of pytest.
NAMED = {"rate": None, "depth": "gate", "is_emulator": False, "usepdb": False, "keyword": "", "markexpr": ""}


@pytest.mark.parametrize(
    ("latency", "asked", "how", "due"),
    [
        pytest.param(0.1, None, {}, (6, False), id="slow"),
        pytest.param(0.1, None, {"load": 1000}, (0, False), id="slow, on a busy machine"),
        pytest.param(0.1, None, {"is_emulator": True}, (0, False), id="slow, the emulator"),
        pytest.param(0.001, None, {}, (0, False), id="quick"),
        pytest.param(0.1, None, {"rate": 5.0}, (0, False), id="slow, at a rate"),
        pytest.param(0.1, None, {"keyword": "fuzz"}, (0, False), id="slow, some tests"),
        pytest.param(0.1, None, {"usepdb": True}, (0, False), id="slow, in a debugger"),
        pytest.param(0.1, 0, {}, (0, False), id="slow, none asked for"),
        pytest.param(0.1, 3, {"load": 1000}, (3, False), id="slow, three asked for"),
        pytest.param(0.001, 3, {}, (0, True), id="quick, three asked for"),
        pytest.param(0.1, None, {"depth": "nightly"}, (6, False), id="slow, nightly"),
        pytest.param(0.001, 3, {"depth": "nightly"}, (None, False), id="three asked for, nightly"),
        pytest.param(0.001, 3, {"dist": "worksteal"}, (None, False), id="three asked for otherwise"),
    ],
)
def test_number(
    monkeypatch: pytest.MonkeyPatch, latency: float, asked: int | None, how: dict[str, Any], due: Any
) -> None:
    """How many workers are chosen, and whether anything is said of it."""
    how, said = {"load": 0.0, "dist": "load" if asked else "no", **NAMED, **how}, list[str]()
    monkeypatch.setattr(os, "getloadavg", lambda: (how["load"], 0.0, 0.0))
    plugins, option = SimpleNamespace(hasplugin=lambda name: True), SimpleNamespace(numprocesses=asked, **how)
    config: Any = SimpleNamespace(option=option, args=["tests"], pluginmanager=plugins)
    run: Any = SimpleNamespace(latency=latency, target=option, say=said.append, **how)
    assert (controller.number_of_workers(config, run, how["dist"]), bool(said)) == due


def _lines(result: Result) -> list[tuple[str, int]]:
    """The clauses with their checks, as report.json has them."""
    return [(clause["outcome"], clause["checks"]) for clause in result.report["clauses"]]


def test_a_slow_endpoint_is_asked_the_same_by_workers(
    run_suite: RunSuite, tap: Any, endpoint: Process
) -> None:
    def run(pause: float) -> Result:
        def slowly(request: Request, forward: Forward) -> Response:
            time.sleep(pause if server.received[1:] else 0)  # many a server is quick on a fresh connection
            return forward(request)

        server = tap(endpoint.url, slowly)
        return run_suite(suite("access"), suite("missing"), "--endpoint-url", server.url, "--numprocesses=2")

    quick, slow = map(run, (0.0, controller.SLOW * 1.5))
    assert (quick.report["run"]["workers"], slow.report["run"]["workers"]) == (1, 2)
    assert "-n 2 is left aside" in quick.stdout
    assert "2 workers, since an answer takes" in slow.stdout
    assert _lines(quick) == _lines(slow)
    assert quick.report["run"]["requests"] == slow.report["run"]["requests"]


def test_findings_with_lone_surrogates_reach_the_controller(run_suite: RunSuite, serve: Serve) -> None:
    integration = {"DomainName": "d", "Uri": "\ud800s3://u", "CreatedAt": 1, "LastUpdatedAt": 1}
    server = serve(lambda _: ok(integration))
    given = (suite("ambiguous"), "--endpoint-url", server.url, "--domain-name=d", "--integration-uri=s3://u")
    workers_of_xdist = ("--numprocesses=2", "--dist=worksteal", "--not-claimed=signatures")
    result = run_suite(*given, *workers_of_xdist, status=1)
    assert result.outcomes["request.json.robust"] == "violated"
