"""No output of a run holds a secret, wherever and however a server or a scenario shows it."""

from __future__ import annotations

import base64
import html
import itertools
import json
import re
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract.redact import REDACTED, Redactor
from getintegration_contract.state.provisioner import PREFIX
from getintegration_contract.target.emulator import emulator_identities

from .commands import run_many
from .conftest import RunSuite
from .support import (
    Process,
    Received,
    Reply,
    Result,
    Scripted,
    answered,
    environment,
    forwarding,
    found,
    refused,
    suite,
)

#: Words of their own at the start, in the middle and at the end, so that a piece is noticed as well.
SECRET = "Walrusberg/Key+one=\"Pelikanofix'&<Ocelotzahn"
TOKEN = "Marmotglas+Token/two=\"Quaggafeld'&>Yakwolle=="
WORDS = ("Walrusberg", "Pelikanofix", "Ocelotzahn", "Marmotglas", "Quaggafeld", "Yakwolle")
#: Pieces of this length of a word are noticed.
PIECE = 6


# --- Ways to write a secret ---------------------------------------------------------------------------------


def _json_unicode(secret: str) -> str:
    return "".join(char if char.isalnum() else f"\\u{ord(char):04x}" for char in secret)


def _entities(secret: str, form: str) -> str:
    return "".join(char if char.isalnum() else f"&#{form.format(ord(char))};" for char in secret)


def _recoded(pattern: str, text: str, change: Callable[[str], str]) -> str:
    return re.sub(pattern, lambda code: change(code[0]), text)


WRITINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON with escaped slashes": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "JSON in numbers": _json_unicode,
    "JSON in capital numbers": lambda secret: _recoded("00..", _json_unicode(secret), str.upper),
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret))[1:-1],
    "a path": lambda secret: urllib.parse.quote(secret),
    "a query": lambda secret: urllib.parse.quote_plus(secret),
    "a query in small letters": lambda secret: _recoded("%..", urllib.parse.quote(secret), str.lower),
    "a query, encoded twice": lambda secret: urllib.parse.quote(urllib.parse.quote(secret, safe=""), safe=""),
    "HTML": html.escape,
    "HTML in HTML": lambda secret: html.escape(html.escape(secret)),
    "HTML in numbers": lambda secret: _entities(secret, "{}"),
    "HTML in hexadecimal numbers": lambda secret: _entities(secret, "x{:X}"),
    "HTML by name": lambda secret: secret.replace("&", "&amp;").replace("'", "&apos;").replace("+", "&plus;"),
    "Python": repr,
    "Python bytes": lambda secret: repr(secret.encode()),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 of a header": lambda secret: base64.b64encode(f"X-Token: {secret};".encode()).decode(),
    "base64 of more": lambda secret: base64.b64encode(f"Token: {secret}!".encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(f"{secret}?".encode()).decode().rstrip("="),
    "base64 in a query": lambda secret: urllib.parse.quote(base64.b64encode(secret.encode()), safe=""),
    "hexadecimal": lambda secret: secret.encode().hex(),
    "hexadecimal in capitals": lambda secret: secret.encode().hex().upper(),
    "hexadecimal as AWS shows bytes": lambda secret: secret.encode().hex(" "),
}


#: Those that are not plain: the text goes with the secret.
WITHHELD = {
    "JSON in JSON",
    "a query in small letters",
    "hexadecimal as AWS shows bytes",
    "JSON in numbers",
    "JSON in capital numbers",
    "a query, encoded twice",
    "HTML in HTML",
    "HTML in numbers",
    "HTML in hexadecimal numbers",
    "HTML by name",
    "Python",
    "Python bytes",
}


def _signs(secret: str) -> Iterator[str]:
    """What gives a secret away: pieces of its words, in any of the alphabets."""
    for word in WORDS:
        if word in secret:
            yield from (word[start : start + PIECE].lower() for start in range(len(word) - PIECE + 1))
            yield word.encode().hex()
            yield word.encode().hex(" ")
            for shift in range(3):
                encoded = base64.b64encode(b"\0" * shift + word.encode()).decode().rstrip("=")
                yield encoded[(8 * shift + 5) // 6 : -1].lower()


def leaks(output: str) -> list[str]:
    """The signs of secrets in some output, each with what is around it."""
    small = output.lower()
    found = {sign: small.index(sign) for sign in (*_signs(SECRET), *_signs(TOKEN)) if sign in small}
    return [f"{sign}: {output[max(0, at - 150) : at + 60]!r}" for sign, at in found.items()]


@pytest.mark.parametrize("name", WRITINGS)
@pytest.mark.parametrize("secret", [SECRET, TOKEN], ids=["secret key", "session token"])
def test_a_secret_is_found_in_every_writing(name: str, secret: str) -> None:
    written = f"before {WRITINGS[name](secret)} after"
    assert leaks(written), "the test itself must notice it"
    redacted = Redactor([SECRET, TOKEN]).text(written)
    assert leaks(redacted) == []
    if name in WITHHELD:
        assert redacted == REDACTED
    else:
        assert re.fullmatch(f"before .*{REDACTED}.* after", redacted)


@pytest.mark.parametrize("mark", ["...", "\u2026"])
@pytest.mark.parametrize("shown", [6, 9, 20, 40])
def test_a_piece_beside_an_ellipsis_takes_its_text_along(mark: str, shown: int) -> None:
    redactor = Redactor([SECRET])
    assert redactor.text(f"value = '{SECRET[:shown]}{mark}'") in (REDACTED, f"value = '{REDACTED}{mark}'")
    assert redactor.text(f"value = '{mark}{SECRET[-shown:]}'") in (REDACTED, f"value = '{mark}{REDACTED}'")


@pytest.mark.parametrize("secret", [SECRET, TOKEN], ids=["secret key", "session token"])
def test_a_longer_piece_takes_its_text_along(secret: str) -> None:
    redactor = Redactor([SECRET, TOKEN])
    for start in range(0, len(secret) - 30):
        piece = secret[start : start + 30]
        assert redactor.text(f"[{piece}]") == REDACTED


def _wrapped(secret: str) -> str:
    return base64.encodebytes(f"token: {secret * 2}".encode()).decode().replace("\n", "\\r\\n")


def _percent(secret: str) -> str:
    return "".join(f"%{ord(char):02x}" for char in secret)


DISGUISES: dict[str, Callable[[str], str]] = {
    "lower case": str.lower,
    "upper case": str.upper,
    "percent": _percent,
    "percent twice": lambda secret: _percent(_percent(secret)),
    "percent thrice": lambda secret: urllib.parse.quote(_percent(_percent(secret)), safe=""),
    "entities": lambda secret: "".join(f"&#{ord(char)};" for char in secret),
    "unicode escapes": lambda secret: "".join(f"\\u{ord(char):04x}" for char in secret),
    "hex escapes": lambda secret: "".join(f"\\x{ord(char):02x}" for char in secret),
    "octal escapes": lambda secret: "".join(f"\\{ord(char):03o}" for char in secret),
    "reversed": lambda secret: secret[::-1],
    "spaced out": " ".join,
    "a letter a line": "\n".join,
    "UTF-16": lambda secret: secret.encode("utf-16").decode("latin-1"),
    "UTF-32": lambda secret: secret.encode("utf-32-be").decode("latin-1"),
    "UTF-16 in base64": lambda secret: base64.b64encode(secret.encode("utf-16-le")).decode(),
    "base64 twice": lambda secret: base64.b64encode(base64.b64encode(f"x{secret}".encode())).decode(),
    "base64 in lines": lambda secret: base64.encodebytes(f"token: {secret * 2}".encode()).decode(),
    "base64 in lines of JSON": lambda secret: json.dumps(_wrapped(secret)),
    "hexadecimal with colons": lambda secret: secret.encode().hex(":"),
    "Python in JSON": lambda secret: json.dumps(repr(secret.encode())),
    "JSON in HTML in a query": lambda secret: urllib.parse.quote(html.escape(json.dumps(secret))),
}


@pytest.mark.parametrize("name", DISGUISES)
@pytest.mark.parametrize("secret", [SECRET, TOKEN], ids=["secret key", "session token"])
def test_a_disguised_secret_takes_its_text_along(name: str, secret: str) -> None:
    assert Redactor([secret]).text(f"it is {DISGUISES[name](secret)}, yes") == REDACTED


SIGNATURE = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"


@pytest.mark.parametrize(
    "written",
    [
        SIGNATURE,
        SIGNATURE.upper(),
        f"the signature {SIGNATURE[:16]}... is wrong",
        f"ends in {SIGNATURE[-20:]}",
        f"canonical{SIGNATURE}",
        SIGNATURE[::-1],
        " ".join(SIGNATURE),
        base64.b64encode(f"AWS4 Signature={SIGNATURE}".encode()).decode(),
    ],
)
def test_signatures_of_other_exchanges_are_known(written: str) -> None:
    assert Redactor([SECRET]).text(written) == written
    redactor = Redactor([SECRET])
    redactor.add_signatures(f"AWS4-HMAC-SHA256 Credential=AKIA/x, Signature={SIGNATURE}")
    redacted = redactor.text(written)
    assert REDACTED in redacted
    assert redactor.text("a hash: " + "0123456789abcdef" * 4).endswith("cdef")
    for piece in (SIGNATURE[:16], SIGNATURE[-16:], SIGNATURE[::-1][:16]):
        assert piece not in redacted.lower().replace(" ", "")


def test_a_short_secret_is_no_reason_to_hide_its_word_in_other_letters() -> None:
    assert Redactor(["contract"]).text("Contract_Type-1") == "Contract_Type-1"


def test_other_text_stays_as_it_is() -> None:
    text = (
        "Walrus of the... sea \u2026 tests/contract/test_valid.py::test_uri[...] \\u00e9 %2F &amp; Key+one="
    )
    assert Redactor([SECRET, TOKEN]).text(text) == text


def test_no_access_key_of_the_emulator_reads_like_a_secret_of_its() -> None:
    identities = emulator_identities().values()
    redactor = Redactor(secret for identity in identities for secret in identity.secrets)
    for identity in identities:
        text = f"Identity(access_key={identity.access_key!r}) ... the key {identity.access_key} is unknown"
        assert redactor.text(text) == text


def test_made_up_keys_of_mock_servers_are_no_secrets() -> None:
    text = "tests/contract/test_valid.py: a dummy test"
    assert Redactor(["test", "dummy", ""]).text(text) == text


def test_a_signature_and_a_credential_are_found_without_being_known() -> None:
    signature = "0123456789abcdef" * 4
    echoed = f"AWS4-HMAC-SHA256 Credential=AKIA/20260101/r/profile/aws4_request, Signature={signature}"
    for text in (
        echoed,
        json.dumps({"Signature": signature}),
        f"X-Amz-Signature={signature}&a=b",
        f"Signature: {signature}",
    ):
        assert signature not in Redactor().text(text)
    assert "AKIA" not in Redactor().text(echoed)


def test_account_ids_are_hidden_when_asked() -> None:
    text = "arn:aws:iam::123456789012:role/x 1700000000123 a123456789012b"
    assert Redactor().text(text) == text
    assert (
        Redactor(accounts=True).text(text) == "arn:aws:iam::000000000000:role/x 1700000000123 a000000000000b"
    )


# --- Servers that give away what they know ------------------------------------------------------------------


def echoing() -> Callable[[Received], Any]:
    """A script that echoes all secrets in every writing and place, one after the other."""
    writings, turns = list(WRITINGS.values()), itertools.count()
    seen = [""]

    def script(request: Received) -> Any:
        number = next(turns)
        seen.append(request.header("authorization").rpartition("Signature=")[2])
        if number < 2:  # the preflight
            return found(request)
        write = writings[number * 7 % len(writings)]
        authorization = request.header("authorization")
        canonical = "\n".join((request.method, request.target, *map(": ".join, request.headers), SECRET))
        told = write(f"{TOKEN} {SECRET}")
        earlier = f"{seen[-2]} and {seen[number // 2]}"
        body = json.dumps(
            {
                "message": canonical,
                "Earlier": earlier,
                "Authorization": authorization,
                write(TOKEN): write(SECRET),
            }
        )
        line = re.sub(r"[^\x20-\x7e]", "?", told)
        headers = (
            ("X-Echo", authorization),
            ("X-Echo-Token", line),
            ("Set-Cookie", line),
            ("X-Earlier", earlier),
        )
        padding = "x" * (3990 - number % 60)
        return (
            refused(404, TOKEN if "#" in line else line).with_headers(*headers),
            Reply(403, f"{canonical}\n{told}".encode(), (("Content-Type", line), *headers), line),
            Reply(404, body.encode(), (("Content-Type", "application/json"), *headers)),
            found(
                request, **{write(TOKEN): 1, "RoleArn": told, "Tags": {told: told}, "Scope": write(SECRET)}
            ),
            found(request, DomainName=told, Uri="y" * (180 - number % 40) + told, CreatedAt=told),
            Reply(400, f"{padding}{told}{padding}".encode()),
            Reply(200, b"\xff\xfe" + told.encode() + canonical.encode()),
            Reply(403, f"<html>{html.escape(canonical)}</html>".encode(), (("Content-Type", "text/html"),)),
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


@pytest.fixture
def talkative(tmp_path: Path) -> Path:
    """A file of such scenarios."""
    path = tmp_path / "test_talkative.py"
    path.write_text(_TALKATIVE.format(secrets=(SECRET, TOKEN)), encoding="utf-8")
    return path


def _target(path: Path, url: str) -> Path:
    identity = (
        f"access-key-id = 'ASIAMARKED'\nsecret-access-key = '''{SECRET}'''\nsession-token = '''{TOKEN}'''"
    )
    text = f"endpoint-url = '{url}'\ndomain-name = 'd'\nintegration-uri = 's3://u'\nrequest-timeout = 5\n"
    denied = identity.replace("ASIAMARKED", "ASIADENIED")
    path.write_text(
        f"{text}[identities.caller]\n{identity}\n[identities.unauthorized]\n{denied}\n", encoding="utf-8"
    )
    return path


def everything(result: Result, *folders: Path) -> Iterator[tuple[str, str]]:
    """All that a run put out, by name: what it printed, and every byte of every file."""
    yield "stdout", result.stdout
    yield "stderr", result.stderr
    assert result.directory is not None
    for path in sorted(
        path for folder in (result.directory, *folders) for path in folder.rglob("*") if path.is_file()
    ):
        yield path.name, path.read_bytes().decode("utf-8", "backslashreplace")


def test_nothing_that_a_run_puts_out_holds_a_secret(
    run_suite: RunSuite, serve: Callable[[Any], Scripted], talkative: Path, tmp_path: Path
) -> None:
    server, kept = serve(echoing()), tmp_path / "kept"
    kept.mkdir()
    files = [suite(name) for name in ("missing", "access", "precedence")]
    env = environment(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(kept / "step.md"))
    options = (
        "--target",
        _target(tmp_path / "t.toml", server.url),
        "--record",
        kept / "run.har",
        "-v",
        "--showlocals",
    )
    written = ("--write-waivers", kept / "waivers.toml", "-rA")
    result = run_suite(*files, talkative, *options, *written, "-n", "2", env=env, timeout=120)
    assert result.status == 3, result.output
    assert len(result.report["findings"]) > 20
    outputs = dict(everything(result, kept))
    expected = {"report.json", "report.html", "junit.xml", "summary.md", "run.har", "step.md", "waivers.toml"}
    assert expected <= outputs.keys()
    found = {name: leaks(text) for name, text in outputs.items() if leaks(text)}
    assert found == {}
    for name in ("report.json", "report.html", "junit.xml", "summary.md", "run.har", "stdout"):
        assert REDACTED in outputs[name], f"{name} has nothing to hide: the test does not reach it"
    signatures = [request.header("authorization").rpartition("Signature=")[2] for request in server.received]
    shown = {
        (each, name)
        for each in signatures
        if len(each) == 64
        for name, text in outputs.items()
        if each in text
    }
    assert shown == set()


def test_what_a_run_says_beside_its_tests_holds_no_secret(
    run_suite: RunSuite, serve: Callable[[Any], Scripted], endpoint: Process, tmp_path: Path
) -> None:
    forward = forwarding(endpoint.url)
    caller = emulator_identities()["temporary"]
    name = f"{PREFIX}9-{caller.session_token} 123456789012"

    def script(request: Received) -> Any:
        if (request.method, request.target.partition("?")[0]) == ("GET", "/domains"):
            return answered({"Items": [{"DomainName": name}]}, 200, ("Date", "Fri, 27 Nov 2026 10:00:00 GMT"))
        if "123456789012" in request.target:
            return answered(
                {"DomainName": name, "LastUpdatedAt": 1}, 200, ("Date", "Fri, 27 Nov 2026 10:00:00 GMT")
            )
        return forward(request)

    path = tmp_path / "t.toml"
    path.write_text(
        f'endpoint-url = "{serve(script).url}"\n[identities.caller]\naccess-key-id = "{caller.access_key}"\n'
        f'secret-access-key = "{caller.secret_key}"\nsession-token = "{caller.session_token}"\n',
        encoding="utf-8",
    )
    result = run_suite(suite("access"), "--target", path, "--redact-accounts", report=False)
    assert "swept the domain" in result.stdout, result.output
    assert caller.session_token is not None
    assert caller.session_token not in result.output
    assert "123456789012" not in result.output


def test_a_preflight_that_fails_holds_no_secret(serve: Callable[[Any], Scripted], tmp_path: Path) -> None:
    scripts: list[Callable[[Received], Any]] = [
        lambda request: refused(403, f"UnrecognizedClient{TOKEN}"),
        lambda request: refused(403, "InvalidSignatureException", request.header("authorization")),
        lambda request: Reply(500, b"", (), f"{TOKEN} {SECRET}"),
        lambda request: Reply(404, TOKEN.encode(), (("X-Amzn-ErrorType", SECRET),)),
    ]
    targets = [
        _target(tmp_path / f"{number}.toml", serve(script).url) for number, script in enumerate(scripts)
    ]
    results = run_many([["--target", str(target)] for target in targets])
    assert [result.status for result in results] == [6] * len(scripts)
    assert [leaks(result.output) for result in results] == [[]] * len(scripts)


def test_a_made_up_token_is_hidden_where_it_was_sent_and_nowhere_else() -> None:
    redactor = Redactor([SECRET])
    side = {"headers": [["x-amz-security-token", "made-up-token"]], "body": ""}
    redacted = redactor.exchange({"request": side, "response": {"headers": [], "body": "made-up-token"}})
    assert "made-up-token" not in str(redacted)
    assert redactor.text("made-up-token") == "made-up-token"


def test_tokens_that_came_during_the_run_are_hidden_too(
    run_suite: RunSuite, serve: Callable[[Any], Scripted], tmp_path: Path
) -> None:
    # botocore asks for new credentials before each request: two minutes are too few for it.
    (tmp_path / "process.py").write_text(_PROCESS, encoding="utf-8")
    config, seen = tmp_path / "config", tmp_path / "seen"
    command = f"{sys.executable} {tmp_path / 'process.py'} {tmp_path / 'count'}"
    config.write_text(f"[profile fresh]\ncredential_process = {command}\n", encoding="utf-8")
    talkative = tmp_path / "test_after.py"
    talkative.write_text(
        f"def test_after():\n    tokens = open({str(seen)!r}).read()\n"
        "    raise RuntimeError([tokens, tokens.replace('dlefaggauQ'[::-1], 'grebsurlaW'[::-1])])\n"
    )

    def script(request: Received) -> Reply:
        token = request.header("x-amz-security-token")
        if len(server.received) > 1:  # the preflight has credentials of its own
            with seen.open("a", encoding="utf-8") as file:
                file.write(f"{token} ")
        return found(request, Scope=token) if len(server.received) > 3 else found(request)

    server = serve(script)
    options = (
        "--endpoint-url",
        server.url,
        "--profile",
        "fresh",
        "--domain-name",
        "d",
        "--integration-uri",
        "s3://u",
    )
    env = environment(AWS_CONFIG_FILE=str(config))
    result = run_suite(suite("valid"), talkative, "-k", "content_type or after", *options, env=env)
    assert result.status == 3, result.output
    assert "response.Scope.enum" in result.findings
    assert len({request.header("x-amz-security-token") for request in server.received}) > 3
    assert {name: leaks(text) for name, text in everything(result) if leaks(text)} == {}


_PROCESS = """
import datetime, json, pathlib, sys
count = pathlib.Path(sys.argv[1])
number = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(number))
expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=2)
print(json.dumps({"Version": 1, "AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": f"Walrusberg{number}/token+",
                  "SessionToken": f"Quaggafeld{number}/token+", "Expiration": expiry.isoformat()}))
"""
