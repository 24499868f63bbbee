"""Why the emulator cannot start, and the errors that it answers with.

The AWS error type travels in the ``X-Amzn-ErrorType`` header (restJson1), the message in the body member
``Message`` for errors of the operation, as the service model spells it, and in ``message`` for errors
raised before the service is reached, as AWS's front end spells it.
"""

from dataclasses import dataclass
from functools import partial


class StartError(Exception):
    """The emulator cannot start, for a reason of one sentence, and ends with this status."""

    status = 1


@dataclass(eq=False)
class ApiError(Exception):
    """A request that is refused.

    ``status`` is the HTTP status, ``type`` the AWS error type, ``message`` the text for people,
    ``member`` the body member that carries the text, ``headers`` what the response carries besides.
    """

    status: int
    type: str
    message: str
    member: str = "Message"
    headers: tuple[tuple[str, str], ...] = ()


bad_request = partial(ApiError, 400, "BadRequestException")
"""Input that breaks a constraint of the operation."""
serialization = partial(ApiError, 400, "SerializationException")
"""Input that cannot be read as the operation's members."""
not_found = partial(ApiError, 404, "ResourceNotFoundException")
"""A domain or an integration that does not exist for this account and region."""
incomplete = partial(ApiError, 403, "IncompleteSignatureException", member="message")
"""An authorization that cannot be read."""
invalid = partial(ApiError, 403, "InvalidSignatureException", member="message")
"""A signature that is not the request's."""
unrecognized = partial(
    ApiError,
    403,
    "UnrecognizedClientException",
    "The security token included in the request is invalid.",
    "message",
)
"""An access key that is unknown, or a session token that is not its own."""


def method_not_allowed(allowed: str) -> ApiError:
    """A path where an operation lives, but not with this method: 405, with ``Allow``."""
    message, headers = f"This path allows: {allowed}.", (("allow", allowed),)
    return ApiError(405, "MethodNotAllowedException", message, "message", headers)


def bad_message(message: str, status: int = 400, type_: str = "BadRequestException") -> ApiError:
    """A message that breaks HTTP, or needs what this server does not support."""
    return ApiError(status, type_, message, "message")
