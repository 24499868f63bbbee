"""The process: start, options, log, and every way in which it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.target.emulator import LocalEmulator
from getintegration_emulator.__main__ import GRACE, main, url_of
from getintegration_emulator.identities import DEFAULT_IDENTITIES, load_identities
from getintegration_emulator.request import Request
from getintegration_emulator.sigv4 import Directory

from ..mutants.wire import dial
from ..support import EXAMPLE

PATH = "/domains/shop/integrations"
CALLER = DEFAULT_IDENTITIES["caller"]
GOOD = """
[identities.first]
access-key-id = "AKIAEXAMPLEMYSELF001"
secret-access-key = "mine"
account = "000000000001"
session-token = "token"
rate = 3
burst = 4.5

[identities.second]
access-key-id = "AKIAEXAMPLEMYSELF002"
secret-access-key = "mine too"
account = "000000000001"
permitted = false
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_in_order(number: signal.Signals) -> None:
    with LocalEmulator() as running, dial(running.url) as refused:
        refused.sendall(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
        assert refused.recv(65536)
        with dial(running.url) as left:
            left.sendall(b"GET ")
        running.process.send_signal(number)
        assert running.process.wait(GRACE - 0.5) == 0, "nobody is waited for who has left or was refused"
        assert running.stderr() == ""


def test_once_it_listens_no_timer_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with LocalEmulator() as running:
        timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
        assert os.getsid(running.process.pid) != os.getsid(0), "Ctrl-C does not reach it"
        for timer in timers:
            timer.join(1)
        assert not any(timer.is_alive() for timer in timers)


def test_who_does_not_begin_to_listen_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "hangs"
    script.write_text("#!/bin/sh\nexec sleep 30\n", encoding="utf-8")
    script.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(script))
    timer = threading.Timer
    monkeypatch.setattr(threading, "Timer", lambda seconds, end: timer(seconds / 50, end))
    with pytest.raises(EnvironmentFault, match="status -9"), LocalEmulator():
        pass


def test_without_the_option_the_end_of_standard_input_means_nothing() -> None:
    command = [sys.executable, "-m", "getintegration_emulator", "--port", "0"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "listening"
        time.sleep(0.3)
        assert process.poll() is None
        process.terminate()
        assert process.stdout.read() == "", "only one line goes to standard output"
        assert process.wait(5) == 0


def test_shutdown_lets_a_request_under_way_finish(connect: Any) -> None:
    with LocalEmulator() as running:
        wire = connect(running)
        headers = wire.signed_headers("POST", PATH, b'{"Uri": "a"}')
        lines = [f"POST {PATH} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items()), "Content-Length: 12"]
        with dial(running.url) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + b'{"Uri"')
            time.sleep(0.1)
            running.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            with pytest.raises(ConnectionError):
                dial(running.url)
            connection.sendall(b': "a"}')
            received = connection.recv(65536)
            assert received.startswith(b"HTTP/1.1 404 ")
            assert b"\r\nconnection: close\r\n" in received
        assert running.process.wait(5) == 0


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--version"], 0, f"{version('getintegration-contract')}\n"),
        (["--help"], 0, "\nGET /_emulator/health needs no signature."),
        (["--help"], 0, "body may be up to 10 MiB long, the date of a request up\nto 5 minutes off.\n"),
        *((["--help"], 0, each.access_key) for each in DEFAULT_IDENTITIES.values()),
        *((["--help"], 0, each.secret_key) for each in DEFAULT_IDENTITIES.values()),
        (["--port", "65536"], 2, "argument --port: invalid port number value: '65536'"),
        (["--port", "-1"], 2, "argument --port: invalid port number value: '-1'"),
        (["--port", "x"], 2, "argument --port: invalid port number value: 'x'"),
        (["--rate", "0"], 2, "argument --rate: invalid number of requests a second value: '0'"),
        (["--rate", "inf"], 2, "argument --rate: invalid number of requests a second value: 'inf'"),
        (["--rate", "nan"], 2, "argument --rate: invalid number of requests a second value: 'nan'"),
        (["--rate", "1", "--burst", "0.5"], 2, "argument --burst: invalid number of requests, 1 or"),
        (["--port", "65535", "--burst", "1"], 2, "--burst needs --rate"),  # which are read, at their edges
        (["--no-such-option"], 2, "error: "),
        (["--reg", "abbreviated"], 2, "error: "),
        (["--identities", "/does/not/exist.toml"], 2, "error: "),
        (["--host", "no.such.host.invalid"], 1, "error: "),
        (["--host", "203.0.113.1"], 1, "error: "),
        (["--port", "{taken}"], 1, "error: Cannot listen on 127.0.0.1 port {taken}: Address already in use."),
    ],
)
def test_options_that_end_it(
    arguments: list[str], status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = str(listener.getsockname()[1])
        with pytest.raises(SystemExit) as ended:
            main([each.replace("{taken}", taken) for each in arguments])
    assert ended.value.code == status
    captured = capsys.readouterr()
    assert says.replace("{taken}", taken) in (captured.err if status else captured.out)
    assert (captured.out if status else captured.err) == ""


def test_the_caller_is_the_one_of_that_name_or_else_the_first() -> None:
    first, second = DEFAULT_IDENTITIES["other-account"], CALLER
    request = Request("GET", b"/", b"", {}, b"")
    assert Directory({"other": first, "caller": second}, None).believe(request)[0] == second
    assert Directory({"other": first, "mine": second}, None).believe(request)[0] == first


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must be a file of tables"),
        ("[first]\n" + GOOD, "must be a file of tables"),
        ("[a", "not TOML"),
        ("identities.caller = 5", 'identities.caller: it is not of type "object"'),
        (GOOD + "colour = 'red'", "identities.second: .*'colour' was unexpected"),
        (
            GOOD.replace('secret-access-key = "mine"\n', ""),
            'identities.first: "secret-access-key" is a required',
        ),
        (GOOD.replace('"mine"', '""'), "secret-access-key must be"),
        (GOOD.replace('"mine"', "7"), "secret-access-key must be"),
        (GOOD.replace('"mine"', "2026-01-01"), "secret-access-key must be"),
        (GOOD.replace("AKIAEXAMPLEMYSELF001", "short"), "access-key-id must be"),
        (GOOD.replace("AKIAEXAMPLEMYSELF002", "AKIAEXAMPLEMYSELF001"), "the same access-key-id"),
        (GOOD.replace("000000000001", "1"), "account must be"),
        (GOOD.replace("false", "'no'"), "permitted must be"),
        (GOOD.replace("rate = 3", "rate = -3"), "rate must be a number above 0"),
        (GOOD.replace("rate = 3", "rate = true"), "rate must be a number"),
        (GOOD.replace("rate = 3", ""), 'identities.first: "rate" is a required'),
        (GOOD.replace("4.5", "0.5"), "burst must be a number, 1 or more"),
        (GOOD.replace("4.5", "inf"), "burst must be a number, 1 or more"),
    ],
)
def test_bad_identities_file(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "who.toml"
    file.write_text(text)
    with pytest.raises(SystemExit, match="2"):
        main(["--identities", str(file)])
    assert re.search(says, capsys.readouterr().err)


def test_identities_and_region_are_those_of_the_options(tmp_path: Path, connect: Any) -> None:
    file = tmp_path / "who.toml"
    file.write_text(GOOD, encoding="utf-8-sig")  # as editors on Windows write it
    first, second = load_identities(file).values()
    with LocalEmulator("--identities", str(file), "--region", "eu-west-1") as running:
        wire = connect(running)
        for expected, how in (
            (None, {"identity": first}),
            ("UnrecognizedClientException", {"identity": first, "token": "x"}),
            ("AccessDeniedException", {"identity": second}),
            ("UnrecognizedClientException", {"identity": CALLER}),
            ("InvalidSignatureException", {"identity": first, "region": "us-east-1"}),
        ):
            assert wire.call("GET", "/domains", **{"region": "eu-west-1"} | how).error_type == expected


def test_no_signatures(connect: Any) -> None:
    with LocalEmulator("--no-signatures", "--region", "eu-west-1") as running:
        wire = connect(running)
        assert wire.send("POST", "/domains/shop", b'{"DefaultExpirationDays": 1}').status == 200
        assert wire.send("PUT", PATH, b'{"Uri": "a"}').status == 200
        body = b'{"Uri": "a"}'
        for status, key, region in (
            (200, CALLER.access_key, "eu-west-1"),
            (200, "AKIAEXAMPLESTRANGER1", "eu-west-1"),
            (404, CALLER.access_key, "us-west-2"),  # another region has a state of its own
            (404, DEFAULT_IDENTITIES["other-account"].access_key, "eu-west-1"),
            (200, DEFAULT_IDENTITIES["temporary"].access_key, "eu-west-1"),
            (403, DEFAULT_IDENTITIES["unauthorized"].access_key, "eu-west-1"),
        ):
            value = f"AWS4-HMAC-SHA256 Credential={key}/20200101/{region}/profile/aws4_request, x"
            assert wire.send("POST", PATH, body, {"Authorization": value}).status == status, (key, region)
        assert wire.send("POST", PATH, body).status == 200
        for value in ("Basic x", f"AWS4-HMAC-SHA256 Credential={CALLER.access_key}/x"):  # without a region
            assert wire.send("POST", PATH, body, {"Authorization": value}).status == 200, value


def test_access_log(connect: Any) -> None:
    temporary = DEFAULT_IDENTITIES["temporary"]
    with LocalEmulator("--access-log") as running:
        wire = connect(running)
        signed = wire.signed_headers("POST", PATH, b'{"Uri": "a"}', identity=temporary)
        ids = [
            wire.send("POST", PATH, b'{"Uri": "a"}', signed).header("x-amzn-requestid"),
            wire.send("POST", "/x%20y?X-Amz-Signature=secret", b"").header("x-amzn-requestid"),
        ]
        wire.send("GET", "/_emulator/health")
        with dial(running.url) as connection:
            connection.sendall(b"no HTTP\r\n\r\n")
            assert connection.recv(65536)
        assert running.process.communicate() == ("", None), "only one line goes to standard output"
        assert running.process.returncode == 0, "the end of standard input ends it in order"
        log = running.stderr()
    first, *others = [json.loads(line) for line in log.splitlines()]
    assert [first["request_id"], others[0]["request_id"]] == ids
    assert 0 < first["duration_ms"] < 5000
    assert first["time"].endswith("+00:00")
    names = ("method", "path", "operation", "access_key_id", "status", "error_type")
    assert [[line[name] for name in names] for line in (first, *others)] == [
        ["POST", PATH, "GetIntegration", temporary.access_key, 404, "ResourceNotFoundException"],
        ["POST", "/x%20y", None, None, 403, "MissingAuthenticationTokenException"],
        ["GET", "/_emulator/health", None, None, 200, None],
        ["", "", None, None, 400, "BadRequestException"],
    ]
    for secret in (str(temporary.session_token), signed["Authorization"][-64:], "secret"):
        assert secret not in log


def test_a_warning_when_other_machines_can_reach_it() -> None:
    with LocalEmulator("--host", "0.0.0.0") as running:
        assert running.url.startswith("http://127.0.0.1:")
        assert "warning: 0.0.0.0 is not a loopback address" in running.stderr()
    assert running.process.stdout is not None
    assert running.process.stdout.closed
    with pytest.raises(FileNotFoundError):
        running.stderr()


def test_its_port_is_free_again_at_once() -> None:
    with LocalEmulator() as first, dial(first.url) as connection:
        connection.sendall(b"no HTTP\r\n\r\n")
        assert b"".join(iter(lambda: connection.recv(65536), b"")), "it is the emulator that closes first"
    with pytest.raises(EnvironmentFault, match="status 2: usage: "), LocalEmulator("--port", "x"):
        pass
    with LocalEmulator("--port", first.url.rpartition(":")[2]) as second:
        assert second.url == first.url


@pytest.mark.parametrize(
    ("host", "url"),
    [("::", "http://[::1]:80"), ("fe80::1", "http://[fe80::1]:80"), ("127.0.0.2", "http://127.0.0.2:80")],
)
def test_url(host: str, url: str) -> None:
    assert url_of(Mock(getsockname=lambda: (host, 80, 0, 0))) == url


def test_the_example_of_a_target_file_has_the_documented_identities() -> None:
    written = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["identities"]
    assert {name: (keys["access-key-id"], keys["secret-access-key"]) for name, keys in written.items()} == {
        name: (known.access_key, known.secret_key) for name, known in DEFAULT_IDENTITIES.items()
    }
    assert written["temporary"]["session-token"] == DEFAULT_IDENTITIES["temporary"].session_token
