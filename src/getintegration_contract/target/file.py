"""The target file: reads TOML, and checks it by ``schema.json``."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from getintegration_contract.errors import UsageError
from getintegration_contract.schema import schema, table_fault

SCHEMA = schema(__package__)
#: The keys of a target file, which the README documents; most are options as well.
KEYS: dict[str, Any] = SCHEMA["properties"]
#: Identities that a target may have, and what each is.
IDENTITIES: dict[str, Any] = KEYS["identities"]["properties"]
IDENTITY: dict[str, Any] = SCHEMA["definitions"]["identity"]
# Instead of a $ref to it.
IDENTITIES |= {name: {**IDENTITY, "title": each["title"]} for name, each in IDENTITIES.items()}


def read_file(path: Path) -> dict[str, Any]:
    """The settings of a target file.

    Raises:
        UsageError: The file cannot be read, is not TOML, or says something that no target has.
    """
    settings = read_toml(path, "--target")
    check(settings, f"--target: {path}: ")
    if "waivers" in settings:  # relative to the file that names it
        settings["waivers"] = str(path.parent / settings["waivers"])
    return settings


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The document of a TOML file; ``what`` is how messages name its option.

    Raises:
        UsageError: The file cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors on Windows begin with a BOM
    except OSError as fault:
        raise UsageError(f"{what}: cannot read {path}: {fault.strerror}") from None
    except (ValueError, RecursionError) as fault:
        raise UsageError(f"{what}: {path} is not TOML: {fault}") from None


def check(settings: Mapping[str, Any], where: str = "--") -> None:
    """Check settings, by default those of options.

    Raises:
        UsageError: A key is unknown, or its value is wrong.
    """
    if fault := table_fault(settings, SCHEMA):
        raise UsageError(f"{where}{fault}")
