"""The target file: reads TOML, and checks its keys and values in the user's words."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from getintegration_contract.errors import TargetError, UsageError
from getintegration_contract.target.capabilities import CAPABILITIES

REGION = re.compile("[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
#: Identities that a target may have, and what one is described by.
IDENTITIES = ("caller", "unauthorized", "other-account", "low-quota", "temporary")
IDENTITY_KEYS = ("profile", "access-key-id", "secret-access-key", "session-token")


@dataclass(frozen=True)
class Key:
    """What a key takes: in words, and as a test."""

    due: str
    holds: Callable[[Any], bool]


def _number(least: float, most: float, kind: type = float) -> Key:
    word = "a whole number" if kind is int else "a number"

    def holds(value: Any) -> bool:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return (whole or (kind is float and isinstance(value, float))) and least <= value <= most

    return Key(f"{word} from {least:,g} to {most:,.0f}", holds)


def _one_of(*words: str) -> Key:
    return Key(f"one of {', '.join(words)}", lambda value: value in words)


TEXT = Key("a text that is not empty", lambda value: isinstance(value, str) and value != "")
_RATE = _number(0.001, 1_000_000)
_SECONDS = _number(0.001, 86_400)
_PAUSE = _number(0, 86_400)
#: The keys of a target file, which the README documents; most are options as well.
KEYS = {
    "name": TEXT,
    "endpoint-url": TEXT,
    "region": Key(
        "the name of a region, like us-east-1",
        lambda value: isinstance(value, str) and REGION.fullmatch(value) is not None,
    ),
    "domain-name": TEXT,
    "integration-uri": TEXT,
    "allow-writes": Key("true or false", lambda value: isinstance(value, bool)),
    "not-claimed": Key(
        f"a list of capabilities, which are {', '.join(CAPABILITIES)}",
        lambda value: isinstance(value, list) and all(each in CAPABILITIES for each in value),
    ),
    "rate": _RATE,
    "max-requests": _number(1, 10**12, int),
    "request-timeout": _SECONDS,
    "wait": _PAUSE,
    "settling-time": _PAUSE,
    "throttling-rate": _RATE,
    "latency-limit": _SECONDS,
    "fault-limit": _number(0, 1),
    "depth": _one_of("gate", "nightly"),
    "max-examples": _number(1, 10_000_000, int),
    "waivers": TEXT,
    "identities": Key("a table of identities", lambda value: isinstance(value, dict)),
}


def read_file(path: Path) -> dict[str, Any]:
    """The settings of a target file.

    Raises:
        TargetError: The file cannot be read, is not TOML, or says something that no target has.
    """
    settings = read_toml(path, "--target", TargetError)
    where = f"--target: {path}: "
    check(settings, where)
    for name, identity in settings.get("identities", {}).items():
        if name not in IDENTITIES:
            raise TargetError(f"{where}identities.{unknown(name, IDENTITIES, 'identity', 'identities')}")
        _check_identity(identity, f"{where}identities.{name}")
    if "waivers" in settings:  # relative to the file that names it
        settings["waivers"] = str(path.parent / settings["waivers"])
    return settings


def read_toml(path: Path, what: str, error: type[UsageError]) -> dict[str, Any]:
    """The document of a TOML file; ``what`` is how messages name its option.

    Raises:
        UsageError: The file cannot be read, or is not TOML: of the kind that is given.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors on Windows begin with a BOM
    except (OSError, ValueError, RecursionError) as fault:
        if isinstance(fault, OSError):
            raise error(f"{what}: cannot read {path}: {fault.strerror}") from None
        raise error(f"{what}: {path} is not TOML: {fault}") from None


def check(settings: Mapping[str, Any], where: str = "--") -> None:
    """Check settings, by default those of options.

    Raises:
        TargetError: A key is unknown, or its value is wrong.
    """
    for name, value in settings.items():
        if name not in KEYS:
            raise TargetError(f"{where}{unknown(name, KEYS)}")
        if not KEYS[name].holds(value):
            raise TargetError(f"{where}{name} must be {KEYS[name].due}{_instead(name, value)}")


def unknown(name: str, known: Iterable[str], kind: str = "key", kinds: str = "keys") -> str:
    """That a name is unknown, and which one the user may have meant."""
    known = tuple(known)
    near = _near(name, known)
    meant = f"did you mean {near}?" if near else f"the {kinds} are {', '.join(known)}"
    return f"{_short(name)} is no {kind}: {meant}"


def _near(name: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name[:100], known, n=1)), None)


def _instead(name: str, value: Any) -> str:
    """What the file has instead; a table is only named, since it may be deep."""
    near = None
    if name == "not-claimed" and isinstance(value, list):
        value = next(each for each in value if each not in CAPABILITIES)
        near = isinstance(value, str) and _near(value, CAPABILITIES)
    if isinstance(value, dict | list):
        return ", not a table" if isinstance(value, dict) else ", not a list"
    shown = str(value).lower() if isinstance(value, bool) else _short(str(value))
    return f", not {'the text ' if isinstance(value, str) else ''}{shown}" + (
        f"; did you mean {near}?" if near else ""
    )


def _short(text: str) -> str:
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= 60 else f"{text[:40]}... ({len(text)} characters)"


def _check_identity(identity: Any, where: str) -> None:
    """An identity has a profile, or keys; no value of it is shown."""
    if not isinstance(identity, dict):
        raise TargetError(f"{where} must be a table with {', '.join(IDENTITY_KEYS)}")
    for name, value in identity.items():
        if name not in IDENTITY_KEYS:
            raise TargetError(f"{where}.{unknown(name, IDENTITY_KEYS)}")
        if not TEXT.holds(value):
            raise TargetError(f"{where}.{name} must be {TEXT.due}")
    pair = {"access-key-id", "secret-access-key"}
    if identity.keys() not in ({"profile"}, pair, {*pair, "session-token"}):
        raise TargetError(f"{where} must have either profile, or access-key-id and secret-access-key")
