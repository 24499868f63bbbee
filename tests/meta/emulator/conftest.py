"""What the tests of the emulator share: an emulator, and a client that sends what it is told.

Every test gets a region of its own, and with it a state of its own: one emulator serves them all.
"""

import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from getintegration_contract.target.emulator import LocalEmulator
from getintegration_emulator.identities import DEFAULT_IDENTITIES, Identity

from ..mutants.messages import Request, Response
from ..mutants.proxy import Base
from ..mutants.wire import dial

_S3 = {"ConnectorType": "S3", "SourceConnectorProperties": {"S3": {"BucketName": "bucket"}}}
_TASK = {
    **{"SourceFields": ["a"], "TaskType": "Map"},
    **{"TaskProperties": {"DATA_TYPE": "string"}, "ConnectorOperator": {"S3": "NO_OP"}},
}
_SCHEDULE = {"Scheduled": {"ScheduleExpression": "rate(1hours)"}}
#: A flow definition that keeps every rule.
FLOW_DEFINITION: dict[str, Any] = {
    "FlowName": "my-flow",
    "KmsArn": "arn:aws:kms:us-east-1:111122223333:key/k",
    "SourceFlowConfig": _S3,
    "Tasks": [_TASK],
    "TriggerConfig": {"TriggerType": "Scheduled", "TriggerProperties": _SCHEDULE},
}

Headers = Mapping[str, str]

_regions = (f"test-{os.getpid()}-{number}" for number in itertools.count(1))


class Wire:
    """Sends requests as they are given, without normalising anything."""

    def __init__(self, url: str, region: str) -> None:
        self.url = url
        self.host = urlsplit(url).netloc
        self.region = region
        self._base = Base(url)
        self.close = self._base.close

    def send(self, method: str, target: str, body: bytes = b"", headers: Headers | None = None) -> Response:
        """Send one request as it is; nothing is signed, only Host and Content-Length are added."""
        names = {"host": self.host, **{name.lower(): value for name, value in (headers or {}).items()}}
        return self._base.ask(Request(method, target, tuple(names.items()), body))

    def exchange(self, data: bytes) -> bytes:
        """Send raw bytes on a connection of their own; all that comes until it closes."""
        with dial(self.url) as connection:
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def signed_headers(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Headers | None = None,
        *,
        identity: Identity = DEFAULT_IDENTITIES["caller"],
        token: str | None = None,
        region: str | None = None,
    ) -> dict[str, str]:
        """The headers of a request, botocore's signature among them."""
        request = AWSRequest(
            method, self.url + target, data=body, headers={"Host": self.host, **(headers or {})}
        )
        credentials = Credentials(identity.access_key, identity.secret_key, token or identity.session_token)
        SigV4Auth(credentials, "profile", region or self.region).add_auth(request)
        return dict(request.headers.items())

    def call(
        self, method: str, target: str, body: Any = b"", headers: Headers | None = None, **how: Any
    ) -> Response:
        """Sign one request with botocore, as :meth:`signed_headers` does, and send it."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        signed = self.signed_headers(method, target, content, headers, **how)
        return self.send(method, target, content, signed)

    def create_domain(self, name: str = "shop", **how: Any) -> None:
        reply = self.call("POST", f"/domains/{name}", {"DefaultExpirationDays": 30}, **how)
        assert reply.status == 200, reply

    def put(self, domain: str = "shop", uri: str = "arn:flow", **members: Any) -> Response:
        return self.call("PUT", f"/domains/{domain}/integrations", {"Uri": uri, **members})

    def get(self, domain: str = "shop", uri: str = "arn:flow", **how: Any) -> Response:
        return self.call("POST", f"/domains/{domain}/integrations", {"Uri": uri}, **how)


Connect = Callable[[LocalEmulator], Wire]


@pytest.fixture(scope="session")
def emulator() -> Iterator[LocalEmulator]:
    """The emulator as it comes, for the whole session."""
    with LocalEmulator() as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes a client for any emulator, in a region that no other test uses."""
    region = next(_regions)
    with ExitStack() as stack:
        yield lambda running: stack.enter_context(closing(Wire(running.url, region)))


@pytest.fixture
def wire(emulator: LocalEmulator, connect: Connect) -> Wire:
    """A client of the session's emulator."""
    return connect(emulator)
