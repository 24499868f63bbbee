"""Servers that are not ours: installed once, each apart from the others, and started from there."""

import contextlib
import fcntl
import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..support import DESCRIPTION, environment, wait_for

#: What is installed. The expectations were checked by hand against these versions.
PIP = {"moto": "moto[server]==5.2.5", "ministack": "ministack==1.5.33", "microburst": "microburst==0.10.0"}
NPM = {"prism": "@stoplight/prism-cli@5.14.2"}

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


class NotInstallableError(RuntimeError):
    """A server cannot be installed here; the message is the plain reason."""


def install(folder: Path, name: str) -> Path:
    """The folder of a server's programs, which are installed there unless they are.

    Raises:
        NotInstallableError: There is no npm, or no network, or no such version for this Python.
    """
    home = folder / name
    if name in PIP:
        wanted, programs = PIP[name], home / "bin"
        pip = [
            programs / "python",
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--no-compile",
            wanted,
        ]
        steps = [[sys.executable, "-m", "venv", home], pip]
    else:
        if (npm := shutil.which("npm")) is None:
            raise NotInstallableError("npm is not installed")
        wanted, programs = NPM[name], home / "node_modules" / ".bin"
        steps = [[npm, "install", "--loglevel=error", "--no-audit", "--no-fund", "--prefix", home, wanted]]
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
        raise NotInstallableError(f"{failing}: {(reasons or said)[0]}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstallableError(f"{failing}: {error}") from None


class Server:
    """A server in processes of its own, which end with this one.

    Args:
        command: Starts it, on a free port.
        log: Where its output goes.
        settings: Changes of its environment.
    """

    def __init__(self, *command: str | Path, log: Path, **settings: str) -> None:
        self._log = log
        with log.open("wb") as output:
            self._keeper = subprocess.Popen(
                [sys.executable, "-c", _KEEPER, *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment(**settings),
                start_new_session=True,
            )
        self.url = ""
        try:
            wait_for(self._started, START)
        except AssertionError:
            self.close()
            raise AssertionError(f"{command[0]} did not start:\n{self.output}") from None

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


def prism(programs: Path, log: Path, *options: str) -> Server:
    """Stoplight Prism, serving our description as a mock."""
    return Server(programs / "prism", "mock", "-h", "127.0.0.1", "-p", "0", *options, DESCRIPTION, log=log)


def moto(programs: Path, log: Path) -> Server:
    """The server of moto."""
    return Server(programs / "moto_server", "-H", "127.0.0.1", "-p", "0", log=log)


def ministack(programs: Path, log: Path) -> Server:
    """MiniStack, without what would listen on fixed ports or look for containers."""
    settings = {"GATEWAY_PORT": "0", "BIND_HOST": "127.0.0.1", "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0"}
    private = {"HOME": str(log.parent), "TMPDIR": str(log.parent), "DOCKER_HOST": "unix:///nonexistent"}
    return Server(programs / "ministack", log=log, **settings, **private)


class Microburst:
    """The fault-injecting proxy in front of a server; it has no rules until it is given some."""

    def __init__(self, programs: Path, log: Path, upstream: str) -> None:
        address = ("127.0.0.1", _free_port())
        command = ("--upstream", upstream, "--host", address[0], "--port", str(address[1]), "--no-resign")
        self._server = Server(programs / "microburst", *command, log=log)
        self._address = address
        self.url = self._server.url

        def serves() -> bool:
            with contextlib.suppress(OSError):
                return bool(self._control("GET", "health")["upstream"] == upstream)
            return False

        try:
            wait_for(serves, START)
        except AssertionError:
            self.close()
            raise

    def inject(self, *rules: Mapping[str, Any]) -> None:
        """Inject these faults from now on, and no others."""
        self._control("POST", "rules", rules)
        self._control("DELETE", "fired")

    @property
    def fired(self) -> int:
        """How many faults were injected since the rules were given."""
        return len(self._control("GET", "fired?limit=2000"))

    def close(self) -> None:
        """Stop it."""
        self._server.close()

    def _control(self, method: str, path: str, document: Any = None) -> Any:
        assert not self._server.ended, self._server.output
        connection = http.client.HTTPConnection(*self._address, timeout=10)
        body = None if document is None else json.dumps(document)
        try:
            connection.request(method, f"/_microburst/{path}", body)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
