"""What the suite costs, as ratios that do not depend on the machine: ``tox -e bench``.

Every figure is measured in one run against something that does a comparable job: plain ``st run``, a raw
loop of signed ``requests`` calls, an empty pytest run, a bare handler. Runs alternate and medians are taken,
because the machine's speed drifts.
"""

import argparse
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests
from measuring import ROOT, alternate, free_port, peak, run, wait_for
from requests_aws4auth import AWS4Auth

from getintegration_contract.exchange import SERVICE
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.target.emulator import LocalEmulator, emulator_identities

sys.path.insert(0, str(ROOT / "tests" / "meta"))

from mutants.messages import Forward, Request, Response
from mutants.proxy import Proxy

SUITE = "tests/contract"
GENERATED = "tests/contract/test_generated.py"
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
#: What figures are meant to be; a fuzzed case may take 2 ms where a raw call takes 0.86.
GOALS = {
    ("gate", "ratio"): ("<=", 1.2),
    ("gate", "-n 2 ratio"): ("<=", 1.05),
    ("request", "scenario ratio"): ("<=", 1.6),
    ("request", "fuzz ratio"): ("<=", 2.3),
    ("workers", "speed-up 2"): (">=", 1.75),
    ("latency", "ratio"): ("<=", 1 / 3),
    ("reports", "share"): ("<=", 0.1),
    ("compare", "s"): ("<=", 5.0),
    ("compare", "MB"): ("<=", 100.0),
    ("start-up", "ratio"): ("<=", 0.7),
    ("emulator", "ratio"): (">=", 0.5),
    ("memory", "ratio"): ("<=", 1.2),
}
#: Seconds that a slow endpoint takes to answer.
LATENCY = 0.1
#: Exchanges of two recordings that are compared.
COMPARED = 10_000
CALLER = emulator_identities()["caller"]


@contextmanager
def target_file() -> Iterator[Path]:
    """A target file with the emulator's identities."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "target.toml"
        example = (ROOT / "targets" / "emulator.toml").read_text()
        path.write_text(f"throttling-rate = 20\n{example}")  # a slow endpoint is not asked more often
        yield path


def gate(pairs: int) -> dict[str, float]:
    """The default gate run, emulator start included, against plain ``st run`` on the same description."""
    st = [sys.executable, "-m", "schemathesis.cli", "run", str(ROOT / "openapi" / "get-integration.yaml")]
    with LocalEmulator("--no-signatures") as emulator, tempfile.TemporaryDirectory() as folder:
        ours, theirs, two = alternate(
            pairs,
            lambda: run([*PYTEST, SUITE]).wall,
            lambda: run([*st, "--url", emulator.url], Path(folder)).wall,
            lambda: run([*PYTEST, SUITE, "-n", "2"]).wall,
        )
    return {
        "gate s": ours,
        "st run s": theirs,
        "gate -n 2 s": two,
        "-n 2 ratio": two / ours,
        "requests": run([*PYTEST, SUITE]).requests,
        "ratio": ours / theirs,
    }


def raw_call(emulator: LocalEmulator, count: int = 400) -> float:
    """CPU seconds of one signed ``requests`` call, as anybody would write it."""
    session = requests.Session()
    auth = AWS4Auth(CALLER.access_key, CALLER.secret_key, "us-east-1", SERVICE)
    url = f"{emulator.url}/domains/Unknown/integrations"
    clock = time.process_time()
    for _ in range(count):
        session.post(
            url, data=b'{"Uri": "s3://bucket"}', headers={"Content-Type": "application/json"}, auth=auth
        )
    return (time.process_time() - clock) / count


def request_cost(pairs: int) -> dict[str, float]:
    """CPU of a scenario's request, pytest included, and of a fuzzed one, against the raw call."""
    with LocalEmulator() as emulator, target_file() as target:
        base = [*PYTEST, SUITE, "--endpoint-url", emulator.url, "--target", str(target)]
        # Those files whose requests are single, unhurried ones: no SDKs, threads or pauses.
        plain = [
            f"{SUITE}/test_{name}.py"
            for name in ("valid", "malformed", "missing", "signatures", "precedence", "generated")
        ]
        scenarios = [*PYTEST, *plain, *base[len(PYTEST) + 1 :]]

        def cpu_per_request(command: list[str], less: list[str]) -> float:
            more, fewer = run(command), run(less)
            return (more.cpu - fewer.cpu) / (more.requests - fewer.requests)

        raw, scenario, fuzz = alternate(
            pairs,
            lambda: raw_call(emulator),
            lambda: cpu_per_request([*scenarios, "-k", "not test_fuzz"], [*scenarios, "-k", "test_existing"]),
            lambda: cpu_per_request(
                [*base, "-k", "test_fuzz", "--max-examples", "600"],
                [*base, "-k", "test_fuzz", "--max-examples", "100"],
            ),
        )
    return {
        "raw ms": raw * 1000,
        "scenario ms": scenario * 1000,
        "fuzz ms": fuzz * 1000,
        "scenario ratio": scenario / raw,
        "fuzz ratio": fuzz / raw,
    }


def workers(pairs: int) -> dict[str, float]:
    """Nightly depth with 1, 2 and 4 workers."""
    command = [*PYTEST, SUITE, "--depth", "nightly"]
    one, two, four = alternate(
        pairs,
        lambda: run(command).wall,
        lambda: run([*command, "-n", "2"]).wall,
        lambda: run([*command, "-n", "4"]).wall,
    )
    return {"1 s": one, "2 s": two, "4 s": four, "speed-up 2": one / two, "speed-up 4": one / four}


def reports(pairs: int) -> dict[str, float]:
    """What all reports of a nightly run add to it."""
    command = [*PYTEST, SUITE, "--depth", "nightly"]
    with tempfile.TemporaryDirectory() as folder:
        plain, reported = alternate(
            pairs,
            lambda: run(command).wall,
            lambda: run([*command, "--report-dir", folder]).wall,
        )
    return {"nightly s": plain, "with reports s": reported, "share": reported / plain - 1}


def latency(pairs: int) -> dict[str, float]:
    """The gate against an endpoint that is slow to answer, against all of its requests one after another."""

    def late(request: Request, forward: Forward) -> Response:
        time.sleep(LATENCY)
        return forward(request)

    with LocalEmulator() as emulator, target_file() as target, Proxy(emulator.url, late) as slow:
        command = [*PYTEST, SUITE, "--endpoint-url", slow.url, "--target", str(target)]
        runs = [run(command) for _ in range(pairs)]
    middle = sorted(runs, key=lambda each: each.wall)[len(runs) // 2]
    serial = middle.requests * LATENCY
    return {"gate s": middle.wall, "requests x latency s": serial, "ratio": middle.wall / serial}


def compare() -> dict[str, float]:
    """Comparing two recordings of many exchanges: time and peak memory of the command."""
    with tempfile.TemporaryDirectory() as folder:
        one, other = Path(folder) / "one.har", Path(folder) / "other.har"
        run([*PYTEST, GENERATED, "--max-examples", str(COMPARED), "--record", str(one)])
        shutil.copy(one, other)
        command = [sys.executable, "-m", "getintegration_contract", "compare", str(one), str(other)]
        seconds, mebibytes = peak(command)
    return {"s": seconds, "MB": mebibytes * 1.048576}


def start_up(pairs: int) -> dict[str, float]:
    """Start to the first request, against a whole empty pytest run with the same plugins."""

    def first_request() -> float:
        with socket.create_server(("127.0.0.1", 0)) as server:
            command = [*PYTEST, SUITE, "--endpoint-url", f"http://127.0.0.1:{server.getsockname()[1]}"]
            environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
            clock = time.perf_counter()
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
            server.settimeout(60)
            server.accept()
            seconds = time.perf_counter() - clock
            process.kill()
            process.wait()
        return seconds

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_empty.py").write_text("def test_empty(): pass\n")
        ours, empty = alternate(pairs, first_request, lambda: run(PYTEST, Path(folder)).wall)
    return {"first request s": ours, "empty pytest s": empty, "ratio": ours / empty}


_BARE = """
import asyncio, sys, uvicorn
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
"""


def emulator_speed(pairs: int) -> dict[str, float]:
    """The emulator's requests a second and tail latency, against a bare handler on uvicorn."""
    port = free_port()
    bare = subprocess.Popen([sys.executable, "-c", _BARE, str(port)])
    try:
        with LocalEmulator() as emulator:
            client = Client(emulator.url, "us-east-1")
            signed = client.sign(get_integration("Unknown", "s3://bucket"), CALLER)
            tails: dict[str, list[float]] = {"emulator": [], "bare": []}

            def load(name: str, url: str) -> float:
                connection = http.client.HTTPConnection(urlsplit(url).netloc)
                taken = []
                for _ in range(1500):
                    clock = time.perf_counter()
                    connection.request("POST", signed.target, signed.body, dict(signed.headers))
                    connection.getresponse().read()
                    taken.append(time.perf_counter() - clock)
                connection.close()
                tails[name].append(sorted(taken)[int(0.99 * len(taken))])
                return len(taken) / sum(taken)

            wait_for(port)
            ours, theirs = alternate(
                pairs,
                lambda: load("emulator", emulator.url),
                lambda: load("bare", f"http://127.0.0.1:{port}"),
            )
    finally:
        bare.kill()
        bare.wait()
    p99 = {name: statistics.median(values) * 1000 for name, values in tails.items()}
    return {
        "emulator/s": ours,
        "bare/s": theirs,
        "ratio": ours / theirs,
        "emulator p99 ms": p99["emulator"],
        "bare p99 ms": p99["bare"],
    }


def memory(sizes: list[int]) -> dict[str, float]:
    """Peak memory at nightly depth; it must not grow with the number of cases."""
    peaks = {}
    for size in sizes:
        command = [*PYTEST, GENERATED, "--depth", "nightly", "--max-examples", str(size)]
        peaks[f"{size} s"], peaks[f"{size} MiB"] = peak(command)
    peaks["ratio"] = peaks[f"{sizes[-1]} MiB"] / peaks[f"{sizes[0]} MiB"]
    return peaks


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, float]]] = {
    "gate": lambda options: gate(options.pairs),
    "request": lambda options: request_cost(options.pairs),
    "workers": lambda options: workers(max(1, options.pairs // 2)),
    "latency": lambda options: latency(max(1, options.pairs // 2)),
    "reports": lambda options: reports(max(1, options.pairs // 2)),
    "compare": lambda options: compare(),
    "start-up": lambda options: start_up(options.pairs),
    "emulator": lambda options: emulator_speed(options.pairs),
    "memory": lambda options: memory(options.sizes),
}


def main() -> None:
    """Measure what is asked for, print a table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="rounds of each measurement (default 5)")
    parser.add_argument("--only", choices=PARTS, help="measure only this part")
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=[1000, 10000, 100000],
        help="cases for memory (default %(default)s)",
    )
    parser.add_argument(
        "--json", type=Path, default="bench.json", help="write the figures here (%(default)s)"
    )
    options = parser.parse_args()
    figures = {}
    for name, measure in PARTS.items():
        if options.only in (None, name):
            figures[name] = measure(options)
            print(name)
            for label, value in figures[name].items():
                print(f"  {label:<20} {value:10.3f}  {_judged(name, label, value)}", flush=True)
    options.json.write_text(json.dumps(figures, indent=2) + "\n")


def _judged(part: str, label: str, value: float) -> str:
    """What a ratio is meant to be, and whether it is."""
    if (part, label) not in GOALS:
        return ""
    sign, goal = GOALS[part, label]
    met = value <= goal if sign == "<=" else value >= goal
    return f"{sign} {goal:.4g}  {'met' if met else 'MISSED'}"


if __name__ == "__main__":
    main()
