"""From a request to its answer, without any network: the emulator's behaviour in one place.

:meth:`Service.answer` makes the checks in the order that the package's docstring documents.
"""

import json
import sys
import traceback
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from . import __version__
from .errors import ApiError, method_not_allowed
from .identities import DEFAULT_IDENTITIES, Identity, Throttle
from .model import BOTOCORE_VERSION, SERVICE_MODEL, load_operations, route
from .request import Request
from .sigv4 import Directory
from .state import OPERATIONS, AccountState

HEALTH_PATH = b"/_emulator/health"


class Answer(NamedTuple):
    """A response without its request id; ``operation`` and ``error_type`` are for the log."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    operation: str | None = None
    error_type: str | None = None


def error_answer(error: ApiError, operation: str | None = None) -> Answer:
    """An error as the protocol (restJson1) has it."""
    body = json.dumps({error.member: error.message}).encode()
    headers = (("x-amzn-errortype", error.type), *error.headers)
    return Answer(error.status, body, headers, operation, error.type)


class Service:
    """One emulator: its identities, its budgets, its state.

    ``signatures``: whether they are verified. ``region``: the only one accepted; None accepts any.
    ``rate`` and ``burst``: the budget of each account in each region, see :class:`Throttle`.

    Raises :class:`StartError` if botocore has no usable service model.
    """

    def __init__(
        self,
        identities: Mapping[str, Identity] = DEFAULT_IDENTITIES,
        *,
        signatures: bool = True,
        region: str | None = None,
        rate: float | None = None,
        burst: float | None = None,
    ) -> None:
        self._signatures = signatures
        self._operations = load_operations(OPERATIONS)
        directory = Directory(identities, region)
        self._caller = directory.authenticate if signatures else directory.believe
        self._throttle = Throttle(rate, burst)
        self._state = cache(AccountState)  # one for each account in each region

    def answer(self, request: Request) -> Answer:
        """Answer a request. Never raises: a fault of the emulator becomes a 500."""
        operation = None
        try:
            if request.path == HEALTH_PATH:
                return self._health(request)
            identity, region = self._caller(request)
            target, labels = route(self._operations, request.method, request.path)
            operation = target.name
            if not identity.permitted:
                message = f"The caller is not permitted to perform {operation}."
                raise ApiError(403, "AccessDeniedException", message)
            self._throttle.admit(identity, region)
            given = target.read(labels, request)
            state = self._state(identity.account, region)
            result = OPERATIONS[operation](state, given)
            return Answer(200, json.dumps(target.project(result)).encode(), operation=operation)
        except ApiError as error:
            return error_answer(error, operation)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            message = "The emulator failed; see its standard error."
            return error_answer(ApiError(500, "InternalServerException", message), operation)

    def _health(self, request: Request) -> Answer:
        if request.method not in ("GET", "HEAD"):
            raise method_not_allowed("GET, HEAD")
        facts = {
            "status": "ok",
            "version": __version__,
            "service_model": SERVICE_MODEL,
            "botocore": BOTOCORE_VERSION,
            "signatures": self._signatures,
        }
        return Answer(200, json.dumps(facts).encode())
