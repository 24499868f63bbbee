"""How an endpoint is reached: its address, the certificates it is trusted by, and a proxy before it.

The environment is read once, when a route is made; certificates and proxies are chosen as botocore does.
"""

import os
import socket
import ssl
from pathlib import Path
from urllib.parse import unquote, urlsplit

import certifi
from requests.utils import get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection, ProxyConfig
from urllib3.exceptions import HTTPError
from urllib3.util import Url, make_headers, parse_url

from getintegration_contract.errors import EndpointDown
from getintegration_contract.sending.faults import UNREACHABLE, FaultError

#: Variables that name certificates; the first one that is set counts.
_BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PORTS = {"http": 80, "https": 443}


class Route:
    """The way to one endpoint.

    Args:
        endpoint: ``scheme://host[:port]``.

    Attributes:
        host: The Host header of requests: as requests-aws4auth signs it, without the scheme's own port.
        verify: What makes other clients verify certificates as this one does: True, or the file or folder of
            certificates that the environment names.
        proxy: The address of the proxy, its password withheld; None if there is none.
        forward: What goes before the target of a request, where a proxy forwards it.

    Raises:
        EndpointDown: Certificates are missing or unreadable, or the proxy is of an unknown kind.
    """

    def __init__(self, endpoint: str) -> None:
        address = urlsplit(endpoint)
        self.endpoint = endpoint
        named = address.netloc.rpartition("@")[2]
        self.host = named.removesuffix(f":{_PORTS[address.scheme]}")
        self._address = address.hostname or "", address.port or _PORTS[address.scheme]
        self.verify = _bundle() or True
        self._proxy = _proxy(endpoint)
        self.proxy: str | None = None
        self.forward = ""
        self.proxy_headers: dict[str, str] = {}
        if self._proxy is not None:
            self.proxy = f"{self._proxy.scheme}://{self._proxy.netloc}"
            if self._proxy.scheme not in _PORTS:
                raise EndpointDown(f"the proxy {self.proxy} of the environment is neither http nor https")
            if self._proxy.auth:
                user, _, password = self._proxy.auth.partition(":")
                self.proxy_headers = make_headers(proxy_basic_auth=f"{unquote(user)}:{unquote(password)}")
            self.forward = f"http://{named}" if address.scheme == "http" else ""
        schemes = (address.scheme, self._proxy and self._proxy.scheme)
        self._context = self._trust() if "https" in schemes else None

    def connect(self, seconds: float) -> socket.socket:
        """A connection to the endpoint, or to the proxy that forwards to it.

        Raises:
            FaultError: None could be made.
        """
        proxy, (host, port) = self._proxy, self._address
        if proxy is not None:
            host, port = proxy.host or "", proxy.port or _PORTS[proxy.scheme or "http"]
        connection = HTTPConnection(host, port, timeout=seconds)
        if self._context is not None:  # urllib3 knows tunnels, and TLS within TLS
            tunnel = None if self.forward else proxy
            config = ProxyConfig(self._context, False, None, None) if tunnel else None
            connection = HTTPSConnection(
                host, port, timeout=seconds, ssl_context=self._context, proxy=tunnel, proxy_config=config
            )
            if tunnel:
                scheme = tunnel.scheme or "http"
                connection.set_tunnel(*self._address, headers=self.proxy_headers, scheme=scheme)
        try:
            connection.connect()
        except (OSError, HTTPError) as error:
            raise FaultError(UNREACHABLE, detail=self._message(error)) from None
        opened: socket.socket = connection.sock
        return opened

    def _message(self, error: BaseException) -> str:
        """What went wrong, without addresses of objects."""
        while error.__cause__ is not None:  # which one of urllib3 wraps
            error = error.__cause__
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"the certificate of {self.endpoint} is not trusted: {error.verify_message}"
        if isinstance(error, ssl.SSLError) or "handshake" in str(error):
            reason = getattr(error, "reason", "the handshake timed out") or "ended"
            return f"no TLS with {self.endpoint}: {reason.lower().replace('_', ' ')}"
        reason = str(error) or "timed out"
        if self.proxy:
            return (
                f"{self.endpoint} is not reached through the proxy {self.proxy} of the environment: {reason}"
            )
        return f"nothing listens at {self.endpoint}: {reason}"

    def _trust(self) -> ssl.SSLContext:
        place = certifi.where() if self.verify is True else str(self.verify)
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


def _proxy(endpoint: str) -> Url | None:
    """The proxy that the environment names for an endpoint.

    Raises:
        EndpointDown: It is no address.
    """
    chosen = select_proxy(endpoint, get_environ_proxies(endpoint))
    if not chosen:
        return None
    try:
        proxy = parse_url(chosen)
    except HTTPError:  # not quoted: there may be a password in it
        raise EndpointDown("the proxy that the environment names is no address") from None
    return proxy if proxy.scheme else proxy._replace(scheme="http")
