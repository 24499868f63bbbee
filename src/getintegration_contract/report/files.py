"""Report files: written at once or not at all, read only if they keep the published schema."""

import json
import re
from pathlib import Path
from typing import Any

from getintegration_contract.errors import ReportError
from getintegration_contract.fileio import naming, replacing
from getintegration_contract.schema import schema, schema_fault

_SURROGATE = re.compile("[\ud800-\udfff]")


def to_json(report: dict[str, Any]) -> str:
    """The report as report.json holds it.

    A lone surrogate, which a server can answer but many JSON readers refuse, becomes the text of its escape.
    """
    text = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
    return _SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text)


def write(path: Path, text: str) -> Path:
    """Write a file at once or not at all.

    Raises:
        ReportError: The directory cannot be made or written.
    """
    with replacing(path, ReportError) as file:
        file.write(text.encode("utf-8", "backslashreplace"))  # of lone surrogates
    return path


def read(path: Path) -> dict[str, Any]:
    """Read a report.json of this suite.

    Raises:
        ReportError: It cannot be read, is no JSON, or does not keep the schema.
    """
    try:
        with naming("read", path, ReportError):
            document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise ReportError(f"{path} is not JSON") from None
    known = schema(__package__)["properties"]["schema_version"]["const"]
    version = document.get("schema_version") if isinstance(document, dict) else None
    if isinstance(version, int) and version != known:
        raise ReportError(f"{path} has schema version {version}; this suite reads version {known}")
    try:
        fault = schema_fault(document, __package__)
    except UnicodeEncodeError:
        raise ReportError(f"{path} holds text that is not Unicode") from None
    if fault:
        raise ReportError(f"{path} is not a report of this suite: {fault}")
    report: dict[str, Any] = document
    return report
