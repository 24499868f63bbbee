"""The command line: exit statuses, reports, accepted differences, staleness, drift, evidence."""

import errno
import json
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from xml.etree import ElementTree

import pytest

from getintegration_compare import cli
from getintegration_contract import recording as recordings

from ..exchanges import answered, exchange, missing
from ..mutants.kit import is_get
from ..mutants.messages import Forward, Response, error
from ..mutants.messages import Request as Received
from ..support import AWS, call, domains, emulator, environment
from .conftest import Compare, about, accept, record, tagged

COMMAND = (sys.executable, "-m", "getintegration_contract", "compare")
#: Standard outputs that take nothing.
FAULTS = {"nobody reads": "| true", "full": "> /dev/full", "closed": ">&-"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("live", [False, True], ids=["recordings", "one is live"])
def test_a_stream_that_takes_nothing_changes_no_status(
    tmp_path: Path, different: tuple[Path, Path], live: bool, fault: str
) -> None:
    named = ("emulator", "emulator") if live else map(str, different)
    line = shlex.join([*COMMAND, *named, "--report-dir", str(tmp_path / "out")])
    result = call("bash", "-o", "pipefail", "-c", f"{line} {fault}", status=0 if live else 1)
    assert json.loads((tmp_path / "out" / "compare.json").read_text())["exit_status"] == result.status
    assert result.stderr.count("standard output cannot be written") == (fault == FAULTS["full"])
    assert "Traceback" not in result.stderr


def test_a_full_disk_is_a_sentence(
    tmp_path: Path, different: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, compare: Compare
) -> None:
    full = Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))
    for name, status in (("target.waivers.Path.write_text", 6), ("fileio.Path.replace", 4)):
        monkeypatch.setattr(f"getintegration_contract.{name}", full)
        result = compare(*different, "--write-accept", tmp_path / "a.toml", status=status)
        assert result.stderr.endswith("No space left on device\n")
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_comparison_and_a_second_one_does_not_break_the_clean_up(
    tmp_path: Path, closing: Any, tap: Any, name: str
) -> None:
    behind = closing(emulator())
    begun, removed = threading.Event(), threading.Event()

    def script(request: Received, forward: Forward) -> Response:
        if is_get(request) and begun.is_set():
            time.sleep(0.2)
        if request.method == "DELETE":
            removed.set()
            time.sleep(0.3)
        reply = forward(request)
        if is_get(request):
            begun.set()
        return reply

    server = tap(behind.url, script)
    path = record(tmp_path / "a.har", *(exchange() for _ in range(100)))
    streams: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([*COMMAND, path, server.url], env=environment(), text=True, **streams)
    assert begun.wait(30)
    process.send_signal(getattr(signal, name))
    assert removed.wait(30)
    process.send_signal(getattr(signal, name))
    _, message = process.communicate(timeout=60)
    assert process.returncode == 2
    assert message.splitlines()[-1].endswith("interrupted")
    assert "Traceback" not in message
    assert domains(behind.url) == set()


def test_account_ids_are_printed_nowhere(tmp_path: Path, compare: Compare) -> None:
    arn = "arn:aws:iam::123456789012:role/"
    sides = answered(RoleArn=arn + "a"), answered(RoleArn="123456789012")
    shown = compare(*sides, "--redact-accounts", status=1)
    written = "".join(path.read_text() for path in shown.directory.iterdir())
    refused = compare(sides[0], tmp_path / "123456789012.har", "--redact-accounts", status=4)
    assert "123456789012" not in shown.stdout + shown.stderr + written + refused.stderr
    assert "123456789012" in compare(*sides, status=1).stdout


def test_all_reports_are_written(different: tuple[Path, Path], compare: Compare) -> None:
    result = compare(*different, status=1)
    files = {path.name: path.read_text(encoding="utf-8") for path in result.directory.iterdir()}
    assert files.keys() == {"compare.html", "compare.json", "compare.md", "compare-junit.xml"}
    (group,) = result.differences
    assert (group["kind"], group["where"], group["candidate"]) == ("header", "etag", "<b>")
    assert len(group["examples"]) == 3
    assert "| 3 | `header:etag` | `none` | `<b>` |" in files["compare.md"]
    root = ElementTree.fromstring(files["compare-junit.xml"])
    assert root[0].attrib["failures"] == "1"
    (case,) = root.iter("testcase")
    assert case.find("failure") is not None
    assert "FAIL  open differences in 3 of 3 compared answers (100.0 %)" in result.stdout
    assert "coverage 100.0 %: 3 of 3 requests were compared" in result.stdout


def test_terminal_lines_are_safe(compare: Compare) -> None:
    result = compare(missing(), tagged("\x1b[31m\u202e", "ETag\x1b[2J"), status=1)
    assert not re.search("[\x1b\u202e]", result.stdout)


def test_what_is_printed_is_a_waiver(tmp_path: Path, compare: Compare) -> None:
    one = [missing(), answered(Tags=["a"])]
    other = [missing(400), answered(Tags=["b*"])]
    result = compare(one, other, status=1)
    cases = ElementTree.parse(result.directory / "compare-junit.xml").iter("testcase")
    listed = {case.get("name"): re.findall("(.*): ref", case.findtext("failure") or "") for case in cases}
    assert listed == {"response.status": ["status:404 -> 400"], "state.put-get.Tags": ["value:Tags[0]"]}
    printed = result.stdout
    patterns = re.findall(r"^ *\d+ x (.*?)   reference ", printed, re.MULTILINE)
    assert sorted(patterns) == ["status:404 -> 400", "value:Tags[0]"]
    assert "reference 404, candidate 400 (open)" in printed
    accepting = ("--accept", accept(tmp_path / "a.toml", *patterns))
    result = compare(one, other, *accepting, status=0)
    assert result.report["complaints"] == []
    assert "PASS  no open difference in 2 compared answers; 2 differ only in accepted ways" in result.stdout
    assert "(accepted until 2099-01-01)" in result.stdout
    groups = compare(one, [missing(403), other[1]], *accepting).differences
    assert [group["pattern"] for group in groups if group["open"]] == ["status:404 -> 403"]


def test_a_file_of_waivers_is_started(tmp_path: Path, different: tuple[Path, Path], compare: Compare) -> None:
    file = tmp_path / "accept.toml"
    compare(*different, "--write-accept", file, status=1)
    assert "say why" in compare(*different, "--accept", file, status=4).stderr
    edited = file.read_text().replace("say why this is accepted", "a").replace("say who answers for it", "b")
    file.write_text(edited)
    assert cli.main([*map(str, different), "--accept", str(file)]) == 0, "which needs no reports"
    compare(*different, "--accept", file, "--write-accept", file, status=0)
    assert file.read_text() == edited


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        *((pattern, "") for pattern in ("header", "header:etag", "header:e*", "missing.domain", "missing.*")),
        ("header until 2020-01-01", "the waiver of header expired on 2020-01-01"),
        ("timing", "the waiver of timing matches no difference"),
        ("header:etga", "the waiver of header:etga matches no difference; the nearest is header:etag"),
    ],
)
def test_waivers_accept_what_they_match_and_are_wrong_otherwise(
    tmp_path: Path, compare: Compare, pattern: str, complaint: str
) -> None:
    name, _, expires = pattern.partition(" until ")
    waivers = accept(tmp_path / "a.toml", name, expires=expires or "2099-01-01")
    other = tagged("a")
    result = compare(missing(), other, "--accept", waivers, clauses=("missing.domain",))
    (group,), report = result.differences, result.report
    assert (result.status, report["complaints"]) == ((1, [complaint]) if complaint else (0, []))
    assert group["state"] == ("open" if complaint else "accepted")
    assert (group["accepted"] or {}).get("reason") == (None if complaint else "known")
    assert (report["divergence"]["different"], report["divergence"]["unaccepted"]) == (1, bool(complaint))


NUMBERS = ("nan", "inf", "1e-300", "1e300", "9" * 5000)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", ""),
        ("{a}", ""),
        ("{a} {b} {a}", ""),
        ("{a} {b} --nonsense", ""),
        ("{a} {b} --no-normalise everything", ""),
        ("{a} {b} --max-age -1", "--max-age"),
        ("{a} {b} --max-age soon", "--max-age"),
        ("{a} {b} --rate 0", "--rate"),
        ("{a} {b} --rate fast", "--rate"),
        *((f"{{a}} {{url}} --rate {number}", "--rate") for number in NUMBERS),
        *((f"{{a}} {{url}} {option} {'9' * 5000}", option) for option in ("--max-requests", "--max-age")),
        ("{a} {url} --promote", "--promote needs a recording of AWS"),
        ("{stale} {url} --promote", "--promote: the recording is stale"),
        ("{url} {url} --promote", "--promote needs a recording of AWS"),
        ("emulator {url} --promote", "--promote needs a recording of AWS"),
        ("{a} --promote", "--promote"),
        ("{url} --promote", "--promote"),
        ("{a} {b} --record c.har", "--record"),
        ("{a} {url} --record {folder}", "{folder}"),
        ("{a} {url} --record {a}/c.har", "{a}"),
        ("{a} {url} --record {broken}", "{broken}"),
        ("{a} {url} --record /dev/null", "no regular file"),
        ("{a} {url} --write-accept /dev/null", "no regular file"),
        ("{a} {b} --requests {a}", "--requests"),
        ("{url} {url} --requests missing.har", "missing.har"),
        ("{a} missing.har", "missing.har"),
        ("{a} {b} --confirm missing.har", "missing.har"),
        ("{a} {b} --contract missing.yaml", "missing.yaml"),
        ("{a} {b} --accept missing.toml", "missing.toml"),
        ("{a} {b} --accept {waivers}", "clause is no key"),
        ("{a} {b} --report-dir {a}", "{a}"),
        ("{a} {url} --target", "--target"),
        ("{a} {url} --target missing.toml", "missing.toml"),
        ("{a} emulator --target missing.toml", "--target needs an address as the candidate"),
        ("{a} {b} --target missing.toml", "--target needs an address as the candidate"),
        ("{a} --promote --target missing.toml", "--target needs an address as the candidate"),
        (
            "emulator {b} --reference-target missing.toml",
            "--reference-target needs an address as the reference",
        ),
        ("{a} {url} --reference-target missing.toml", "--reference-target needs an address as the reference"),
        ("{a} {url}/path", "must not have a path"),
        ("{a} https://[::1", "is not an address"),
        ("https://mock.example.org emulator", "no credentials for caller"),
    ],
    ids=lambda value: value[:60],
)
def test_wrong_use_is_status_4_and_a_sentence_before_anything_is_sent(
    tmp_path: Path, alike: tuple[Path, Path], serve: Any, line: str, said: str, compare: Compare
) -> None:
    server = serve(lambda request: error(404, "UnknownOperationException"))
    named: dict[str, Any] = {"a": alike[0], "b": alike[1], "url": server.url, "folder": tmp_path}
    named["stale"] = record(tmp_path / "stale.har", exchange(), suite=about(AWS, "2020-01-01T00:00:00Z"))
    named["broken"] = record(tmp_path / "broken.har", exchange(), finish=False)
    named["waivers"] = accept(tmp_path / "waivers.toml", "a")
    named["waivers"].write_text(named["waivers"].read_text().replace("difference", "clause"))
    message = compare(*(word.format(**named) for word in line.split()), status=4).stderr
    assert said.format(**named) in message
    assert message.count("\n") == 1
    assert len(message) < 400
    assert not re.search("Traceback|--profile", message), "there is no such option"
    assert server.received == []
    assert Path("/dev/null").is_char_device()


def test_what_goes_wrong_inside_is_no_traceback(
    alike: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, compare: Compare
) -> None:
    monkeypatch.setattr(cli, "Comparison", lambda *_, **__: 1 / 0)
    assert "internal error: ZeroDivisionError" in compare(*alike, status=3).stderr


def test_an_old_recording_is_stale(compare: Compare) -> None:
    suites = (about(date="2025-01-01T00:00:00Z"), None)
    result = compare(exchange(), exchange(), "--max-age", "90", suites=suites, status=0)
    assert re.search("stale: .*, more than 90", result.report["stale"][0])
    result = compare(exchange(), exchange(), "--max-age", "100000", suites=suites)
    assert result.report["stale"] == []


def test_drift_and_whether_a_repeat_confirms_it(tmp_path: Path, compare: Compare) -> None:
    def made(month: int, *members: dict[str, str]) -> Path:
        suite = about(AWS, date=f"2026-{month}-01T00:00:00Z")
        return record(tmp_path / f"{month}.har", *(answered(**each) for each in members), suite=suite)

    changed = {"Scope": "DOMAIN"}
    before, after = made(10, {}, {}), made(11, changed, {"ObjectTypeName": "passing"})
    repeat = made(12, changed, {})
    result = compare(before, after, "--confirm", repeat, "--max-age", "100000", status=1)
    assert result.report["mode"] == "drift"
    confirmed = {group["where"]: group["confirmed"] for group in result.differences}
    assert confirmed == {"Scope": True, "ObjectTypeName": False}
    assert f"drift of {AWS} from 2026-10-01 (reference) to 2026-11-01 (candidate)" in result.stdout
    assert "not confirmed by a repeat" in result.stdout


def test_a_recording_at_five_a_second(slow_har: Path) -> None:
    exchanges = recordings.read(slow_har).exchanges
    assert all(recorded.exchange.response.status != 429 for recorded in exchanges)
    assert "requests, at 5 a second" in slow_har.with_suffix(".txt").read_text(encoding="utf-8")
