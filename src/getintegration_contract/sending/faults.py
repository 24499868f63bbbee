"""What went wrong with an exchange: why no complete answer came, and which faults may pass."""

import re
from dataclasses import dataclass

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
_REFUSAL = re.compile("Signature|Token|UnrecognizedClient|InvalidClient|Expired|InvalidAccessKey|Skewed")


@dataclass(eq=False)
class FaultError(Exception):
    """There is no whole answer.

    Attributes:
        reason: Why, as a short phrase.
        head: The head of the answer where that is the reason, byte for byte.
        detail: What went wrong, for the user, where no connection could be made.
    """

    reason: str
    head: bytes = b""
    detail: str = ""


class SilenceError(FaultError):
    """The connection ended before the first byte of an answer."""


def transient_fault(response: Response) -> str | None:
    """What may pass: no answer, a 5xx, throttling, 408 (RFC 9110, section 15.5.9); None for others."""
    if response.status == 0:
        return response.reason
    error_type = response.header("x-amzn-errortype") if response.status == 400 else None
    if response.status == 429 or (error_type and error_type.startswith(_THROTTLING_TYPES)):
        return "429"
    return str(response.status) if response.status >= 500 or response.status == 408 else None


def is_unauthenticated(response: Response) -> bool:
    """Whether an answer refuses who asks, rather than what is asked."""
    if response.status not in (400, 401, 403):
        return False
    return response.status == 401 or _REFUSAL.search(response.error_type or "") is not None


def is_missing(response: Response) -> bool:
    """Whether an answer says that what is asked for does not exist."""
    return response.status == 404 and response.error_type == "ResourceNotFoundException"
