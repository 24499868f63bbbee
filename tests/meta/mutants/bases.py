"""The servers behind the proxy: started once, emptied and stocked between runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from .messages import Request, Response
from .proxy import Base
from .signing import IDENTITIES, resigned

ROOT = Path(__file__).resolve().parents[3]
_OPTIONS = ("--port", "0", "--exit-with-stdin", "--region", "us-east-1")
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


class BaseServer:
    """One correct server in a process of its own, with options if need be; it ends with this process."""

    def __init__(self, name: str, *options: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, *_COMMANDS[name], *_OPTIONS, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self.url: str = json.loads(self._process.stdout.readline())["url"]

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

    def stop(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()

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

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
