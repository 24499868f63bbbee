"""Who may call the emulator: the documented identities, and the reading of others from a file.

The keys are public examples, in the shape of AWS's. They open nothing but this emulator.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """One caller.

    ``account`` is the twelve-digit account whose state the caller sees. ``session_token`` makes
    the credentials temporary: it must then accompany every request. ``expired_session_token`` is
    one that has run out: presenting it gives ExpiredTokenException. An identity that is not
    ``permitted`` is refused every operation. ``rate`` (requests a second) and ``burst``
    (requests at once; by default the rate, at least 1) are its own budget; none means unlimited.
    """

    access_key: str
    secret_key: str
    account: str
    session_token: str | None = None
    expired_session_token: str | None = None
    permitted: bool = True
    rate: float | None = None
    burst: float | None = None


DEFAULT_IDENTITIES: Mapping[str, Identity] = {
    "caller": Identity(
        access_key="AKIAEXAMPLECALLER001",
        secret_key="caller-EXAMPLE-secret-key-0123456789abcd",
        account="111122223333",
    ),
    "unauthorized": Identity(
        access_key="AKIAEXAMPLEDENIED001",
        secret_key="denied-EXAMPLE-secret-key-0123456789abcd",
        account="111122223333",
        permitted=False,
    ),
    "other-account": Identity(
        access_key="AKIAEXAMPLEOTHER0001",
        secret_key="other-EXAMPLE-secret-key-0123456789abcde",
        account="444455556666",
    ),
    "low-quota": Identity(
        access_key="AKIAEXAMPLELOWQUOTA1",
        secret_key="lowquota-EXAMPLE-secret-key-0123456789ab",
        account="111122223333",
        rate=20,
        burst=5,
    ),
    "temporary": Identity(
        access_key="ASIAEXAMPLETEMP00001",
        secret_key="temporary-EXAMPLE-secret-key-012345678901",
        account="111122223333",
        session_token="EXAMPLE-session-token",
        expired_session_token="EXAMPLE-expired-session-token",
    ),
}
"""The identities of an emulator that was started without ``--identities``."""


class IdentityFileError(ValueError):
    """An identities file that cannot be used; its text is one sentence that says why."""


class Directory:
    """All identities, by access key. The one named ``caller``, or else the first, is the caller."""

    def __init__(self, identities: Mapping[str, Identity]) -> None:
        self._by_key = {identity.access_key: identity for identity in identities.values()}
        self.caller = identities.get("caller") or next(iter(identities.values()))

    def find(self, access_key: str) -> Identity | None:
        """The identity with this access key, if there is one."""
        return self._by_key.get(access_key)


def load_identities(path: Path) -> dict[str, Identity]:
    """Read a TOML file with one table, ``[identities.NAME]``, for each identity.

    Raises :class:`IdentityFileError` for a file that cannot be read or used.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise IdentityFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise IdentityFileError(f"{path} is not TOML: {error}.") from error
    tables = document.get("identities")
    if len(document) != 1 or not isinstance(tables, dict) or not tables:
        raise IdentityFileError(f"{path} must have tables [identities.NAME], and nothing else.")
    identities: dict[str, Identity] = {}
    owners: dict[str, str] = {}
    for name, table in tables.items():
        try:
            identity = _identity(table)
        except ValueError as error:
            raise IdentityFileError(f"{path}, identity {name!r}: {error}.") from error
        owner = owners.setdefault(identity.access_key, name)
        if owner != name:
            raise IdentityFileError(f"{path}: {owner!r} and {name!r} have the same access-key-id.")
        identities[name] = identity
    return identities


def _identity(table: Any) -> Identity:
    """Read one table; its keys are those of a target file, among others."""

    def matches(pattern: str) -> Callable[[Any], object]:
        return lambda value: isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL)

    def is_from(least: float) -> Callable[[Any], object]:
        return lambda value: type(value) in (int, float) and least <= value < math.inf

    text, is_text = "a string that is not empty", matches(".+")
    key = "16 to 128 letters, digits or underscores"
    known: dict[str, tuple[str, str, Callable[[Any], object]]] = {
        "access-key-id": ("access_key", key, matches("[A-Za-z0-9_]{16,128}")),
        "secret-access-key": ("secret_key", text, is_text),
        "account": ("account", "twelve digits, in quotes", matches("[0-9]{12}")),
        "session-token": ("session_token", text, is_text),
        "expired-session-token": ("expired_session_token", text, is_text),
        "permitted": ("permitted", "true or false", lambda value: isinstance(value, bool)),
        "rate": ("rate", "a number above 0", is_from(math.ulp(0.0))),
        "burst": ("burst", "a number, 1 or more", is_from(1)),
    }
    if not isinstance(table, dict):
        raise ValueError("not a table")
    if unknown := sorted(set(table) - set(known)):
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(known)}")
    for name in ("access-key-id", "secret-access-key", "account"):
        if name not in table:
            raise ValueError(f"{name} is missing")
    for name, value in table.items():
        _, meaning, fits = known[name]
        if not fits(value):
            raise ValueError(f"{name} must be {meaning}")
    if "burst" in table and "rate" not in table:
        raise ValueError("burst needs a rate")
    return Identity(**{known[name][0]: value for name, value in table.items()})
