"""How an endpoint is reached: its address, the certificates it is trusted by, and a proxy before it.

The environment is read once, when a route is made; certificates and proxies are chosen as botocore does.
"""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path
from urllib.parse import unquote, urlsplit

import certifi
from requests.utils import get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection, ProxyConfig
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers, parse_url

from getintegration_contract.errors import EndpointDown
from getintegration_contract.sending.faults import ConnectError

#: Variables that name certificates; the first one that is set counts.
_BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Route:
    """The way to one endpoint.

    Args:
        endpoint: ``scheme://host[:port]``.

    Attributes:
        host: The Host header of requests: as requests-aws4auth signs it, without the scheme's own port.
        bundle: The file or folder of certificates that the environment names; None for the usual ones.
        proxy: The address of the proxy, its password withheld; None if there is none.
        forward: What goes before the target of a request, where a proxy forwards it.

    Raises:
        EndpointDown: Certificates are missing or unreadable, or the proxy is of an unknown kind.
    """

    def __init__(self, endpoint: str) -> None:
        address = urlsplit(endpoint)
        self.endpoint = endpoint
        self._is_secure = address.scheme == "https"
        self._address = (address.hostname or "", address.port or (443 if self._is_secure else 80))
        named = address.netloc.rpartition("@")[2]
        self.host = named.removesuffix(f":{443 if self._is_secure else 80}")
        self.bundle = _bundle()
        self._context = self._trust() if self._is_secure else None
        chosen = select_proxy(endpoint, get_environ_proxies(endpoint))
        try:
            self._proxy = urlsplit(chosen if "://" in chosen else f"http://{chosen}") if chosen else None
        except ValueError:  # not quoted: there may be a password in it
            raise EndpointDown("the proxy that the environment names is no address") from None
        self.proxy: str | None = None
        self.proxy_headers: dict[str, str] = {}
        if self._proxy is not None:
            self.proxy = f"{self._proxy.scheme}://{self._proxy.netloc.rpartition('@')[2]}"
            if self._proxy.scheme not in ("http", "https"):
                raise EndpointDown(f"the proxy {self.proxy} of the environment is neither http nor https")
            if self._proxy.username:
                user, password = (
                    unquote(part or "") for part in (self._proxy.username, self._proxy.password)
                )
                self.proxy_headers = make_headers(proxy_basic_auth=f"{user}:{password}")
        self.forward = f"http://{named}" if self._proxy is not None and not self._is_secure else ""

    def connect(self, seconds: float) -> socket.socket:
        """A connection to the endpoint, or to the proxy that forwards to it.

        Raises:
            ConnectError: None could be made.
        """
        try:
            connection = self._connection(seconds)
            connection.connect()
        except (OSError, HTTPError) as error:
            raise ConnectError(self._message(error)) from None
        opened: socket.socket = connection.sock
        return opened

    def _connection(self, seconds: float) -> HTTPConnection:
        """A connection of urllib3, which knows tunnels, and TLS within TLS."""
        if self._proxy is None:
            if self._context is None:
                return HTTPConnection(*self._address, timeout=seconds)
            return HTTPSConnection(*self._address, timeout=seconds, ssl_context=self._context)
        proxy = parse_url(self._proxy.geturl())
        address = proxy.host or "", proxy.port or (443 if proxy.scheme == "https" else 80)
        config = ProxyConfig(self._context or self._trust(), False, None, None)
        if self._context is None:
            if proxy.scheme == "http":
                return HTTPConnection(*address, timeout=seconds)
            return HTTPSConnection(*address, timeout=seconds, ssl_context=self._trust())
        connection = HTTPSConnection(
            *address, timeout=seconds, ssl_context=self._context, proxy=proxy, proxy_config=config
        )
        connection.set_tunnel(*self._address, headers=self.proxy_headers, scheme=proxy.scheme or "http")
        return connection

    def _message(self, error: BaseException) -> str:
        """What went wrong, without addresses of objects."""
        while inner := _inner(error):
            error = inner
        message = f"nothing listens at {self.endpoint}: {error}"
        if self.proxy:
            message = (
                f"{self.endpoint} is not reached through the proxy {self.proxy} of the environment: {error}"
            )
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"the certificate of {self.endpoint} is not trusted: {error.verify_message}"
        if isinstance(error, ssl.SSLError):
            return f"no TLS with {self.endpoint}: {(error.reason or 'ended').lower().replace('_', ' ')}"
        return message if str(error) else f"{message}timed out"

    def _trust(self) -> ssl.SSLContext:
        place = self.bundle or certifi.where()
        try:
            if Path(place).is_dir():
                return ssl.create_default_context(capath=place)
            return ssl.create_default_context(cafile=place)
        except OSError as error:
            raise EndpointDown(f"CA bundle cannot be read: {place}: {error.strerror or error}") from None


def _bundle() -> str | None:
    """The certificates that the environment names.

    Raises:
        EndpointDown: A file or folder that it names does not exist.
    """
    named = [place for name in _BUNDLES if (place := os.environ.get(name))]
    for place in named:
        if not Path(place).exists():
            raise EndpointDown(f"CA bundle not found: {place}")
    return named[0] if named else None


def _inner(error: BaseException) -> BaseException | None:
    """The exception that one of urllib3 wraps."""
    candidates = (*error.args, getattr(error, "reason", None), error.__cause__)
    return next((inner for inner in candidates if isinstance(inner, BaseException)), None)
