"""Asks a request that is known to be answered, before a target is accused of what the environment did."""

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
        """Tell throttling that is an answer to a request from that of a caller who asks too much.

        Raises:
            Throttled: The caller is throttled.
        """
        exchange = self._send(self.request, self.caller)
        if transient_fault(exchange.response) == "429":
            raise Throttled(f"{exchange.endpoint} throttles the caller and does not stop: lower --rate")

    def check_credentials(self, exchange: Exchange, sent: int) -> None:
        """Tell the refusal of a correct request from that of its sender, whose credentials may have run out.

        Raises:
            CredentialsError: They have.
        """
        correct = exchange.signature == Signature(self.caller, Signing())
        if correct and is_unauthenticated(exchange.response):
            self._check_known(self._send(self.request, self.caller), sent)

    def check(self, sent: int) -> None:
        """Look for what is no fault of the target, after something that looked like one.

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
