"""The servers behind the proxy: started once, emptied and stocked between runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .messages import Request, Response
from .proxy import Base
from .signing import IDENTITIES, resigned

ROOT = Path(__file__).resolve().parents[3]
_COMMANDS = {
    "emulator": ("-m", "getintegration_emulator"),
    "second": (str(ROOT / "tests" / "meta" / "second_server"),),
}
NAMES = tuple(_COMMANDS)

_STOCKED = {
    "ObjectTypeName": "Contract_Type-1",
    "Tags": {"team": "contract"},
    "RoleArn": "arn:aws:iam::123456789012:role/GetIntegrationContract",
}


class Process:
    """A server in a process of its own that prints its address as JSON and ends with its input."""

    def __init__(
        self, *command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *map(str, command), "--port", "0", "--exit-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.url: str = json.loads(self._process.stdout.readline())["url"]

    def close(self) -> None:
        """Stop it."""
        self._process.communicate(timeout=10)

    def kill(self) -> None:
        """Let it die at once."""
        self._process.kill()
        self._process.wait()


class BaseServer(Process):
    """One correct server, with options if need be, that can be emptied and stocked."""

    def __init__(self, name: str, *options: str) -> None:
        self.name = name
        super().__init__(*_COMMANDS[name], "--region", "us-east-1", *options, cwd=ROOT)

    def empty(self) -> None:
        """Remove every domain of every account."""
        connection = Base(self.url)
        for name in ("caller", "other-account"):
            listed = self._ask(connection, name, "GET", "/domains").document
            for item in listed["Items"]:
                self._ask(connection, name, "DELETE", f"/domains/{item['DomainName']}")
        connection.close()

    def stock(self, domain: str, uri: str) -> None:
        """Make a domain with one integration."""
        connection = Base(self.url)
        self._ask(connection, "caller", "POST", f"/domains/{domain}", {"DefaultExpirationDays": 366})
        members = {"Uri": uri, **_STOCKED}
        self._ask(connection, "caller", "PUT", f"/domains/{domain}/integrations", members)
        connection.close()

    def _ask(
        self, connection: Base, identity: str, method: str, path: str, document: object = None
    ) -> Response:
        headers = (("Host", self.url.partition("://")[2]), ("Content-Type", "application/json"))
        body = b"" if document is None else json.dumps(document, ensure_ascii=False).encode()
        answer = connection.ask(resigned(Request(method, path, headers, body), IDENTITIES[identity]))
        if answer.status != 200:
            raise RuntimeError(f"{self.name}: {method} {path} answered {answer.status} {answer.body!r}")
        return answer

    def __enter__(self) -> BaseServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
