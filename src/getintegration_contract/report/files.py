"""Report files: written at once, read only if they keep the published schema; baseline and history."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from getintegration_contract.errors import UsageError
from getintegration_contract.fileio import naming, replacing
from getintegration_contract.schema import schema, schema_fault

#: Earlier runs that a trend draws, the newest ones.
LIMIT = 60

Report = dict[str, Any]


def to_json(report: Report) -> str:
    """The report as report.json holds it."""
    return json.dumps(report, ensure_ascii=False, indent=1) + "\n"


def write(path: Path, text: str) -> Path:
    """Write a file at once or not at all.

    Raises:
        UsageError: The directory cannot be made or written.
    """
    with replacing(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))
    return path


def read(path: Path) -> Report:
    """Read a report.json of this suite.

    Raises:
        UsageError: It cannot be read, is no JSON, or does not keep the schema.
    """
    try:
        with naming("read", path):
            report: Report = json.loads(path.read_bytes())
        fault = schema_fault(report, __package__)
    except UnicodeEncodeError:
        raise UsageError(f"{path} holds text that is not Unicode") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is not JSON") from None
    known = schema(__package__)["properties"]["schema_version"]["const"]
    version = report.get("schema_version") if isinstance(report, dict) else None
    if isinstance(version, int) and version != known:
        raise UsageError(f"{path} has schema version {version}; this suite reads version {known}")
    if fault:
        raise UsageError(f"{path} is not a report of this suite: {fault}")
    return report


def target(report: Report) -> str:
    """What a report is about: the name of its target, or its address."""
    about = report["target"]
    return about["name"] or f"{about['endpoint']}, {about['region']}"


def read_folder(directory: Path) -> tuple[list[Report], list[str]]:
    """The newest reports in a folder, its history and subfolders, oldest first, and why files were left out.

    Raises:
        UsageError: There is no such folder.
    """
    if not directory.is_dir():
        raise UsageError(f"{directory} is not a folder")
    reports, faults = {}, []
    names = ("*.json", "*/report.json", "history/*.json")
    for path in sorted({path for name in names for path in directory.glob(name)}):
        try:
            report = read(path)
            reports[report["started"], report["target"]["endpoint"], report["run"]["seed"]] = report
        except UsageError as error:
            faults.append(str(error))
    ordered = sorted(reports.values(), key=lambda report: str(report["started"]))
    return ordered[-LIMIT:], faults


def keep(directory: Path) -> list[Report]:
    """Move an earlier report.json into the folder ``history``, if there is one; all that it then holds."""
    history, latest = directory / "history", directory / "report.json"
    if not history.is_dir():
        return []
    with suppress(UsageError, OSError):  # nothing to keep, or nothing that can be kept
        started = read(latest)["started"]
        latest.replace(history / f"{started.replace(':', '')}.json")
    return read_folder(history)[0]


def baseline(given: str | None, directory: str | None, about: str) -> tuple[Report | None, list[str]]:
    """The report to compare a run with: the one that is given, or the newest of the same target in a history.

    Args:
        about: The target, as :func:`target` names it.

    Returns:
        The report, if there is one, and what could not be read.

    Raises:
        UsageError: The given one cannot be read.
    """
    if given:
        return read(Path(given)), []
    history = Path(directory, "history") if directory else None
    if history is None or not history.is_dir():
        return None, []
    reports, faults = read_folder(history)
    with suppress(UsageError):
        reports.append(read(history.parent / "report.json"))
    same = [report for report in reports if target(report) == about]
    return (same[-1] if same else None), faults


def violated(clauses: list[dict[str, Any]]) -> set[str]:
    """The violated clauses of a report that fail its target."""
    return {clause["id"] for clause in clauses if clause["outcome"] == "violated" and clause["gating"]}


def changes(before: Report, clauses: list[dict[str, Any]]) -> dict[str, Any]:
    """What is new, mended, or as it was since a report, of the violated clauses that fail the target."""
    old, new = violated(before["clauses"]), violated(clauses)
    mended = old & {clause["id"] for clause in clauses if clause["outcome"] == "upheld"}
    found = {"new": new - old, "still": new & old, "mended": mended}
    order = [clause["id"] for clause in clauses]
    return {
        "started": before["started"],
        "target": target(before),
        **{name: sorted(ids, key=order.index) for name, ids in found.items()},
        "undecided": sorted(old - new - mended),
    }
