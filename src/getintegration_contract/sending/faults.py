"""What went wrong with an exchange: why there is no whole answer, and what may be a passing fault."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong, UnknownProtocol

from urllib3.exceptions import ConnectTimeoutError, DecodeError, ReadTimeoutError

from getintegration_contract.exchange import Response
from getintegration_contract.judging.judge import parse

#: Reasons why there is no whole answer.
UNREACHABLE = "no connection could be made"
LATE = "no answer within the time limit"
SHORT = "the body ended before its Content-Length"
UNDECODABLE = "the body does not decode as its Content-Encoding says"
CLOSED = "the connection was closed without a whole answer"
NOT_HTTP = "the answer is not HTTP"
#: Of which exceptions they are the reasons, the most telling first.
_FAULTS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((ConnectTimeoutError, ConnectionRefusedError, socket.gaierror), UNREACHABLE),
    ((ReadTimeoutError, TimeoutError), LATE),
    ((IncompleteRead,), SHORT),
    ((DecodeError,), UNDECODABLE),
    ((ConnectionError, ssl.SSLEOFError), CLOSED),
    ((BadStatusLine, LineTooLong, UnknownProtocol), NOT_HTTP),
)

#: Answers of the service that mean "slow down", under either status that AWS's pages give.
_THROTTLING_TYPES = ("ThrottlingException", "TooManyRequestsException")

#: What is in the types of errors by which credentials and signatures are refused, in all spellings of AWS.
_UNAUTHENTICATED = (
    "Signature",
    "Token",
    "UnrecognizedClient",
    "InvalidClient",
    "Expired",
    "InvalidAccessKey",
)


def transient_fault(response: Response) -> str | None:
    """What may be a passing fault of the environment: no answer, a 5xx, throttling; None for others."""
    if response.status == 0:
        return response.reason
    if response.status == 429 or _is_throttling(response):
        return "429"
    if response.status >= 500:
        return str(response.status)
    return None


def _is_throttling(response: Response) -> bool:
    error_type = response.header("x-amzn-errortype") if response.status == 400 else None
    return bool(error_type and error_type.startswith(_THROTTLING_TYPES))


def is_unauthenticated(response: Response) -> bool:
    """Whether an answer refuses who asks, rather than what is asked."""
    error_type = parse(response).error_type or "" if response.status in (400, 401, 403) else ""
    return response.status == 401 or any(word in error_type for word in _UNAUTHENTICATED)


def fault_name(error: BaseException) -> str:
    """Why there is no whole answer, as a short phrase without addresses of objects."""
    causes = tuple(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS: {cause.verify_message}"
    for types, name in _FAULTS:
        if any(isinstance(cause, types) for cause in causes):
            return name
    last = causes[-1]
    if isinstance(last, ssl.SSLError) and last.reason:
        return f"TLS: {last.reason.lower().replace('_', ' ')}"
    # The text of a plain HTTPException says why, as of too many headers.
    return str(last) if type(last) is HTTPException else type(last).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that it wraps, as requests and urllib3 nest them, outermost first."""
    yield error
    for inner in (*error.args, getattr(error, "reason", None)):
        if isinstance(inner, BaseException):
            yield from _causes(inner)
