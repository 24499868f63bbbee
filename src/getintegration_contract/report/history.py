"""Reports of before: the baseline of a run, what changed since, the history of a target."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from getintegration_contract.errors import ReportError
from getintegration_contract.report import files

#: Earlier runs that a trend draws, the newest ones.
LIMIT = 60

Report = dict[str, Any]


def target(report: Report) -> str:
    """What a report is about: the name of its target, or its address."""
    about = report["target"]
    return about["name"] or f"{about['endpoint']}, {about['region']}"


def read_folder(directory: Path) -> tuple[list[Report], list[str]]:
    """The newest reports in a folder, its history and subfolders, oldest first, and why files were left out.

    Raises:
        ReportError: There is no such folder.
    """
    if not directory.is_dir():
        raise ReportError(f"{directory} is not a folder")
    reports, faults = {}, []
    names = ("*.json", "*/report.json", "history/*.json")
    for path in sorted({path for name in names for path in directory.glob(name)}):
        try:
            report = files.read(path)
        except ReportError as error:
            faults.append(str(error))
        else:
            reports[report["started"], report["target"]["endpoint"], report["run"]["seed"]] = report
    ordered = sorted(reports.values(), key=lambda report: str(report["started"]))
    return ordered[-LIMIT:], faults


def keep(directory: Path) -> list[Report]:
    """Move an earlier report.json into the folder ``history``, if there is one; all that it then holds."""
    history, latest = directory / "history", directory / "report.json"
    if not history.is_dir():
        return []
    with suppress(ReportError, OSError):  # nothing to keep, or nothing that can be kept
        started = files.read(latest)["started"]
        latest.replace(history / f"{started.replace(':', '')}.json")
    return read_folder(history)[0]


def baseline(given: str | None, directory: str | None, about: str) -> tuple[Report | None, list[str]]:
    """The report to compare a run with: the one that is given, or the newest of the same target in a history.

    Args:
        about: The target, as :func:`target` names it.

    Returns:
        The report, if there is one, and what could not be read.

    Raises:
        ReportError: The given one cannot be read.
    """
    if given:
        return files.read(Path(given)), []
    history = Path(directory) / "history" if directory else None
    if history is None or not history.is_dir():
        return None, []
    reports, faults = read_folder(history)
    with suppress(ReportError):
        reports.append(files.read(history.parent / "report.json"))
    same = [report for report in reports if target(report) == about]
    return (same[-1] if same else None), faults


def violated(report: Report) -> set[str]:
    """The violated clauses of a report that fail its target."""
    found = (clause for clause in report["clauses"] if clause["outcome"] == "violated")
    return {clause["id"] for clause in found if clause["gating"]}


def changes(before: Report, clauses: list[dict[str, Any]]) -> dict[str, Any]:
    """What is new, mended, or as it was since a report, of the violated clauses that fail the target."""
    old, new = violated(before), violated({"clauses": clauses})
    upheld = {clause["id"] for clause in clauses if clause["outcome"] == "upheld"}
    order = [clause["id"] for clause in clauses]
    return {
        "started": before["started"],
        "target": target(before),
        "new": [name for name in order if name in new - old],
        "still": [name for name in order if name in new & old],
        "mended": [name for name in order if name in old & upheld],
        "undecided": sorted(old - new - upheld),
    }


def changed(before: Report, report: Report) -> str:
    """Which clauses broke and were mended from one run to the next."""
    since = changes(before, report["clauses"])
    found = (("broke", since["new"]), ("mended", since["mended"]))
    return "; ".join(f"{word} {', '.join(names)}" for word, names in found if names)
