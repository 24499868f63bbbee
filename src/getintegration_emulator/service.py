"""From a request to its answer, without any network: the emulator's behaviour in one place.

The order of the checks is documented in the package's docstring; :meth:`Service.answer` is it.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from getintegration_emulator import __version__

from .errors import ApiError, method_not_allowed
from .identities import DEFAULT_IDENTITIES, Directory, Identity
from .model import BOTOCORE_VERSION, SERVICE_MODEL, Router, load_operations
from .operations import HANDLERS
from .request import Request, json_object, query_parameters
from .sigv4 import Caller, Verifier, claimed_caller
from .state import AccountState
from .throttle import Throttle

HEALTH_PATH = b"/_emulator/health"


@dataclass(frozen=True, slots=True)
class Settings:
    """How an emulator is to behave.

    ``signatures``: whether they are enforced. ``region``: the only one accepted, None accepts any.
    ``rate`` and ``burst``: the budget of each account in each region, in requests a second and
    requests at once; None means unlimited.
    """

    identities: Mapping[str, Identity] = field(default_factory=lambda: DEFAULT_IDENTITIES)
    signatures: bool = True
    region: str | None = None
    rate: float | None = None
    burst: float | None = None


class Answer(NamedTuple):
    """A response without its request id; ``operation`` and ``error_type`` are for the log."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    operation: str | None = None
    error_type: str | None = None


def error_answer(error: ApiError, operation: str | None = None) -> Answer:
    """Put an error into the form of the protocol."""
    return Answer(
        status=error.status,
        body=json.dumps({error.member: error.message}).encode("ascii"),
        headers=(("x-amzn-errortype", error.type), *error.headers),
        operation=operation,
        error_type=error.type,
    )


class Service:
    """One emulator: its identities, its budgets, its state."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._router = Router(load_operations(HANDLERS).values())
        self._directory = Directory(settings.identities)
        self._verifier = Verifier(self._directory, settings.region)
        self._throttle = Throttle(settings.rate, settings.burst)
        self._states: defaultdict[tuple[str, str], AccountState] = defaultdict(AccountState)

    def answer(self, request: Request) -> Answer:
        """Answer a request. Never raises: a fault of the emulator becomes a 500."""
        operation = None
        try:
            if request.path == HEALTH_PATH:
                return self._health(request)
            caller = self._caller(request)
            target, labels = self._router.route(request.method, request.path)
            operation = target.name
            if not caller.identity.permitted:
                message = f"The caller is not permitted to perform {operation}."
                raise ApiError(403, "AccessDeniedException", message)
            self._throttle.admit(caller.identity, caller.region)
            body = json_object(request.body) if target.body else {}
            query = query_parameters(request.query) if target.query else {}
            given = target.read(labels, query, body)
            state = self._states[caller.identity.account, caller.region]
            result = HANDLERS[operation](state, caller, given)
            return Answer(200, json.dumps(target.project(result)).encode("ascii"), operation=operation)
        except ApiError as error:
            return error_answer(error, operation)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            message = "The emulator failed; see its standard error."
            return error_answer(ApiError(500, "InternalServerException", message), operation)

    def _caller(self, request: Request) -> Caller:
        settings = self._settings
        if not settings.signatures:
            return claimed_caller(request, self._directory, settings.region)
        return self._verifier.authenticate(request, time.time())

    def _health(self, request: Request) -> Answer:
        if request.method not in ("GET", "HEAD"):
            raise method_not_allowed("GET, HEAD")
        facts: dict[str, Any] = {
            "status": "ok",
            "version": __version__,
            "service_model": SERVICE_MODEL,
            "botocore": BOTOCORE_VERSION,
            "signatures": self._settings.signatures,
        }
        return Answer(200, json.dumps(facts).encode("ascii"))
