"""Report files: written whole, refused in one sentence; history; the command line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract import cli
from getintegration_contract.errors import UsageError
from getintegration_contract.report import files
from getintegration_contract.report.html import write

from . import documents
from .documents import Report


def _made(path: Path, *arguments: str | Path) -> str:
    """The page that a command line writes."""
    assert cli.main(["report", *map(str, arguments), "-o", str(path)]) == 0
    return path.read_text(encoding="utf-8")


def _save(path: Path, report: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report), encoding="utf-8")
    return path


def _days_ago(days: int, **target: str) -> Report:
    report = documents.healthy()
    report["target"] |= target
    return {**report, "started": f"2027-01-{27 - days}T10:12:30+00:00"}


def test_write_makes_all_three_and_nothing_else(tmp_path: Path, document: Report) -> None:
    directory = tmp_path / "new" / "reports"
    paths = write(document, directory)
    assert sorted(path.name for path in paths) == ["report.html", "report.json", "summary.md"]
    assert sorted(directory.iterdir()) == sorted(paths)
    assert files.read(directory / "report.json") == document


def test_a_directory_that_cannot_be_gives_one_sentence(tmp_path: Path, healthy: Report) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match=r"^cannot write .*report\.json: "):
        write(healthy, tmp_path / "file" / "reports")
    with pytest.raises(UsageError, match=r"^cannot write /proc/reports/report\.json: "):
        write(healthy, Path("/proc/reports"))
    (tmp_path / "there" / "summary.md").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"^cannot write .*summary\.md: "):
        write(healthy, tmp_path / "there")
    assert not list((tmp_path / "there").glob(".*"))


def test_a_folder_named_history_makes_a_trend(tmp_path: Path) -> None:
    write(_days_ago(3), tmp_path)
    assert "<polyline" not in (tmp_path / "report.html").read_text()
    (tmp_path / "history").mkdir()
    write(_days_ago(2), tmp_path)
    write(_days_ago(1), tmp_path)
    kept = [path.name for path in sorted((tmp_path / "history").iterdir())]
    assert kept == ["2027-01-24T101230+0000.json", "2027-01-25T101230+0000.json"]
    page = (tmp_path / "report.html").read_text()
    assert page.count("<polyline") == 4
    assert "violated over 3 runs" in page


def test_a_trend_is_of_one_target_by_its_name_or_address(tmp_path: Path) -> None:
    (tmp_path / "history").mkdir()
    write(_days_ago(2, endpoint="http://other:1"), tmp_path)
    write(_days_ago(1, endpoint="http://other:2", name="mock"), tmp_path)
    assert "<polyline" not in (tmp_path / "report.html").read_text()
    write(_days_ago(0, endpoint="http://other:3", name="mock"), tmp_path)
    assert "violated over 2 runs" in (tmp_path / "report.html").read_text()


def test_the_baseline_is_the_given_report_or_the_newest_of_the_target(tmp_path: Path) -> None:
    given = _save(tmp_path / "given.json", _days_ago(9))
    assert files.baseline(str(given), None, "x") == (_days_ago(9), [])
    assert files.baseline(None, str(tmp_path), "mock") == (None, [])
    _save(tmp_path / "history" / "a.json", _days_ago(3, name="mock"))
    _save(tmp_path / "history" / "b.json", _days_ago(1, name="another"))
    _save(tmp_path / "report.json", _days_ago(2, name="mock"))
    (tmp_path / "history" / "c.json").write_bytes(b"\xff{")
    report, faults = files.baseline(None, str(tmp_path), "mock")
    assert report == _days_ago(2, name="mock")
    assert [Path(fault.split()[0]).name for fault in faults] == ["c.json"]
    with pytest.raises(UsageError, match=r"cannot read none\.json"):
        files.baseline("none.json", None, "x")


def test_pages_are_made_of_files_and_of_folders_with_downloaded_artifacts(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    paths = [_save(runs / "monday.json", _days_ago(2)), _save(runs / "tuesday" / "report.json", _days_ago(1))]
    _save(runs / "history" / "sunday.json", _days_ago(3))
    (runs / "broken.json").write_text("{")
    page = _made(tmp_path / "trend.html", "trend", runs)
    assert "violated over 3 runs from 2027-01-24 to 2027-01-26" in page
    assert "broken.json is not JSON" in page
    assert "clauses differ" in _made(tmp_path / "compare.html", "compare", *paths)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("compare none.json none.json", "cannot read none.json: No such file or directory"),
        ("compare list.json list.json", "list.json is not a report of this suite: the document: "),
        ("compare new.json new.json", "new.json has schema version 3; this suite reads version 2"),
        ("compare good.json", "a comparison needs at least two reports"),
        ("compare good.json text.json", "text.json is not JSON"),
        ("compare good.json odd.json", "odd.json holds text that is not Unicode"),
        ("compare good.json good.json -o good.json/a.html", "cannot write good.json/a.html: "),
        ("trend nowhere", "nowhere is not a folder"),
        ("trend empty", "empty holds no report.json"),
        ("compare", "the following arguments are required"),
        ("draw", "invalid choice: 'draw'"),
        ("", "the following arguments are required: command"),
    ],
)
def test_bad_input_gives_one_sentence_and_status_4(
    tmp_path: Path, monkeypatch: Any, capsys: Any, healthy: Report, arguments: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    _save(tmp_path / "good.json", healthy)
    _save(tmp_path / "new.json", {**healthy, "schema_version": 3})
    _save(tmp_path / "odd.json", {**healthy, "run": {**healthy["run"], "faults": {"\ud800": 1}}})
    _save(tmp_path / "list.json", [])
    (tmp_path / "text.json").write_text("report")
    (tmp_path / "empty").mkdir()
    try:
        status: Any = cli.main(["report", *arguments.split()])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    assert (status, captured.err.count("\n")) == (4, 1)
    assert sentence in captured.err


def test_jinja_is_loaded_only_for_reports() -> None:
    program = "import sys, getintegration_contract.plugin.hooks as _; assert 'jinja2' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
