"""Errors that are answered to the client, each with its HTTP status and its AWS error type.

The statuses of the first five are those that GetIntegration declares (API reference). The error
type travels in the ``X-Amzn-ErrorType`` header (restJson1). The text stands in the body member
``Message`` for errors of the operation, which is how the service model spells it, and in
``message`` for errors made before the service is reached, as AWS's front end spells it.
"""

from __future__ import annotations

from dataclasses import dataclass


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


def bad_request(message: str) -> ApiError:
    """Input that breaks a constraint of the operation: 400."""
    return ApiError(400, "BadRequestException", message)


def serialization(message: str) -> ApiError:
    """Input that cannot be read as the operation's members: 400."""
    return ApiError(400, "SerializationException", message)


def not_found(message: str) -> ApiError:
    """A domain or an integration that does not exist for this account and region: 404."""
    return ApiError(404, "ResourceNotFoundException", message)


def authentication(type_: str, message: str) -> ApiError:
    """A caller that is not who it says, or does not say who it is: 403."""
    return ApiError(403, type_, message, member="message")


def method_not_allowed(allowed: str) -> ApiError:
    """A path where an operation lives, but not with this method: 405, with ``Allow``."""
    return ApiError(
        405,
        "MethodNotAllowedException",
        f"This path allows: {allowed}.",
        member="message",
        headers=(("allow", allowed),),
    )


def bad_message(message: str, status: int = 400, type_: str = "BadRequestException") -> ApiError:
    """A message that breaks HTTP, or asks what this server does not do."""
    return ApiError(status, type_, message, member="message")
