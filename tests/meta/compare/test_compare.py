"""The command line: exit statuses, reports, accepted differences, staleness, drift, evidence."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from getintegration_compare import cli

from ..support import ROOT, environment
from .kit import (
    AWS,
    CONTRACT,
    Edited,
    about,
    compared,
    error,
    exchange,
    found,
    load,
    record,
    run,
)


@pytest.fixture
def alike(tmp_path: Path) -> tuple[Path, Path]:
    """Two recordings that do not differ."""
    return record(tmp_path / "a.har", exchange()), record(tmp_path / "b.har", exchange())


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


@pytest.mark.parametrize(("sides", "status"), [("alike", 0), ("different", 1), ("one is live", 1)])
def test_whoever_stops_reading_changes_nothing(
    tmp_path: Path, alike: tuple[Path, Path], different: tuple[Path, Path], sides: str, status: int
) -> None:
    one, other = {"alike": alike, "different": different, "one is live": (alike[0], "emulator")}[sides]
    command = [sys.executable, "-m", "getintegration_compare", str(one), str(other)]
    process = subprocess.Popen(
        [*command, "--report-dir", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env=environment(),
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == status
    assert load(tmp_path / "out" / "compare.json")["exit_status"] == status


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


class _Page(HTMLParser):
    """Which elements a page has, and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "action")]


def test_the_page_shows_both_answers_and_nothing_of_theirs_acts(tmp_path: Path) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m"
    reference = record(tmp_path / "a.har", exchange(200, found(ObjectTypeName="plain")))
    candidate = record(tmp_path / "b.har", exchange(200, found(ObjectTypeName=attack)), test="test")
    run(reference, candidate, "--report-dir", tmp_path)
    text = (tmp_path / "compare.html").read_text()
    page = _Page()
    page.feed(text)
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert page.loads == []
    assert "prefers-color-scheme: dark" in text
    assert "default-src &#39;none&#39;" in text
    assert "&lt;script&gt;alert(1)" in text
    assert text.count("<pre>200") == 2
    assert "plain" in text
    assert "\x1b" not in text + (tmp_path / "compare.md").read_text()


def test_the_page_has_the_colours_of_all_pages_and_names_its_style(
    tmp_path: Path, different: tuple[Path, Path]
) -> None:
    run(*different, "--report-dir", tmp_path)
    text = (tmp_path / "compare.html").read_text(encoding="utf-8")
    style = text.partition("<style>")[2].partition("</style>")[0]
    palette = files("getintegration_contract.report").joinpath("templates", "palette.css")
    assert style.startswith(palette.read_text(encoding="utf-8").strip())
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'; script-src 'none';" in unescape(text)
    used = set(re.findall(r"var\((--[\w-]+)", style))
    assert used <= set(re.findall(r"(--[\w-]+):", style)), "colours that the palette does not have"


def test_terminal_lines_are_safe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reference = record(tmp_path / "a.har", exchange())
    candidate = record(tmp_path / "b.har", exchange(headers=(("ETag\x1b[2J", "\x1b[31m\u202e"),)))
    assert run(reference, candidate) == 1
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert all(len(line) <= 110 for line in printed.splitlines())


def accept(path: Path, *patterns: str, expires: str = "2099-01-01", by: str = 'owner = "me"') -> Path:
    """A file of accepted differences."""
    tables = (
        f'[[waiver]]\ndifference = "{pattern}"\nreason = "known"\n{by}\nexpires = {expires}\n'
        for pattern in patterns
    )
    path.write_text("\n".join(tables))
    return path


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


def test_an_expired_waiver_accepts_nothing(tmp_path: Path, different: tuple[Path, Path]) -> None:
    file = accept(tmp_path / "a.toml", "header", expires="2020-01-01")
    status, report = compared(tmp_path, *different, "--accept", file)
    assert status == 1
    assert report["complaints"] == ["the waiver of header expired on 2020-01-01"]


def test_a_waiver_of_nothing_fails(tmp_path: Path, alike: tuple[Path, Path]) -> None:
    status, report = compared(tmp_path, *alike, "--accept", accept(tmp_path / "a.toml", "envelope"))
    assert status == 1
    assert "matches no difference" in report["complaints"][0]


@pytest.mark.parametrize(
    "content",
    [
        "not TOML",
        "[waiver]",
        '[[waiver]]\nclause = "a"',
        '[[waiver]]\ndifference = "a"\nreason = "b"\nexpires = 2099-01-01',
        '[[waiver]]\ndifference = "a"\nreason = "b"\nowner = "c"\nexpires = "soon"',
        '[[waiver]]\ndifference = ""\nreason = "b"\nowner = "c"\nexpires = 2099-01-01',
        "other = 1",
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
        ["{a}", "emulator", "--rate", "nan"],
        ["{a}", "emulator", "--rate", "inf"],
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
    assert message.strip()
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
    monkeypatch.setattr(cli, "compare", lambda *_, **__: 1 / 0)
    assert run(*alike) == 3
    assert "internal error: ZeroDivisionError" in capsys.readouterr().err


def test_nothing_compared_is_indeterminate(tmp_path: Path, alike: tuple[Path, Path]) -> None:
    other = record(tmp_path / "c.har", exchange(), test="another")
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


def test_clauses_named_here_exist() -> None:
    assert {"response.request-id", "sigv4.wrong-service.type", "missing.domain"} <= set(CONTRACT.clauses)
