"""The servers behind the proxy: started once, emptied and stocked between runs."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

from .messages import Request, Response
from .proxy import Base
from .signing import IDENTITIES, resigned

ROOT = Path(__file__).resolve().parents[3]
_COMMANDS = {
    "emulator": ("-m", "getintegration_emulator"),
    "second": (str(ROOT / "tests" / "meta" / "second_server"),),
}
NAMES = tuple(_COMMANDS)
#: Where a run finds its integration if it may not make one: a domain and a Uri.
STOCK = ("ContractStock", "s3://Contract-Stock/Caf\u00e9/a%20b")
#: Seconds that a server may take to start.
_START = 15

_STOCKED = {
    "ObjectTypeName": "Contract_Type-1",
    "Tags": {"team": "contract"},
    "RoleArn": "arn:aws:iam::123456789012:role/GetIntegrationContract",
}


class StartError(RuntimeError):
    """A server did not say where it listens."""


class Process:
    """A server in a process of its own that prints its address as JSON and ends with its input."""

    def __init__(self, *command: str | Path, **how: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *map(str, command), "--port", "0", "--exit-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            **how,
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _START)
        try:
            self.url: str = json.loads(self._process.stdout.readline() if ready else b"")["url"]
        except (ValueError, LookupError, TypeError) as error:
            self.kill()
            raise StartError(f"{command} did not start") from error

    def close(self) -> None:
        """Stop it."""
        self._process.communicate(timeout=10)

    def kill(self) -> None:
        """Let it die at once."""
        self._process.kill()
        self._process.communicate()


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

    def _ask(self, connection: Base, who: str, method: str, path: str, document: object = None) -> Response:
        headers = (("Host", self.url.partition("://")[2]), ("Content-Type", "application/json"))
        body = b"" if document is None else json.dumps(document, ensure_ascii=False).encode()
        answer = connection.ask(resigned(Request(method, path, headers, body), IDENTITIES[who]))
        if answer.status != 200:
            raise RuntimeError(f"{self.name}: {method} {path} answered {answer.status} {answer.body!r}")
        return answer

    def __enter__(self) -> BaseServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
