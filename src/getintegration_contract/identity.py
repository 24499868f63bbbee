"""Who signs a request, and what of that is secret."""

from __future__ import annotations

import errno
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any

from getintegration_contract.errors import EnvironmentFault

#: Seconds that a provider of credentials, such as a helper program, may take.
PATIENCE = 60.0

#: What a header carries as it is: printable ASCII, with no space at either end.
_SENDABLE = re.compile(r"[!-~]([ -~]*[!-~])?")


def unusable(access_key: str, secret_key: str, session_token: str | None) -> str | None:
    """What is wrong with credentials that no request can carry, without their values; None if nothing is."""
    named = {"access key id": access_key, "secret access key": secret_key, "session token": session_token}
    for name, value in named.items():
        if value and not _SENDABLE.fullmatch(value):
            return f"the {name} must be printable ASCII, without a line break or a space at either end"
    return None


def provider_fault(error: Exception) -> str:
    """Why a credential provider failed, without a word of its output, which may be secret."""
    from botocore import exceptions

    own = (
        "ProfileNotFound PartialCredentialsError ConfigParseError InvalidConfigError InfiniteLoopConfigError"
    )
    own += " UnknownCredentialError RefreshWithMFAUnsupportedError EndpointConnectionError"
    if isinstance(error, (EnvironmentFault, *(getattr(exceptions, name) for name in own.split()))):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    if isinstance(error, exceptions.ClientError):
        code = str(error.response.get("Error", {}).get("Code"))
        return f"AWS refuses {error.operation_name}: {code if code.isalnum() else 'an error without a name'}"
    provider = getattr(error, "kwargs", {}).get("provider")
    if provider == "custom-process":
        return "the credential_process failed"
    if provider:
        return f"the provider {provider} failed"
    return f"what a provider gave cannot be read as credentials ({type(error).__name__})"


def patiently(provide: Callable[[], Any]) -> Any:
    """What a credential provider returns, or an error if that takes longer than :data:`PATIENCE`."""
    future = Future[Any]()

    def run() -> None:
        try:
            future.set_result(provide())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    if not wait([future], PATIENCE).done:
        raise TimeoutError(errno.ETIMEDOUT, f"no answer within {PATIENCE:g} s")
    return future.result()


class Refreshing:
    """botocore credentials that refresh themselves; all secrets that they ever gave out are remembered."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials
        self._given: dict[str, None] = {}

    def get_frozen_credentials(self) -> Any:
        """The credentials of this moment.

        Raises:
            EnvironmentFault: They have expired, and there are no others, or none that can be sent.
        """
        try:
            frozen = patiently(self._credentials.get_frozen_credentials)
        except Exception as error:  # whatever a provider does wrong
            raise EnvironmentFault(f"the credentials cannot be refreshed: {provider_fault(error)}") from None
        fault = unusable(frozen.access_key, frozen.secret_key, frozen.token)
        if fault is not None:
            raise EnvironmentFault(f"the refreshed credentials cannot be used: {fault}")
        self._given.update(dict.fromkeys(filter(None, (frozen.secret_key, frozen.token))))
        return frozen

    def __getattr__(self, name: str) -> Any:
        """Whatever else botocore's clients ask of credentials."""
        return getattr(self._credentials, name)

    @property
    def given(self) -> tuple[str, ...]:
        """The secrets that were given out, at least those of this moment."""
        if not self._given:
            self.get_frozen_credentials()
        return tuple(self._given)


@dataclass(frozen=True)
class Identity:
    """Who signs: static credentials, or botocore credentials that refresh themselves."""

    name: str
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    session_token: str | None = field(default=None, repr=False)
    refreshable: Refreshing | None = field(default=None, repr=False, compare=False)
    #: Where its credentials were found.
    source: str = field(default="the target file", compare=False)

    def frozen(self) -> Identity:
        """The same with static credentials, as they are at this moment."""
        if self.refreshable is None:
            return self
        now = self.refreshable.get_frozen_credentials()
        return Identity(self.name, now.access_key, now.secret_key, now.token, source=self.source)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never leave the process."""
        if self.refreshable is not None:
            return self.refreshable.given
        return tuple(filter(None, (self.secret_key, self.session_token)))
