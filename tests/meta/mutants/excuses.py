"""What servers have in common that serve callers whom they must reject."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from getintegration_emulator.identities import Identity

from .messages import Answer, Forward, Handler, Request
from .signing import CALLER, Claim, claim_of, resigned, unauthenticated

#: Says whom a request that the base rejects is taken to come from; None if the rejection stands.
Excuse = Callable[[Request], Identity | None]


def excuses(excuse: Excuse) -> Handler:
    """Serves some requests that are not signed as they must be."""

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if not unauthenticated(answer):
            return answer
        identity = excuse(request)
        return answer if identity is None else forward(resigned(request, identity))

    return handler


def serves(condition: Callable[[Request], bool]) -> Handler:
    """Serves, as the one that it names or else as the caller, a request that fulfils a condition."""
    return excuses(lambda request: named(request) if condition(request) else None)


def named(request: Request) -> Identity:
    """Whom a request names, or else the caller."""
    claim = claim_of(request)
    return (claim and claim.identity) or CALLER


def serves_claims(condition: Callable[[Request, Claim], bool]) -> Handler:
    """The same, for requests with a whole claim by a known key."""

    def excuse(request: Request) -> Identity | None:
        claim = claim_of(request)
        known = claim is not None and claim.identity is not None
        return claim.identity if known and claim and condition(request, claim) else None

    return excuses(excuse)


def now(offset: int = 0) -> datetime:
    """The present, or some seconds after it."""
    return datetime.now(UTC) + timedelta(seconds=offset)
