"""What tests of the command line share: runs that end before they begin, and what a server holds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from getintegration_contract import exchange
from getintegration_contract.identity import Identity
from getintegration_contract.operations import create_domain, list_domains, put_integration
from getintegration_contract.sending.client import Client

from .mutants.messages import Request
from .support import ACCESS_KEY, ROOT, SECRET_KEY, Result, environment, suite

CALLER = Identity("caller", ACCESS_KEY, SECRET_KEY)
AWS = "https://profile.us-east-1.amazonaws.com"

_DRIVER = """
import contextlib, io, json, sys
import pytest
for options in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = int(pytest.main(options))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""


def run_many(runs: list[list[str]], **env: str) -> list[Result]:
    """Runs that end before they begin, one after the other in one process."""
    common = ["-p", "no:cacheprovider", str(suite("access"))]
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER],
        input=json.dumps([[*common, *options] for options in runs]),
        capture_output=True,
        text=True,
        env=environment(**env),
        cwd=ROOT,
        timeout=120,
    )
    results = [Result(*json.loads(line)) for line in done.stdout.splitlines()]
    assert len(results) == len(runs), done.stdout + done.stderr
    return results


LOOPBACK = ["--endpoint-url", "http://127.0.0.1:9"]
SECRET = "MARKED/secret+key="


def ask(url: str, *requests: exchange.Request) -> list[Any]:
    """The JSON that a server answers its caller, 200 each time."""
    client = Client(url, "us-east-1")
    answers = [client.send(request, CALLER).response for request in requests]
    client.close()
    assert [answer for answer in answers if answer.status != 200] == []
    return [answer.document for answer in answers]


def stock(url: str, domain: str, *uris: str, **members: Any) -> None:
    """Make a domain with integrations."""
    members = members or {"ObjectTypeName": "T"}
    ask(url, create_domain(domain), *(put_integration(domain, uri, members) for uri in uris))


def domains(url: str) -> set[str]:
    """The domains that an emulator holds for its caller."""
    (document,) = ask(url, list_domains())
    return {item["DomainName"] for item in document["Items"]}


def writes(received: list[Request]) -> list[Request]:
    """The requests that change a server's state, or would on AWS."""
    return [
        request
        for request in received
        if request.method in ("PUT", "DELETE")
        or (
            request.method == "POST"
            and re.fullmatch(r"/domains/[^/?]+(/integrations/delete)?", request.target)
        )
    ]


#: Prints other credentials at each call, which expire so soon that botocore asks anew before each request.
_PROCESS = """
import datetime, json, pathlib, sys, time
count = pathlib.Path(__file__).with_name("count")
number = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(number))
if number > {last}: time.sleep(60)
expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=2)
print(json.dumps({{"Version": 1, "AccessKeyId": f"ASIA{{number}}", "SecretAccessKey": f"{secret}",
                  "SessionToken": f"{token}", "Expiration": expiry.isoformat()}}))
"""


def refreshing_profile(
    folder: Path, secret: str = "secret{number}", token: str = "token{number}", last: int = 1_000
) -> Path:
    """A configuration of AWS whose profile ``fresh`` has a program that gives new credentials each time.

    After the last, the program never ends; how often it was called stands in the file ``count``.
    """
    program, config = folder / "process.py", folder / "aws-config"
    program.write_text(_PROCESS.format(secret=secret, token=token, last=last), encoding="utf-8")
    config.write_text(f"[profile fresh]\ncredential_process = {sys.executable} {program}\n", encoding="utf-8")
    return config
