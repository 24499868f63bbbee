"""Servers that are not ours: installed once, each apart from the others, and started from there."""

import contextlib
import fcntl
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from ..support import DESCRIPTION, environment, wait_for

#: What is installed. The expectations were checked by hand against these versions.
PIP = {"moto": "moto[server]==5.2.5", "ministack": "ministack==1.5.33", "microburst": "microburst==0.10.0"}
NPM = {"prism": "@stoplight/prism-cli@5.14.2"}
#: How each is started, on a free port; microburst is given one.
COMMANDS: dict[str, tuple[str | Path, ...]] = {
    "moto": ("moto_server", "-H", "127.0.0.1", "-p", "0"),
    "ministack": ("ministack",),
    "microburst": ("microburst", "--host", "127.0.0.1", "--no-resign"),
    "prism": ("prism", "mock", "-h", "127.0.0.1", "-p", "0", DESCRIPTION),
}
#: MiniStack would listen on fixed ports, too, and look for containers.
_QUIET = {"GATEWAY_PORT": "0", "BIND_HOST": "127.0.0.1", "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0"}

#: Seconds that a step of an installation, and the start of a server, may take.
INSTALLATION, START = 300, 60

#: Runs a server until it ends or standard input does, then stops all that is left of it. So it ends with the
#: process that holds the other end of that input, however that dies. Prism needs an open input, too.
_KEEPER = """
import contextlib, os, select, signal, subprocess, sys
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
while server.poll() is None and not select.select([sys.stdin], [], [], 0.1)[0]:
    pass
for number in (signal.SIGTERM, signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(server.pid, number)
        server.wait(3)
"""


def install(folder: Path, name: str) -> Path:
    """The folder of a server's programs, which are installed there unless they are.

    Without npm, network, or such a version for this Python, the test fails with the plain reason.
    """
    home = folder / name
    if name in PIP:
        wanted, programs = PIP[name], home / "bin"
        pip = ["-m", "pip", "--disable-pip-version-check", "install", "--no-compile"]
        steps = [[sys.executable, "-m", "venv", home], [programs / "python", *pip, wanted]]
    else:
        wanted, programs = NPM[name], home / "node_modules" / ".bin"
        npm = ["npm", "install", "--loglevel=error", "--no-audit", "--no-fund", "--prefix"]
        steps = [[*npm, home, wanted]]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = home / "installed"
        if not done.exists() or done.read_text(encoding="utf-8") != wanted:
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            for step in steps:
                _run([*map(str, step)], f"{wanted} cannot be installed")
            done.write_text(wanted, encoding="utf-8")
    return programs


def _run(command: list[str], failing: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALLATION)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "no reason given").strip().splitlines()
        reasons = [line for line in said if "error" in line.lower()]
        pytest.fail(f"{failing}: {(reasons or said)[0]}")
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.fail(f"{failing}: {error}")


class Server:
    """A server in processes of its own, which end with this one.

    Args:
        name: Which one.
        programs: The folder of its programs.
        folder: Where its output and whatever it writes goes.
        options: Further arguments.
    """

    def __init__(self, name: str, programs: Path, folder: Path, *options: str) -> None:
        program, *arguments = COMMANDS[name]
        private = {"HOME": str(folder), "TMPDIR": str(folder), "DOCKER_HOST": "unix:///nonexistent", **_QUIET}
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as output:
            self._keeper = subprocess.Popen(
                [sys.executable, "-c", _KEEPER, *map(str, (programs / program, *arguments, *options))],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment(**(private if name == "ministack" else {})),
                start_new_session=True,
            )
        self.url = ""
        try:
            wait_for(self._started, START)
        except AssertionError:
            self.close()
            raise AssertionError(f"{name} did not start:\n{self.output}") from None

    def _started(self) -> bool:
        """Whether it has said where it listens; it may also have ended."""
        found = re.search(r"(?:Running|listening) on (http://127\.0\.0\.1:\d+)", self.output)
        self.url = found[1] if found else ""
        assert found or not self.ended
        return bool(found)

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def ended(self) -> bool:
        """Whether it has come to an end."""
        return self._keeper.poll() is not None

    def close(self) -> None:
        """Stop it."""
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        try:
            self._keeper.wait(10)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()


class Microburst(Server):
    """The fault-injecting proxy in front of a server; it has no rules until it is given some."""

    def __init__(self, programs: Path, folder: Path, upstream: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self._upstream = upstream
        super().__init__("microburst", programs, folder, "--upstream", upstream, "--port", str(port))

    def _started(self) -> bool:
        with contextlib.suppress(requests.ConnectionError):
            return super()._started() and bool(self._control("GET", "health")["upstream"] == self._upstream)
        return False

    def inject(self, *rules: Mapping[str, Any]) -> None:
        """Inject these faults from now on, and no others."""
        self._control("POST", "rules", rules)
        self._control("DELETE", "fired")

    @property
    def fired(self) -> int:
        """How many faults were injected since the rules were given."""
        return len(self._control("GET", "fired?limit=2000"))

    def _control(self, method: str, path: str, document: Any = None) -> Any:
        assert not self.ended, self.output
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, f"{self.url}/_microburst/{path}", json=document, timeout=10).json()
