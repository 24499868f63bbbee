"""Fixtures of the suite's own tests: runs of the suite, shared where possible, and servers to run against."""

import contextlib
import copy
import fcntl
import itertools
import json
import multiprocessing
import os
import runpy
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract.sending.client import Client
from getintegration_contract.state.provisioner import Provisioner

from .mutants.kit import always, on_status
from .mutants.messages import Request, error
from .report.browser import Browser
from .support import (
    CALLER,
    CONTRACT,
    IDENTITIES,
    ROOT,
    Process,
    Result,
    Script,
    Tap,
    command_line,
    emulator,
    environment,
    recorded_run,
    stock,
)
from .warm import PRELOADED

# Where SIGINT or SIGHUP is ignored (a job in the background, nohup), children would ignore it too; what a
# process handles is back at its default in its children.
signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

RunSuite = Callable[..., Result]
Close = Callable[[Any], Any]
Serve = Callable[[Script], Tap]

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(PRELOADED)


@pytest.fixture
def run_suite(tmp_path: Path) -> RunSuite:
    """Runs the suite with options and waits for its end; the reports go into a folder of their own.

    Where a ``status`` is given, the run has to end with it; ``plugin`` is the code of one that it loads.
    """
    numbers = itertools.count()

    def run_suite(
        *options: str | Path,
        report: bool = True,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        timeout: float = 90,
        status: int | None = None,
        plugin: str = "",
    ) -> Result:
        folder = tmp_path / f"run-{next(numbers)}"
        folder.mkdir()
        env = dict(env or environment())
        if plugin:
            (folder / "plugged.py").write_text(plugin, encoding="utf-8")
            options, env["PYTHONPATH"] = ("-p", "plugged", *options), str(folder)
        reports = folder / "reports" if report else None
        streams = {name: str(folder / name) for name in ("stdout", "stderr")}
        run = {"arguments": command_line(options, reports), "cwd": str(cwd), "env": env, **streams}
        script = str(Path(__file__).with_name("warm.py"))
        process = _FORKS.Process(target=runpy.run_path, args=(script, {"run": run}, "__main__"))
        process.start()
        process.join(timeout)
        if (ended := process.exitcode) is None:
            os.killpg(process.pid or 0, signal.SIGKILL)
            process.join()
        result = Result(ended or 0, *(Path(name).read_text("utf-8") for name in streams.values()), reports)
        assert ended is not None, f"the run did not end within {timeout:g} s:\n{result.output}"
        return result.due(status)

    return run_suite


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], Any]], Any]:
    """Makes something JSON-able once for all workers: ``shared(name, make)``, ``make`` is given a folder."""
    base = tmp_path_factory.getbasetemp()
    if base.name.startswith("popen-"):
        base = base.parent

    def shared(name: str, make: Callable[[Path], Any]) -> Any:
        folder = base / f"shared-{name}"
        with (base / f"shared-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "made.json").exists():
                folder.mkdir(exist_ok=True)
                made = make(folder)
                (folder / "made.json").write_text(json.dumps(made), encoding="utf-8")
        return json.loads((folder / "made.json").read_text(encoding="utf-8"))

    return shared


@pytest.fixture(scope="session")
def default_run(shared: Any) -> Result:
    """The run without options: everything, against the shipped emulator."""
    return Result.again(shared("default-run", recorded_run))


@pytest.fixture(scope="session")
def endpoint() -> Iterator[Process]:
    """An emulator that outlives runs against it."""
    server = emulator()
    yield server
    server.close()


@pytest.fixture
def holding(closing: Any) -> Process:
    """An emulator that holds an integration."""
    server: Process = closing(emulator())
    stock(server.url, "Mine", "s3://mine")
    return server


@pytest.fixture
def closing() -> Iterator[Close]:
    """Closes what it is given at the end of a test, the last first."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(contextlib.closing(server))


@pytest.fixture
def connect(closing: Close) -> Callable[..., Client]:
    """Makes clients."""
    return lambda url, **options: closing(Client(url, "us-east-1", **options))


@pytest.fixture
def serve(closing: Close) -> Serve:
    """Starts a server whose answers a function makes."""
    return lambda script: closing(Tap("", lambda request, _: script(request)))


@pytest.fixture
def against(serve: Serve, connect: Callable[..., Client]) -> Callable[..., tuple[Client, Tap]]:
    """Makes a client of a server whose answers a function makes, and that server."""

    def against(script: Script, **options: Any) -> tuple[Client, Tap]:
        server = serve(script)
        return connect(server.url, **options), server

    return against


@pytest.fixture
def tap(closing: Close) -> Callable[..., Tap]:
    """Listens in on what is sent to a server, and may change what it answers."""
    return lambda *how: closing(Tap(*how))


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """Chromium without a window."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    return Browser(path, tmp_path)


@pytest.fixture
def provisioner(connect: Callable[..., Client]) -> Callable[..., Provisioner]:
    """Makes provisioners for an address."""
    return lambda url, say=print: Provisioner(connect(url), {"caller": CALLER}, say)


@pytest.fixture
def refusing(tap: Callable[..., Tap], endpoint: Process) -> Callable[[Callable[[Request], object]], str]:
    """An emulator that refuses some requests as invalid: its address."""
    bad = error(400, "BadRequestException")
    return lambda when: tap(endpoint.url, lambda asked, forward: bad if when(asked) else forward(asked)).url


@pytest.fixture
def mislabelling(tap: Callable[..., Tap], endpoint: Process) -> str:
    """An emulator that calls what it does not find text: its address."""
    as_text = on_status(404, lambda answer: answer.with_header("Content-Type", "text/json"), always)
    return tap(endpoint.url, as_text).url


@pytest.fixture
def target_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a target file: lines of TOML, with the identities that emulator and second server know."""

    def write(*lines: str, identities: str = IDENTITIES) -> Path:
        path = tmp_path / "target.toml"
        path.write_text("\n".join(lines) + "\n" + identities, encoding="utf-8")
        return path

    return write


@pytest.fixture
def document() -> dict[str, Any]:
    """The description, to be changed at will."""
    return copy.deepcopy(CONTRACT.document)
