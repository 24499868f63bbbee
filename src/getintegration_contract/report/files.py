"""Report files: written at once or not at all, read only if they keep the published schema."""

import json
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from getintegration_contract.errors import ReportError
from getintegration_contract.schema import schema, schema_fault

_SURROGATE = re.compile("[\ud800-\udfff]")


def to_json(report: dict[str, Any]) -> str:
    """The report as report.json holds it.

    A lone surrogate, which a server can answer but many JSON readers refuse, becomes the text of its escape.
    """
    text = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
    return _SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text)


def check_writable(folder: Path) -> None:
    """Make a folder that reports will go to, or say that it cannot be: before a run, not after it.

    Raises:
        ReportError: It cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(f"cannot write to {folder}: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise ReportError(f"cannot write to {folder}: permission denied")


def check_file(option: str, path: Path) -> None:
    """Make sure, before a run, that an option names a file that can be written.

    Raises:
        ReportError: It does not.
    """
    if path.is_dir():
        raise ReportError(f"{option}: {path} is a folder: give a file")
    if path.exists() and not path.is_file():
        raise ReportError(f"{option}: {path} is no regular file")
    check_writable(path.parent)


def write(path: Path, text: str) -> Path:
    """Write a file through a temporary one in the same directory, so that no reader sees half of it.

    Raises:
        ReportError: The directory cannot be made or written.
    """
    content = text.encode("utf-8", "backslashreplace")  # of lone surrogates
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
        raise ReportError(f"cannot write {path}: {error.strerror or error}") from None
    return path


def read(path: Path) -> dict[str, Any]:
    """Read a report.json of this suite.

    Raises:
        ReportError: It cannot be read, is no JSON, or does not keep the schema.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror or error}") from None
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
