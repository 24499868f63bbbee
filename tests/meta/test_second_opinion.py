"""For each request of a gate run, two servers written apart agree on status and error type.

Or a ruling in ``test_second_opinion.toml`` says why they may differ.
"""

from __future__ import annotations

import fnmatch
import threading
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .mutants.bases import BaseServer
from .mutants.catalogue import MUTANTS
from .mutants.jobs import target_file
from .mutants.messages import Answer, Forward, Request, Response
from .mutants.proxy import Base, Proxy
from .mutants.signing import resigned
from .support import Result

RULINGS: list[dict[str, str]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)["ruling"]


@dataclass(frozen=True)
class Disagreement:
    """A request that the emulator and the second server answer differently."""

    request: Request
    emulator: str
    second: str

    def is_ruled_by(self, ruling: dict[str, str]) -> bool:
        asked = f"{self.request.method} {self.request.target}"
        return (
            fnmatch.fnmatchcase(self.emulator, ruling["emulator"])
            and fnmatch.fnmatchcase(self.second, ruling["second"])
            and fnmatch.fnmatchcase(asked, ruling.get("request", "*"))
        )


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
            result = run_suite("--endpoint-url", proxy.url, "--target", target, lean=False)
    assert result.status == 0, result.stdout
    assert both.asked > 1000
    assert (proxy.count.changed, proxy.count.faults) == (0, 0), "the proxy alone changes nothing"
    unruled = [found for found in both.found if not any(map(found.is_ruled_by, RULINGS))]
    assert [_shown(found) for found in unruled] == []
    needed = [ruling for ruling in RULINGS if "sometimes" not in ruling]
    assert [rule for rule in needed if not any(found.is_ruled_by(rule) for found in both.found)] == []


def test_a_disagreement_is_seen() -> None:
    with BaseServer("emulator") as emulator, BaseServer("second") as second:
        for server in (emulator, second):
            server.empty()
        emulator.stock("Alone", "s3://alone")
        both = Both(second.url)
        base = Base(emulator.url)
        for name in ("Alone", "Unknown"):
            both(resigned(get(name, emulator.url)), base.ask)
        base.close()
    assert [(found.emulator, found.second) for found in both.found] == [
        ("200", "404 ResourceNotFoundException")
    ]
    assert not any(found.is_ruled_by(ruling) for found in both.found for ruling in RULINGS)


def get(domain: str, url: str) -> Request:
    headers = (("Host", url.partition("://")[2]), ("Content-Type", "application/json"))
    return Request("POST", f"/domains/{domain}/integrations", headers, b'{"Uri": "s3://alone"}')


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
