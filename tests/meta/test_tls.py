"""A whole run over TLS, with certificates as OpenSSL keeps them: a folder of files named by their hash."""

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract.errors import EndpointDown
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.faults import FaultError

from .conftest import RunSuite
from .mutants.proxy import Proxy
from .support import PASSING, Process, suite

CERTIFICATES = Path(__file__).with_name("certificates")
AUTHORITIES = CERTIFICATES / "authorities"


@pytest.fixture
def secure(endpoint: Process, closing: Any) -> str:
    """The address of the emulator behind TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / "server.pem")
    proxy: Proxy = closing(Proxy(endpoint.url, PASSING, tls=context))
    return proxy.url


def test_a_folder_of_certificates_is_trusted_and_official_clients_are_left_out(
    run_suite: RunSuite, secure: str
) -> None:
    env = {"REQUESTS_CA_BUNDLE": str(AUTHORITIES)}
    files = [suite(name) for name in ("missing", "sdk", "transport")]
    result = run_suite(*files, "--depth=nightly", "--endpoint-url", secure, env=env, status=0)
    clients = {entry["id"]: entry for entry in result.report["clauses"] if entry["id"].startswith("sdk.")}
    assert {entry["outcome"] for entry in clients.values()} == {"not exercised"}
    assert all("a folder of certificates" in entry["reason"] for entry in clients.values()), clients


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_file_of_certificates_is_for_official_clients_too(
    run_suite: RunSuite, secure: str, name: str
) -> None:
    (bundle,) = AUTHORITIES.iterdir()
    result = run_suite(suite("sdk"), "--endpoint-url", secure, env={name: str(bundle)}, status=0)
    assert result.outcomes["sdk.boto3"] == "upheld"


def test_the_variable_of_aws_names_certificates_before_that_of_requests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(CERTIFICATES))
    assert Client("https://127.0.0.1:1", "us-east-1").route.verify == str(CERTIFICATES)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(EndpointDown, match=r"CA bundle not found: .*none\.pem"):
        Client("https://127.0.0.1:1", "us-east-1")


def test_a_server_that_lets_the_handshake_wait_is_said_to_speak_no_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Client(f"https://127.0.0.1:{silent.getsockname()[1]}", "us-east-1")
        with pytest.raises(FaultError) as fault:
            client.route.connect(0.1)
    assert "no TLS with https" in fault.value.detail


def test_a_proxy_that_refuses_the_tunnel_is_named_and_a_certificate_of_nobody_known(
    run_suite: RunSuite, secure: str, endpoint: Process
) -> None:
    env = {"HTTPS_PROXY": endpoint.url.replace("//", "//me:hidden-word@"), "NO_PROXY": ""}
    env |= {"REQUESTS_CA_BUNDLE": str(AUTHORITIES)}
    result = run_suite(suite("missing"), "--endpoint-url", secure, env=env, status=6)
    assert f"{secure} is not reached through the proxy {endpoint.url} of the environment: " in result.output
    assert "Tunnel connection failed: 40" in result.output
    assert "hidden-word" not in result.output
    result = run_suite(suite("missing"), "--endpoint-url", secure, status=6)
    assert "is not trusted" in result.output
