"""The number of workers: what -n says, unless the endpoint makes another number quicker."""

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from getintegration_contract.plugin import controller

from .conftest import Serve
from .mutants.messages import Forward, Request, Response, ok
from .support import Process, Result, finish, start_suite, suite


def _number(
    latency: float,
    asked: int | None,
    rate: float | None = None,
    depth: str = "gate",
    is_emulator: bool = False,
    **option: object,
) -> tuple[int | None, bool]:
    """How many workers are chosen, and whether anything is said of it."""
    dist = option.pop("dist", "load" if asked else "no")
    given = {"numprocesses": asked, "usepdb": False, "keyword": "", "markexpr": "", **option}
    plugins = SimpleNamespace(hasplugin=lambda name: True)
    config: Any = SimpleNamespace(option=SimpleNamespace(**given), args=["tests"], pluginmanager=plugins)
    said: list[str] = []
    target = SimpleNamespace(rate=rate, depth=depth)
    run: Any = SimpleNamespace(latency=latency, target=target, is_emulator=is_emulator, say=said.append)
    return controller.number_of_workers(config, run, str(dist)), bool(said)


@pytest.mark.parametrize(
    ("latency", "asked", "how", "load", "due"),
    [
        pytest.param(0.1, None, {}, 0, (6, False), id="slow"),
        pytest.param(0.1, None, {}, 1000, (0, False), id="slow, on a busy machine"),
        pytest.param(0.1, None, {"is_emulator": True}, 0, (0, False), id="slow, the emulator"),
        pytest.param(0.001, None, {}, 0, (0, False), id="quick"),
        pytest.param(0.1, None, {"rate": 5.0}, 0, (0, False), id="slow, at a rate"),
        pytest.param(0.1, None, {"keyword": "fuzz"}, 0, (0, False), id="slow, some tests"),
        pytest.param(0.1, None, {"usepdb": True}, 0, (0, False), id="slow, in a debugger"),
        pytest.param(0.1, 0, {}, 0, (0, False), id="slow, none asked for"),
        pytest.param(0.1, 3, {}, 1000, (3, False), id="slow, three asked for"),
        pytest.param(0.001, 3, {}, 0, (0, True), id="quick, three asked for"),
        pytest.param(0.1, None, {"depth": "nightly"}, 0, (6, False), id="slow, nightly"),
        pytest.param(0.001, 3, {"depth": "nightly"}, 0, (None, False), id="three asked for, nightly"),
        pytest.param(0.001, 3, {"dist": "worksteal"}, 0, (None, False), id="three asked for otherwise"),
    ],
)
def test_number(
    monkeypatch: pytest.MonkeyPatch,
    latency: float,
    asked: int | None,
    how: dict[str, Any],
    load: float,
    due: tuple[int | None, bool],
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    assert _number(latency, asked, **how) == due


def _lines(result: Result) -> list[tuple[str, int]]:
    """The clauses with their checks, as report.json has them."""
    return [(clause["outcome"], clause["checks"]) for clause in result.report["clauses"]]


def test_a_slow_endpoint_is_asked_the_same_by_workers(tap: Any, endpoint: Process, tmp_path: Path) -> None:
    def slowly(request: Request, forward: Forward) -> Response:
        time.sleep(pause if server.received[1:] else 0)  # many a server is quick on a fresh connection
        return forward(request)

    results = []
    for pause in (0.0, controller.SLOW * 1.5):
        server, report = tap(endpoint.url, slowly), tmp_path / str(pause)
        given = (suite("access"), suite("missing"), "--endpoint-url", server.url, "--numprocesses=2")
        results.append(finish(start_suite(*given, report=report), report))
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
    result = finish(start_suite(*given, *workers_of_xdist, report=tmp_path), tmp_path, status=1)
    assert result.outcomes["request.json.robust"] == "violated"
