"""The command line: exit statuses, reports, accepted differences, staleness, drift, evidence."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from getintegration_compare import cli
from getintegration_compare.report import page
from getintegration_contract.exchange import Request
from getintegration_contract.sending.client import Client

from ..support import ROOT, Received, Reply, Scripted, emulator, environment, forwarding
from .kit import AWS, CALLER, Edited, about, compared, error, exchange, found, load, record, run


def test_no_option_is_recommended_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("https://mock.example.org", "emulator") == 4
    said = capsys.readouterr().err
    assert "no credentials for caller" in said
    assert "--profile" not in said


@pytest.fixture
def different(tmp_path: Path) -> tuple[Path, Path]:
    """Two recordings with one difference in each of three answers."""
    body, headers = error("ResourceNotFoundException")
    one = record(tmp_path / "c.har", *(exchange(404, body, headers=headers) for _ in range(3)))
    other = record(
        tmp_path / "d.har", *(exchange(404, body, headers=(*headers, ("ETag", "<b>"))) for _ in range(3))
    )
    return one, other


def test_the_module_runs_as_a_command(different: tuple[Path, Path]) -> None:
    command = [sys.executable, "-m", "getintegration_compare", *map(str, different)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(), check=False)
    assert result.returncode == 1
    assert "FAIL  open differences in 3 of 3 compared answers (100.0 %)" in result.stdout
    assert "coverage 100.0 %: 3 of 3 requests were compared" in result.stdout
    assert result.stderr == ""


def _process(arguments: list[str | Path], **options: Any) -> subprocess.Popen[str]:
    """The command in a process of its own, with signals as in a terminal."""

    def usual() -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_DFL)
        options.get("setup", lambda: None)()

    command = [sys.executable, "-m", "getintegration_compare", *map(str, arguments)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(),
        text=True,
        preexec_fn=usual,
        stdout=options.get("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize(("sides", "status"), [("alike", 0), ("different", 1), ("one is live", 0)])
@pytest.mark.parametrize("fault", ["nobody reads", "full", "closed"])
def test_a_stream_that_takes_nothing_changes_no_status(
    tmp_path: Path,
    alike: tuple[Path, Path],
    different: tuple[Path, Path],
    sides: str,
    status: int,
    fault: str,
) -> None:
    named = {"alike": alike, "different": different, "one is live": ("emulator", "emulator")}[sides]
    with Path("/dev/full").open("w") as full:
        options: dict[str, Any] = {"full": {"stdout": full}, "closed": {"setup": lambda: os.close(1)}}
        process = _process([*named, "--report-dir", tmp_path / "out"], **options.get(fault, {}))
        if fault == "nobody reads":
            assert process.stdout is not None
            process.stdout.close()
        assert process.stderr is not None
        message = process.stderr.read()
        assert process.wait(timeout=60) == status
    assert load(tmp_path / "out" / "compare.json")["exit_status"] == status
    assert message.count("standard output cannot be written") == (fault == "full")
    assert "Traceback" not in message


def test_outputs_on_a_full_disk_are_a_sentence(
    tmp_path: Path,
    different: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("getintegration_contract.target.waivers.Path.write_text", full)
    assert run(*different, "--write-accept", tmp_path / "a.toml") == 6
    monkeypatch.setattr("getintegration_contract.report.files.tempfile.mkstemp", full)
    assert run(*different, "--report-dir", tmp_path / "out") == 4
    for line in (lines := capsys.readouterr().err.splitlines()):
        assert "No space left on device" in line
    assert len(lines) == 2


@pytest.mark.parametrize("option", ["--record", "--write-accept"])
def test_outputs_are_regular_files(
    alike: tuple[Path, Path], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(alike[0], "emulator", option, "/dev/null") == 4
    assert "no regular file" in capsys.readouterr().err
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_comparison_and_a_second_one_does_not_break_the_clean_up(
    tmp_path: Path, closing: Any, name: str
) -> None:
    behind = closing(emulator())
    forward = forwarding(behind.url)
    begun, removed = threading.Event(), threading.Event()

    def script(request: Received) -> Reply:
        if request.is_get_integration and begun.is_set():
            time.sleep(0.2)
        if request.method == "DELETE":
            removed.set()
            time.sleep(0.3)
        reply = forward(request)
        if request.is_get_integration:
            begun.set()
        return reply

    server = closing(Scripted(script))
    path = record(tmp_path / "a.har", *(exchange() for _ in range(100)))
    process = _process([path, server.url])
    assert begun.wait(30)
    process.send_signal(getattr(signal, name))
    assert removed.wait(30)
    process.send_signal(getattr(signal, name))
    _, message = process.communicate(timeout=60)
    assert process.returncode == 2
    assert message.splitlines()[-1].endswith("interrupted")
    assert "Traceback" not in message
    client = Client(behind.url, "us-east-1")
    assert b"GetIntegrationContract" not in client.send(Request("GET", "/domains"), CALLER).response.body
    client.close()


def test_account_ids_are_printed_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arn = "arn:aws:iam::123456789012:role/"
    one = record(tmp_path / "a.har", exchange(200, found(RoleArn=arn + "a")))
    other = record(tmp_path / "b.har", exchange(200, found(RoleArn="123456789012")))
    assert run(one, other, "--redact-accounts", "--report-dir", tmp_path / "out") == 1
    assert run(one, tmp_path / "123456789012.har", "--redact-accounts") == 4
    printed = "".join(capsys.readouterr())
    written = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert "123456789012" not in printed + written
    assert run(one, other) == 1
    assert "123456789012" in capsys.readouterr().out


def test_the_page_is_filtered_in_a_browser(tmp_path: Path, different: tuple[Path, Path]) -> None:
    if not (chromium := shutil.which("chromium")):
        pytest.skip("chromium is not installed")
    (waivers := tmp_path / "accepted.toml").write_text(
        '[[waiver]]\ndifference = "header:etag"\nreason = "r"\nowner = "me"\nexpires = 2999-01-01\n'
    )
    assert run(*different, "--accept", waivers, "--report-dir", tmp_path / "out") == 0
    report = load(tmp_path / "out" / "compare.json")
    (group,) = report["differences"]
    status = {"pattern": "status:404 -> 400", "kind": "status", "where": ""}
    opened = {**group, **status, "accepted": None, "open": True, "examples": []}
    page_of_two = tmp_path / "two.html"
    page_of_two.write_text(page.html({**report, "differences": [group, opened]}), encoding="utf-8")

    def shown(fragment: str) -> list[str]:
        """The differences that are shown at an address of the page."""
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000"]
        command += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page_of_two.as_uri() + fragment]
        document = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
        articles = re.findall(r"<article ([^>]*)>.*?<code class=.id.>(.*?)</code>", document, re.S)
        return [unescape(pattern) for attributes, pattern in articles if "hidden" not in attributes]

    both = ["header:etag", "status:404 -> 400"]
    assert shown("") == both
    assert shown("#state=accepted") == both[:1]
    assert shown("#kind=status") == both[1:]
    assert shown("#q=etag") == both[:1]
    assert shown("#state=accepted&kind=status") == []


def test_all_reports_are_written(tmp_path: Path, different: tuple[Path, Path]) -> None:
    assert run(*different, "--report-dir", tmp_path / "out") == 1
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"compare.html", "compare.json", "compare.md", "compare-junit.xml"}
    report = json.loads((tmp_path / "out" / "compare.json").read_text())
    (group,) = report["differences"]
    assert (group["kind"], group["where"], group["candidate"]) == ("header", "etag", "<b>")
    assert len(group["examples"]) == 3
    markdown = (tmp_path / "out" / "compare.md").read_text()
    assert "| 3 | `header:etag` | `none` | `<b>` |" in markdown
    root = ElementTree.fromstring((tmp_path / "out" / "compare-junit.xml").read_text())
    assert root[0].attrib["failures"] == "1"
    (case,) = root.iter("testcase")
    assert case.find("failure") is not None


def test_the_page_shows_both_answers_and_nothing_of_theirs_acts(tmp_path: Path) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m"
    reference = record(tmp_path / "a.har", exchange(200, found(ObjectTypeName="plain", Tags={"a": "b"})))
    candidate = record(tmp_path / "b.har", exchange(200, found(ObjectTypeName=attack)))
    run(reference, candidate, "--report-dir", tmp_path)
    text = (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert all(load.startswith("#") for load in re.findall(r'<[^>]* (?:src|href|action)="([^"]*)"', text))
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "script-src 'sha256-" in unescape(text)
    assert [unescape(line).strip() for line in re.findall("<mark>(.*?)</mark>", text)] == [
        '"ObjectTypeName": "plain"',
        f'"ObjectTypeName": {json.dumps(attack)}',
        '"Tags": {',
        '"a": "b"',
        "}",
    ]
    assert "\x1b" not in text + (tmp_path / "compare.md").read_text()


def _sides(group: dict[str, str], one: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The marked lines of two answers side by side."""
    sides = {"reference": {"response": one}, "candidate": {"response": other}}
    return [tuple(row) for row in page.rows(group, sides) if row.mark]


def test_what_differs_is_marked_and_what_is_in_question_apart() -> None:
    plain = {"status": 200, "reason": "OK", "headers": [["A", "1"]], "body": '{"a": 1, "b": [1, 2]}'}
    changed = {**plain, "headers": [["a", "2"]], "body": '{"b": [1, 3, 4], "a": 2}'}
    place = {"kind": "value", "where": "b[1]"}
    assert _sides(place, plain, changed) == [
        ("A: 1", "a: 2", "differs"),
        ('  "a": 1', '  "a": 2', "differs"),
        ("    2", "    3", "here"),
        ("", "    4", "differs"),
    ]
    assert _sides({"kind": "header", "where": "a"}, plain, changed)[0][2] == "here"
    for body in ("no JSON", "[" * 3000, ""):
        broken = {**plain, "status": 500, "body": body}
        assert ("200 OK", "500 OK", "here") in _sides({"kind": "status", "where": ""}, plain, broken)


def test_terminal_lines_are_safe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reference = record(tmp_path / "a.har", exchange())
    candidate = record(tmp_path / "b.har", exchange(headers=(("ETag\x1b[2J", "\x1b[31m\u202e"),)))
    assert run(reference, candidate) == 1
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\u202e" not in printed


def accept(path: Path, *patterns: str, expires: str = "2099-01-01", by: str = 'owner = "me"') -> Path:
    """A file of accepted differences."""
    tables = (
        f'[[waiver]]\ndifference = "{pattern}"\nreason = "known"\n{by}\nexpires = {expires}\n'
        for pattern in patterns
    )
    path.write_text("\n".join(tables))
    return path


def test_what_is_printed_is_a_waiver(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body, headers = error("ResourceNotFoundException")
    one = record(tmp_path / "a.har", exchange(404, body, headers=headers), exchange(200, found(Tags=["a"])))
    other = record(
        tmp_path / "b.har", exchange(400, body, headers=headers), exchange(200, found(Tags=["b*"]))
    )
    assert run(one, other) == 1
    printed = capsys.readouterr().out
    patterns = re.findall(r"^ *\d+ x (.*?)   reference ", printed, re.MULTILINE)
    assert sorted(patterns) == ["status:404 -> 400", "value:Tags[0]"]
    assert "reference 404, candidate 400 (open)" in printed
    status, report = compared(tmp_path, one, other, "--accept", accept(tmp_path / "a.toml", *patterns))
    assert (status, report["complaints"]) == (0, [])
    printed = capsys.readouterr().out
    assert "PASS  no open difference in 2 compared answers; 2 differ only in accepted ways" in printed
    assert "(accepted until 2099-01-01)" in printed
    other = record(tmp_path / "c.har", exchange(403, body, headers=headers), exchange(200, found(Tags=["b"])))
    status, report = compared(tmp_path, one, other, "--accept", tmp_path / "a.toml")
    assert [group["pattern"] for group in report["differences"] if group["open"]] == ["status:404 -> 403"]


def test_a_file_of_waivers_is_started(tmp_path: Path, different: tuple[Path, Path]) -> None:
    file = tmp_path / "accept.toml"
    assert run(*different, "--write-accept", file) == 1
    assert run(*different, "--accept", file) == 4, "reason and owner are to be filled in"
    edited = file.read_text().replace("say why this is accepted", "a").replace("say who answers for it", "b")
    file.write_text(edited)
    assert run(*different, "--accept", file) == 0
    assert run(*different, "--accept", file, "--write-accept", file) == 0
    assert file.read_text() == edited


@pytest.mark.parametrize("pattern", ["header", "header:etag", "header:e*", "missing.domain", "missing.*"])
def test_accepted_differences_do_not_fail(tmp_path: Path, different: tuple[Path, Path], pattern: str) -> None:
    paths = []
    for path in different:
        edited = Edited.of(path)
        for entry in edited.entries:
            entry["_clauses"] = ["missing.domain"]
        paths.append(edited.write(path))
    status, report = compared(tmp_path, *paths, "--accept", accept(tmp_path / "a.toml", pattern))
    assert status == 0
    assert report["divergence"]["different"] == 3  # accepted, and told all the same
    assert report["divergence"]["unaccepted"] == 0
    assert report["differences"][0]["accepted"]["reason"] == "known"


@pytest.mark.parametrize(
    ("pattern", "expires", "complaint"),
    [
        ("header", "2020-01-01", "the waiver of header expired on 2020-01-01"),
        ("timing", "2099-01-01", "the waiver of timing matches no difference"),
        ("header:etga", "2099-01-01", "matches no difference; the nearest is header:etag"),
    ],
)
def test_what_is_wrong_with_a_waiver_is_told(
    tmp_path: Path, different: tuple[Path, Path], pattern: str, expires: str, complaint: str
) -> None:
    file = accept(tmp_path / "a.toml", pattern, expires=expires)
    status, report = compared(tmp_path, *different, "--accept", file)
    assert (status, len(report["complaints"])) == (1, 1)
    assert report["complaints"][0].endswith(complaint)
    assert report["differences"][0]["open"]


def test_a_waiver_of_nothing_fails(tmp_path: Path, alike: tuple[Path, Path]) -> None:
    assert run(*alike, "--accept", accept(tmp_path / "a.toml", "envelope")) == 1


@pytest.mark.parametrize(
    "content",
    [
        "not TOML",
        '[[waiver]]\nclause = "a"',
        '[[waiver]]\ndifference = "a"\nreason = "b"\nexpires = 2099-01-01',
        '[[waiver]]\ndifference = ""\nreason = "b"\nowner = "c"\nexpires = 2099-01-01',
    ],
)
def test_a_wrong_file_of_accepted_differences_is_told(
    tmp_path: Path, alike: tuple[Path, Path], content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.toml").write_text(content)
    assert run(*alike, "--accept", tmp_path / "a.toml") == 4
    assert "--accept" in (message := capsys.readouterr().err)
    assert "Traceback" not in message


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["{a}"],
        ["{a}", "{b}", "--no-normalise", "everything"],
        ["{a}", "{b}", "--max-age", "-1"],
        ["{a}", "{b}", "--max-age", "soon"],
        ["{a}", "{b}", "--rate", "0"],
        ["{a}", "{b}", "--rate", "fast"],
        *(["{a}", "emulator", "--rate", rate] for rate in ("nan", "inf", "1e-300", "1e300")),
        *(["{a}", "emulator", option, "9" * 5000] for option in ("--rate", "--max-requests", "--max-age")),
        ["{a}", "{b}", "--promote"],
        ["{a}", "--promote"],
        ["http://127.0.0.1:1", "--promote"],
        ["{a}", "{b}", "--record", "c.har"],
        ["{a}", "{b}", "--requests", "{a}"],
        ["{a}", "missing.har"],
        ["{a}", "{b}", "--confirm", "missing.har"],
        ["{a}", "{b}", "--contract", "missing.yaml"],
        ["{a}", "{b}", "--accept", "missing.toml"],
        ["{a}", "{b}", "--report-dir", "{a}"],
        ["{a}", "emulator", "--target"],
        ["{a}", "http://127.0.0.1:1", "--target", "missing.toml"],
        ["{a}", "{b}", "{a}"],
        ["{a}", "{b}", "--nonsense"],
    ],
)
def test_wrong_use_is_status_4_and_a_sentence(
    alike: tuple[Path, Path], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*(argument.format(a=alike[0], b=alike[1]) for argument in arguments)) == 4
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert len(message) < 400
    assert "Traceback" not in message


@pytest.mark.parametrize(
    ("sides", "option"),
    [
        (("{a}", "emulator"), "--target"),
        (("{a}", "{b}"), "--target"),
        (("{a}", "--promote"), "--target"),
        (("emulator", "{b}"), "--reference-target"),
        (("{a}", "http://127.0.0.1:1"), "--reference-target"),
    ],
)
def test_a_target_file_that_nobody_would_read_is_refused(
    alike: tuple[Path, Path], sides: tuple[str, ...], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    named = [side.format(a=alike[0], b=alike[1]) for side in sides]
    assert run(*named, option, "missing.toml") == 4
    assert f"leave {option} out" in capsys.readouterr().err


def test_what_goes_wrong_inside_is_no_traceback(
    alike: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "Comparison", lambda *_, **__: 1 / 0)
    assert run(*alike) == 3
    assert "internal error: ZeroDivisionError" in capsys.readouterr().err


def test_nothing_compared_is_indeterminate(tmp_path: Path, alike: tuple[Path, Path]) -> None:
    other = record(tmp_path / "c.har", exchange(), test="another[{}]")
    status, report = compared(tmp_path, alike[0], other)
    assert status == 6
    assert report["coverage"]["share"] == 0


def test_an_old_recording_is_stale(tmp_path: Path, alike: tuple[Path, Path]) -> None:
    old = record(tmp_path / "old.har", exchange(), suite=about(date="2025-01-01T00:00:00Z"))
    status, report = compared(tmp_path, old, alike[1], "--max-age", "90")
    assert status == 0
    assert "stale" in report["stale"][0]
    assert "90 are allowed" in report["stale"][0]
    _, report = compared(tmp_path, old, alike[1], "--max-age", "100000")
    assert report["stale"] == []


def test_drift_and_whether_a_repeat_confirms_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def made(name: str, *documents: dict[str, Any]) -> Path:
        suite = about(AWS, date=f"2026-1{name}-01T00:00:00Z")
        return record(tmp_path / f"{name}.har", *(exchange(200, each) for each in documents), suite=suite)

    before = made("0", found(), found())
    after = made("1", found(Scope="DOMAIN"), found(ObjectTypeName="passing"))
    repeat = made("2", found(Scope="DOMAIN"), found())
    status, report = compared(tmp_path, before, after, "--confirm", repeat, "--max-age", "100000")
    assert status == 1
    assert report["mode"] == "drift"
    confirmed = {group["where"]: group["confirmed"] for group in report["differences"]}
    assert confirmed == {"Scope": True, "ObjectTypeName": False}
    printed = capsys.readouterr().out
    assert f"drift of {AWS} from 2026-10-01 (reference) to 2026-11-01 (candidate)" in printed
    assert "not confirmed by a repeat" in printed


def test_a_recording_at_five_a_second(slow_har: Path) -> None:
    moments = sorted(
        datetime.fromisoformat(entry["startedDateTime"]).timestamp()
        for entry in load(slow_har)["log"]["entries"]
    )
    assert all(entry["response"]["status"] != 429 for entry in load(slow_har)["log"]["entries"])
    for begin in moments:
        assert sum(begin <= moment < begin + 0.95 for moment in moments) <= 5
    printed = (slow_har.parent / "printed.txt").read_text()
    assert "requests, at 5 a second" in printed
