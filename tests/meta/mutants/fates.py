"""Answers that mutants give on their own."""

from .messages import Response, error


def page(status: int, text: str = "<h1>No.</h1>") -> Response:
    """A page in HTML, as gateways and frameworks answer."""
    return Response(status, (("Content-Type", "text/html"),), text.encode())


CRASH = error(500, "InternalServerException")
BAD_REQUEST = error(400, "BadRequestException")
NOT_FOUND = error(404, "ResourceNotFoundException")
DENIED = error(403, "AccessDeniedException")
THROTTLED = error(429, "ThrottlingException")
WRONG_SIGNATURE = error(403, "InvalidSignatureException")
