"""No output of a run holds a secret, wherever and however a server or a scenario shows it."""

import html
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract.redact import REDACTED
from getintegration_contract.state.state import PREFIX
from getintegration_contract.target.emulator import emulator_identities

from .conftest import RunSuite, Serve
from .disguises import DISGUISED, PLAIN, SECRET, TOKEN, leaks
from .mutants.messages import Forward, Request, Response, error, ok
from .report.pages import junit_faults
from .support import Process, Result, environment, found, refreshing_profile, suite


def signature(request: Request) -> str:
    """The signature that it came with."""
    return (request.header("authorization") or "").rpartition("Signature=")[2]


def echoing() -> Callable[[Request], Any]:
    """A script that echoes all secrets in every writing and place: which, depends on the request alone."""
    ways = [*PLAIN.values(), *(way for name, way in DISGUISED.items() if not name.startswith("UTF"))]
    seen, asked = [""], Counter[bytes]()

    def script(request: Request) -> Any:
        seen.append(signature(request))
        if len(seen) <= 3:  # the preflight
            return found(request)
        question = request.target.encode() + request.body
        number = zlib.crc32(question) + asked[question]
        asked[question] += 1
        write = ways[number * 7 % len(ways)]
        authorization = request.header("authorization") or ""
        canonical = "\n".join((request.method, request.target, *map(": ".join, request.headers), SECRET))
        told = write(f"{TOKEN} {SECRET}")
        earlier = f"{seen[-2]} and {seen[len(seen) // 2]}"
        shown = {"message": canonical, "Earlier": earlier, "Authorization": authorization}
        body = json.dumps({**shown, write(TOKEN): write(SECRET)})
        line = re.sub(r"[^\x20-\x7e]", "?", told)
        echoes = {"X-Echo": authorization, "X-Echo-Token": line, "Set-Cookie": line, "X-Earlier": earlier}
        headers = tuple(echoes.items())
        padding = "x" * (3990 - number % 60)
        refusal = error(404, TOKEN if "#" in line else line)
        return (
            replace(refusal, headers=refusal.headers + headers),
            Response(403, (("Content-Type", line), *headers), f"{canonical}\n{told}".encode(), line),
            Response(404, (("Content-Type", "application/json"), *headers), body.encode()),
            found(request, **{write(TOKEN): 1, "RoleArn": told, "Tags": {told: told}}, Scope=write(SECRET)),
            found(request, DomainName=told, Uri="y" * (180 - number % 40) + told, CreatedAt=told),
            Response(400, body=f"{padding}{told}{padding}".encode()),
            Response(200, body=b"\xff\xfe" + told.encode() + canonical.encode()),
            Response(403, (("Content-Type", "text/html"),), f"<p>{html.escape(canonical)}</p>".encode()),
        )[number % 8]

    return script


#: A scenario that shows all it knows when it fails, at every stage and in every way that pytest knows.
_TALKATIVE = """
import logging, sys, warnings
import pytest

SECRETS = {secrets!r}

@pytest.fixture
def careless():
    yield
    raise RuntimeError(f"in a teardown: {{SECRETS}}")

@pytest.fixture
def broken():
    own = list(SECRETS)
    raise RuntimeError(f"in a set-up: {{SECRETS}}")

def test_locals():
    long = "x" * 90 + SECRETS[0] + "x" * 400
    request = {{"X-Amz-Security-Token": SECRETS[1], "Authorization": SECRETS[0], "more": "y" * 300}}
    print(SECRETS)
    print(SECRETS, file=sys.stderr)
    logging.getLogger().warning("logged %s", SECRETS)
    raise RuntimeError(f"of its own: {{SECRETS}} {{long}}")

def test_compared():
    assert SECRETS[0] == SECRETS[1], SECRETS

def test_set_up(broken):
    pass

def test_teardown(careless):
    pass

def test_skipped():
    pytest.skip(f"because of {{SECRETS}}")

def test_expected():
    pytest.xfail(f"because of {{SECRETS}}")

def test_failed():
    pytest.fail(f"because of {{SECRETS}}", pytrace=False)

def test_warned():
    warnings.warn(f"beware of {{SECRETS}}")

def test_chained():
    try:
        raise KeyError(SECRETS[0])
    except KeyError as error:
        raise ValueError(SECRETS[1]) from error
"""


def _target(path: Path, url: str) -> Path:
    """A target file whose identities have the secrets."""
    text = f"endpoint-url = '{url}'\ndomain-name = 'd'\nintegration-uri = 's3://u'\nrequest-timeout = 5\n"
    for name, key in (("caller", "ASIAMARKED"), ("unauthorized", "ASIADENIED")):
        text += f"[identities.{name}]\naccess-key-id = '{key}'\n"
        text += f"secret-access-key = '''{SECRET}'''\nsession-token = '''{TOKEN}'''\n"
    path.write_text(text, encoding="utf-8")
    return path


def everything(result: Result, *folders: Path) -> Iterator[tuple[str, str]]:
    """All that a run put out, by name: what it printed, and every byte of every file."""
    yield "stdout", result.stdout
    yield "stderr", result.stderr
    assert result.directory is not None
    for folder in (result.directory, *folders):
        for path in filter(Path.is_file, folder.rglob("*")):
            yield path.name, path.read_bytes().decode("utf-8", "backslashreplace")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_nothing_that_a_run_puts_out_holds_a_secret(
    run_suite: RunSuite, serve: Serve, tmp_path: Path, workers: str
) -> None:
    server, kept, talkative = serve(echoing()), tmp_path / "kept", tmp_path / "test_talkative.py"
    kept.mkdir()
    talkative.write_text(_TALKATIVE.format(secrets=(SECRET, TOKEN)), encoding="utf-8")
    files = [suite(name) for name in ("missing", "access", "precedence")]
    env = environment(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(kept / "step.md"))
    options = ("--target", _target(tmp_path / "t.toml", server.url), "-v", "--showlocals", "-rA")
    written = ("--record", kept / "run.har", "--write-waivers", kept / "waivers.toml")
    result = run_suite(*files, talkative, *options, *written, "-n", workers, env=env, timeout=120, status=3)
    assert len(result.report["findings"]) > 20
    outputs = dict(everything(result, kept))
    expected = {"report.json", "report.html", "junit.xml", "summary.md", "run.har", "step.md", "waivers.toml"}
    assert expected <= outputs.keys()
    found = {name: leaks(text) for name, text in outputs.items() if leaks(text)}
    assert found == {}
    for name in ("report.json", "report.html", "junit.xml", "summary.md", "run.har", "stdout"):
        assert REDACTED in outputs[name], f"{name} has nothing to hide: the test does not reach it"
    assert result.directory is not None
    assert junit_faults(result.directory / "junit.xml") == []
    whole = {each for each in map(signature, server.received) if len(each) == 64}
    assert [(each, name) for each in whole for name, text in outputs.items() if each in text] == []


def test_what_a_run_says_beside_its_tests_holds_no_secret(
    run_suite: RunSuite, tap: Any, endpoint: Process, target_file: Any
) -> None:
    caller = emulator_identities()["temporary"]
    name = f"{PREFIX}9-{caller.session_token} 123456789012"
    date = ("Date", "Fri, 27 Nov 2026 10:00:00 GMT")

    def script(request: Request, forward: Forward) -> Any:
        if (request.method, request.target.partition("?")[0]) == ("GET", "/domains"):
            return ok({"Items": [{"DomainName": name}]}).with_header(*date)
        if "123456789012" in request.target:
            return ok({"DomainName": name, "LastUpdatedAt": 1}).with_header(*date)
        return forward(request)

    path = target_file(
        f'endpoint-url = "{tap(endpoint.url, script).url}"',
        identities=f'[identities.caller]\naccess-key-id = "{caller.access_key}"\n'
        f'secret-access-key = "{caller.secret_key}"\nsession-token = "{caller.session_token}"\n',
    )
    result = run_suite(suite("access"), "--target", path, "--redact-accounts", report=False)
    assert "swept the domain" in result.stdout, result.output
    assert caller.session_token is not None
    assert caller.session_token not in result.output
    assert "123456789012" not in result.output


def test_a_preflight_that_fails_holds_no_secret(run_suite: RunSuite, serve: Serve, tmp_path: Path) -> None:
    scripts: list[Callable[[Request], Any]] = [
        lambda request: error(403, f"UnrecognizedClient{TOKEN}"),
        lambda request: error(403, "InvalidSignatureException", request.header("authorization") or ""),
        lambda request: Response(500, (), b"", f"{TOKEN} {SECRET}"),
        lambda request: Response(404, (("X-Amzn-ErrorType", SECRET),), TOKEN.encode()),
    ]
    urls = [serve(script).url for script in scripts]
    targets = [_target(tmp_path / f"{number}.toml", url) for number, url in enumerate(urls)]
    results = [run_suite(suite("access"), "--target", target, report=False) for target in targets]
    assert [(result.status, leaks(result.output)) for result in results] == [(6, [])] * len(scripts)


def test_tokens_that_came_during_the_run_are_hidden_too(
    run_suite: RunSuite, serve: Serve, tmp_path: Path
) -> None:
    config = refreshing_profile(tmp_path, "Walrusberg{number}/token+", "Quaggafeld{number}/token+")
    seen = tmp_path / "seen"
    talkative = tmp_path / "test_after.py"
    talkative.write_text(
        f"def test_after():\n    tokens = open({str(seen)!r}).read()\n"
        "    raise RuntimeError([tokens, tokens.replace('dlefaggauQ'[::-1], 'grebsurlaW'[::-1])])\n"
    )

    def script(request: Request) -> Response:
        token = request.header("x-amz-security-token") or ""
        if len(server.received) > 1:  # the preflight has credentials of its own
            with seen.open("a", encoding="utf-8") as file:
                file.write(f"{token} ")
        return found(request, Scope=token) if len(server.received) > 3 else found(request)

    server = serve(script)
    given = ("--profile", "fresh", "--domain-name", "d", "--integration-uri", "s3://u")
    options = ("--endpoint-url", server.url, *given)
    env = environment(AWS_CONFIG_FILE=str(config))
    result = run_suite(suite("valid"), talkative, "-k", "content_type or after", *options, env=env, status=3)
    assert "response.Scope.enum" in result.findings
    assert len({request.header("x-amz-security-token") for request in server.received}) > 3
    assert {name: leaks(text) for name, text in everything(result) if leaks(text)} == {}
