"""Who may call the emulator, and how often.

Identities are read from a file: the package's ``identities.toml``, or another of that form.
"""

import json
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jsonschema_rs import Draft202012Validator, ValidationError

from .errors import ApiError, StartError


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


_SCHEMA = json.loads(Path(__file__).with_name("identities.schema.json").read_text(encoding="utf-8"))
_VALIDATOR = Draft202012Validator(_SCHEMA, mask="it")  # messages repeat no value
_FIELDS = {"access-key-id": "access_key", "secret-access-key": "secret_key"}


class IdentityFileError(StartError):
    """An identities file that cannot be used."""

    status = 2


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
    # What JSON does not have, such as dates, is nothing that a key could be.
    for fault in _VALIDATOR.iter_errors(json.loads(json.dumps(document, default=lambda _: None))):
        raise IdentityFileError(f"{path}: {_sentence(fault)}.")
    identities: dict[str, Identity] = {}
    owners: dict[str, str] = {}
    for name, table in document["identities"].items():
        if (owner := owners.setdefault(table["access-key-id"], name)) != name:
            raise IdentityFileError(f"{path}: {owner!r} and {name!r} have the same access-key-id.")
        fields = {_FIELDS.get(key, key.replace("-", "_")): value for key, value in table.items()}
        identities[name] = Identity(**fields)
    return identities


def _sentence(fault: ValidationError) -> str:
    place, broken = ".".join(map(str, fault.instance_path)), _SCHEMA
    for key in fault.schema_path[:-1]:
        broken = broken[key]
    if "description" in broken:
        return f"{place or 'it'} must be {broken['description']}"
    return f"{place}: {fault.message}"


DEFAULT_IDENTITIES: Mapping[str, Identity] = load_identities(Path(__file__).with_name("identities.toml"))
"""The identities of an emulator that was started without ``--identities``."""


class Throttle:
    """The budgets of all identities and accounts: a token bucket for each.

    AWS's quotas hold per account and region (service documentation), so an account has one bucket for each
    region; an identity's own is one for all regions. ``rate`` (requests a second) and ``burst`` (requests at
    once; by default the rate, at least 1) are each account's; no rate means unlimited.
    """

    def __init__(
        self,
        rate: float | None = None,
        burst: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._budget = rate, burst
        self._clock = clock
        # How many requests each has made that its rate has not made up for yet, and when that was so.
        self._counts: dict[tuple[str, ...], tuple[float, float]] = {}

    def admit(self, identity: Identity, region: str) -> None:
        """Count one request, or raise :class:`ApiError` (429) and count nothing."""
        now, counts = self._clock(), {}
        budgets = {
            (identity.access_key,): (identity.rate, identity.burst),
            (identity.account, region): self._budget,
        }
        for key, (rate, burst) in budgets.items():
            if rate is not None:
                count, since = self._counts.get(key, (0.0, now))
                count = max(0.0, count - (now - since) * rate) + 1
                if count > max(1.0, rate if burst is None else burst):
                    raise ApiError(429, "ThrottlingException", "Rate exceeded.")
                counts[key] = count, now
        self._counts |= counts
