"""Asks a request known to be answered, before a target is accused of what the environment did."""

from __future__ import annotations

from collections.abc import Callable

from getintegration_contract.errors import CredentialsError, StateError, Throttled
from getintegration_contract.exchange import Exchange, Request, Response, Signature, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.sending.faults import is_unauthenticated, transient_fault


class Control:
    """The control request of a run: GetIntegration for what exists, by the caller.

    Args:
        send: Signs a request and sends it once.
    """

    def __init__(
        self, request: Request, caller: Identity, send: Callable[[Request, Identity], Exchange]
    ) -> None:
        self.request = request
        self.caller = caller
        self._send = send

    def check_throttling(self) -> None:
        """Distinguish throttling of one request from throttling of the caller.

        Raises:
            Throttled: The caller is throttled.
        """
        exchange = self._send(self.request, self.caller)
        if transient_fault(exchange.response) == "429":
            raise Throttled(f"{exchange.endpoint} throttles the caller and does not stop: lower --rate")

    def check_credentials(self, exchange: Exchange, sent: int) -> None:
        """Distinguish the refusal of a correct request from that of credentials that have run out.

        Raises:
            CredentialsError: They have.
        """
        correct = exchange.signature == Signature(self.caller, Signing())
        if correct and is_unauthenticated(exchange.response):
            self._check_known(self._send(self.request, self.caller), sent)

    def check(self, sent: int) -> None:
        """Look for a fault of the environment, after what looked like one of the target.

        Raises:
            CredentialsError: The caller is no longer known.
            StateError: The domain of the run is gone.
        """
        exchange = self._send(self.request, self.caller)
        self._check_known(exchange, sent)
        path = self.request.target.removesuffix("/integrations")
        if _is_missing(exchange) and _is_missing(self._send(Request("GET", path), self.caller)):
            raise StateError(
                f"{exchange.endpoint} lost the domain {path.rpartition('/')[2]} during the run:"
                " it was restarted, or somebody removed it"
            )

    @staticmethod
    def _check_known(exchange: Exchange, sent: int) -> None:
        if is_unauthenticated(exchange.response):
            raise CredentialsError(f"the caller's credentials ran out after {sent:,} requests")


def _is_missing(exchange: Exchange) -> bool:
    response: Response = exchange.response
    return response.status == 404 and response.error_type == "ResourceNotFoundException"
