"""What the tests of the suite share: runs of the suite as processes, and servers to run it against."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from email.utils import formatdate
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, ClassVar, Self

from getintegration_contract import recording as recordings
from getintegration_contract.contract import Contract
from getintegration_contract.exchange import Request as Asked
from getintegration_contract.exchange import undated
from getintegration_contract.identity import Identity
from getintegration_contract.operations import create_domain, list_domains, put_integration
from getintegration_contract.sending.client import Client

from .mutants.bases import Process
from .mutants.kit import chain
from .mutants.messages import Answer, Forward, Request, Response, ok
from .mutants.proxy import Proxy
from .mutants.wire import ClosedError

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "tests" / "contract"
DESCRIPTION = ROOT / "openapi" / "get-integration.yaml"
EXAMPLE = ROOT / "targets" / "emulator.toml"
CONTRACT = Contract.load(DESCRIPTION)

#: Options of runs that generate cases; any other does without a plugin whose loading takes long.
_GENERATING = {"--max-examples", "--hypothesis-seed"}
_LEAN = ("-p", "no:hypothesispytest")

ACCESS_KEY, SECRET_KEY = "AKIAEXAMPLECALLER001", "caller-EXAMPLE-secret-key-0123456789abcd"
#: A target file's identities, the caller first, as the emulator and the second server know them.
IDENTITIES = re.sub(r"(?s).*?(?=\[identities)", "", EXAMPLE.read_text(encoding="utf-8"), count=1)


# --- Runs of the suite --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """A finished run of the suite."""

    status: int
    stdout: str
    stderr: str
    directory: Path | None = None
    document: ClassVar[str] = "report.json"

    @classmethod
    def again(cls, made: dict[str, Any]) -> Result:
        """What :func:`recorded_run` returned."""
        return cls(made["status"], made["stdout"], made["stderr"], Path(made["directory"]))

    def due(self, status: int | None) -> Self:
        """The same, if it ended with this status; with any if None."""
        assert status in (None, self.status), f"status {self.status}:\n{self.output}"
        return self

    @property
    def output(self) -> str:
        """Everything that was printed."""
        return self.stdout + self.stderr

    @property
    def requests(self) -> dict[str, list[tuple[str, ...]]]:
        """Method, target and body of the requests of each test in their order, where they were recorded."""
        assert self.directory is not None
        return sent(self.directory.parent / "run.har")

    @property
    def report(self) -> dict[str, Any]:
        """report.json."""
        assert self.directory is not None, self.output
        path = self.directory / self.document
        assert path.exists(), self.output
        return dict(json.loads(path.read_text(encoding="utf-8")))

    @property
    def outcomes(self) -> dict[str, str]:
        """The outcome of every clause."""
        return {clause["id"]: clause["outcome"] for clause in self.report["clauses"]}

    @property
    def findings(self) -> dict[str, dict[str, Any]]:
        """The findings by clause."""
        return {finding["clause"]: finding for finding in self.report["findings"]}

    def clause(self, identifier: str) -> dict[str, Any]:
        """What report.json says of one clause."""
        return next(clause for clause in self.report["clauses"] if clause["id"] == identifier)


def environment(**changes: str | None) -> dict[str, str]:
    """An environment in which no setting of the machine or of this run of pytest is left."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not re.match(
            r"(AWS_|GITHUB_|PYTEST_|HYPOTHESIS_|CI$|PYTHONDONTWRITEBYTECODE$)|(?i:\w+_proxy$)", name
        )
    }
    kept |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent", "COLUMNS": "120"}
    kept["AWS_SHARED_CREDENTIALS_FILE"] = "/nonexistent"
    return {name: value for name, value in {**kept, **changes}.items() if value is not None}


def command_line(options: Iterable[str | Path], report: Path | None) -> list[str]:
    """The arguments of pytest for a run of the suite: all of it, unless files of it are named."""
    given = list(map(str, options))
    named = any(option.startswith(str(SUITE)) for option in given)
    return [
        *("-p", "no:cacheprovider"),
        *(() if _GENERATING.intersection(given) else _LEAN),
        *(() if named else (str(SUITE),)),
        *(() if report is None else ("--report-dir", str(report))),
        *(("--dist", "worksteal") if "-n" in given else ()),  # else it may be left aside
        *given,
    ]


def start_suite(
    *options: str | Path, report: Path | None = None, env: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> subprocess.Popen[str]:
    """Start the suite in a process, and process group, of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *command_line(options, report)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=dict(env or environment()),
        cwd=cwd,
        start_new_session=True,
    )


def finish(
    process: subprocess.Popen[str], report: Path | None = None, timeout: float = 90, status: int | None = None
) -> Result:
    """Wait for a run, which must end with a status, and kill whatever is left of it when it does not end."""
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        raise AssertionError(f"the run did not end within {timeout:g} s:\n{stdout}{stderr}") from None
    return Result(process.returncode, stdout, stderr, report).due(status)


def recorded_run(folder: Path, *options: str | Path, **how: Any) -> dict[str, Any]:
    """Runs the whole suite, recorded in ``run.har`` beside its ``reports``: the result, JSON-able."""
    reports = folder / "reports"
    process = start_suite("--record", folder / "run.har", *options, report=reports, **how)
    return vars(finish(process, timeout=180)) | {"directory": str(reports)}


def call(
    *command: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    timeout: float = 120,
    status: int | None = None,
    **how: Any,
) -> Result:
    """A command, run to its end, which must be a status."""
    given = {"cwd": cwd, "env": dict(env or environment()), "timeout": timeout, "encoding": "utf-8", **how}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    done = subprocess.run(list(map(str, command)), **{**streams, **given})
    return Result(done.returncode, done.stdout or "", done.stderr or "").due(status)


def sent(recording: Path) -> dict[str, list[tuple[str, ...]]]:
    """Method, target and body of the requests of each test of a recording, in their order."""
    requests: dict[str, list[tuple[str, ...]]] = {}
    for recorded in recordings.read(recording).exchanges:
        request = recorded.exchange.request
        each = (request.method, undated(request.target), request.body.hex())
        requests.setdefault(recorded.test, []).append(each)
    return requests


def suite(name: str) -> Path:
    """A file of the suite, by the name of its theme."""
    return SUITE / f"test_{name}.py"


def edited(document: Any, changes: Mapping[str, Any]) -> Any:
    """The document, in which something else comes to stand at dotted paths.

    That is a value, what a function makes of the old one, or nothing for Ellipsis.
    """
    for path, value in changes.items():
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
        place = reduce(getitem, steps, document)
        if value is ...:
            del place[last]
        else:
            place[last] = value(place[last]) if callable(value) else value
    return document


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not happen"
        time.sleep(0.01)


# --- Servers ------------------------------------------------------------------------------------------------


def started(*command: str | Path, cwd: Path | None = None) -> Process:
    """A server that sees no setting of the machine."""
    return Process(*command, cwd=cwd, env=environment())


def emulator(*options: str) -> Process:
    """The shipped emulator."""
    return started("-m", "getintegration_emulator", "--region", "us-east-1", *options)


#: What a script may answer: as a proxy's handler does, or None to drop the connection.
Script = Callable[[Request], Answer | None]


def found(request: Request, **members: object) -> Response:
    """The integration that was asked for."""
    times = {"CreatedAt": 1.5e9, "LastUpdatedAt": 1.6e9}
    return ok({"DomainName": request.domain, "Uri": request.text, **times, **members})


#: Passes every request on.
PASSING = chain()


class Tap(Proxy):
    """A server before another, or before none, that keeps every request byte for byte."""

    def __init__(
        self, url: str, handler: Callable[[Request, Forward], Answer | None] = PASSING, port: int = 0
    ) -> None:
        self.received: list[Request] = []
        self._answers = handler
        super().__init__(url, self._tapped, port=port)

    def _tapped(self, request: Request, forward: Forward) -> Answer:
        self.received.append(request)
        answer = self._answers(request, forward)
        if answer is None:
            raise ClosedError("the script drops the connection")
        if isinstance(answer, Response) and answer.header("date") is None:
            return answer.with_header("Date", formatdate(usegmt=True))
        return answer


# --- What servers hold, and how they are asked --------------------------------------------------------------

CALLER = Identity("caller", ACCESS_KEY, SECRET_KEY)
AWS = "https://profile.us-east-1.amazonaws.com"
SECRET = "MARKED/secret+key="


def ask(url: str, *requests: Asked) -> list[Any]:
    """The JSON that a server answers its caller, 200 each time."""
    with closing(Client(url, "us-east-1")) as client:
        answers = [client.send(request, CALLER).response for request in requests]
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
    writing = r"(PUT|DELETE) .*|POST /domains/[^/?]+(/integrations/delete)?"
    return [each for each in received if re.fullmatch(writing, f"{each.method} {each.target}")]


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
