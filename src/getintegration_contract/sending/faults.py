"""What went wrong with an exchange: why no complete answer came, and which faults may pass."""

from __future__ import annotations

from getintegration_contract.exchange import Response

#: Reasons why there is no whole answer.
UNREACHABLE = "no connection could be made"
LATE = "no answer within the time limit"
SHORT = "the body ended before its Content-Length"
UNDECODABLE = "the body does not decode as its Content-Encoding says"
CLOSED = "the connection was closed without a whole answer"
NOT_HTTP = "the answer is not HTTP"
LARGE_HEAD = "the head of the answer is larger than 256 kB"
LARGE_BODY = "the body of the answer is larger than 8 MB"

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
    "Skewed",
)


class FaultError(Exception):
    """There is no whole answer; the text says why.

    Attributes:
        head: The head of the answer where that is the reason, byte for byte.
    """

    def __init__(self, reason: str, head: bytes = b"") -> None:
        super().__init__(reason)
        self.head = head


class ConnectError(FaultError):
    """No connection could be made, so nothing was sent.

    Attributes:
        detail: What went wrong, for the user.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(UNREACHABLE)
        self.detail = detail


class ClosedError(FaultError):
    """The connection ended before the first byte of an answer."""

    def __init__(self) -> None:
        super().__init__(CLOSED)


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
    error_type = response.error_type or "" if response.status in (400, 401, 403) else ""
    return response.status == 401 or any(word in error_type for word in _UNAUTHENTICATED)


def fault_name(error: Exception) -> str:
    """Why there is no whole answer, as a short phrase without addresses of objects."""
    if isinstance(error, FaultError):
        return str(error)
    if isinstance(error, TimeoutError):
        return LATE
    return CLOSED
