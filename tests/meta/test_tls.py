"""A whole run over TLS, with certificates as OpenSSL keeps them: a folder of files named by their hash."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .conftest import RunSuite
from .support import Process, suite

CERTIFICATES = Path(__file__).with_name("certificates")
AUTHORITIES = CERTIFICATES / "authorities"


@pytest.fixture
def secure(endpoint: Process) -> Iterator[str]:
    """The address of the emulator behind TLS."""
    behind = urlsplit(endpoint.url)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / "server.pem")

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner = await asyncio.open_connection(behind.hostname, behind.port)
        await asyncio.gather(copy(reader, inner[1]), copy(inner[0], writer), return_exceptions=True)

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def test_a_folder_of_certificates_is_trusted_and_official_clients_are_left_out(
    run_suite: RunSuite, secure: str
) -> None:
    env = {"REQUESTS_CA_BUNDLE": str(AUTHORITIES)}
    files = [suite(name) for name in ("missing", "sdk", "transport")]
    result = run_suite(*files, "--depth=nightly", "--endpoint-url", secure, env=env)
    assert result.status == 0, result.output
    clients = {entry["id"]: entry for entry in result.report["clauses"] if entry["id"].startswith("sdk.")}
    assert clients
    for entry in clients.values():
        assert (entry["outcome"], "a folder of certificates" in entry["reason"]) == ("not exercised", True), (
            entry
        )


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_file_of_certificates_is_for_official_clients_too(
    run_suite: RunSuite, secure: str, name: str
) -> None:
    (bundle,) = AUTHORITIES.iterdir()
    result = run_suite(suite("sdk"), "--endpoint-url", secure, env={name: str(bundle)})
    assert result.status == 0, result.output
    assert result.outcomes["sdk.boto3"] == "upheld"


def test_a_certificate_of_nobody_known_ends_the_run(run_suite: RunSuite, secure: str) -> None:
    result = run_suite(suite("missing"), "--endpoint-url", secure)
    assert result.status == 6, result.output
    assert "is not trusted" in result.output


def test_a_proxy_that_refuses_the_tunnel_is_named(
    run_suite: RunSuite, secure: str, endpoint: Process
) -> None:
    env = {"HTTPS_PROXY": endpoint.url.replace("//", "//me:hidden-word@"), "NO_PROXY": ""}
    env |= {"REQUESTS_CA_BUNDLE": str(AUTHORITIES)}
    result = run_suite(suite("missing"), "--endpoint-url", secure, env=env)
    assert result.status == 6, result.output
    assert f"{secure} is not reached through the proxy {endpoint.url} of the environment: " in result.output
    assert "Tunnel connection failed: 40" in result.output
    assert "hidden-word" not in result.output
