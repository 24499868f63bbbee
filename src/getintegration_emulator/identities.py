"""Who may call the emulator: the documented identities, and the reading of others from a file.

The keys are public examples, in the shape of AWS's. They open nothing but this emulator.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
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
        secret_key="EXAMPLE-caller-secret-key-0123456789abcd",
        account="111122223333",
    ),
    "unauthorized": Identity(
        access_key="AKIAEXAMPLEDENIED001",
        secret_key="EXAMPLE-denied-secret-key-0123456789abcd",
        account="111122223333",
        permitted=False,
    ),
    "other-account": Identity(
        access_key="AKIAEXAMPLEOTHER0001",
        secret_key="EXAMPLE-other-secret-key-0123456789abcde",
        account="444455556666",
    ),
    "low-quota": Identity(
        access_key="AKIAEXAMPLELOWQUOTA1",
        secret_key="EXAMPLE-lowquota-secret-key-0123456789ab",
        account="111122223333",
        rate=20,
        burst=5,
    ),
    "temporary": Identity(
        access_key="ASIAEXAMPLETEMP00001",
        secret_key="EXAMPLE-temporary-secret-key-012345678901",
        account="111122223333",
        session_token="EXAMPLE-session-token",
        expired_session_token="EXAMPLE-expired-session-token",
    ),
}
"""The identities of an emulator that was started without ``--identities``."""

_FIELDS = {
    "access-key-id": "access_key",
    "secret-access-key": "secret_key",
    **{field.name.replace("_", "-"): field.name for field in fields(Identity)[2:]},
}
"""The keys of an identity in a file, those of a target file among them, and the fields they are."""
_REQUIRED = ("access-key-id", "secret-access-key", "account")
_TEXTS = (*_REQUIRED, "session-token", "expired-session-token")


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
    if not isinstance(table, dict):
        raise ValueError("not a table")
    if unknown := sorted(set(table) - set(_FIELDS)):
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(_FIELDS)}")
    if missing := [key for key in _REQUIRED if key not in table]:
        raise ValueError(f"{missing[0]} is missing")
    for key in _TEXTS:
        if key in table and not (isinstance(table[key], str) and table[key]):
            raise ValueError(f"{key} must be a string that is not empty")
    if not re.fullmatch(r"[A-Za-z0-9_]{16,128}", table["access-key-id"]):
        raise ValueError("access-key-id must be 16 to 128 letters, digits or underscores")
    if not re.fullmatch(r"[0-9]{12}", table["account"]):
        raise ValueError("account must be twelve digits, in quotes")
    if not isinstance(table.get("permitted", True), bool):
        raise ValueError("permitted must be true or false")
    for key, least in (("rate", 0.0), ("burst", 1.0)):
        value = table.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{key} must be a number")
        if not least <= value < float("inf") or value == 0:
            raise ValueError(f"{key} is out of range")
    if "burst" in table and "rate" not in table:
        raise ValueError("burst needs a rate")
    return Identity(**{_FIELDS[key]: value for key, value in table.items()})
