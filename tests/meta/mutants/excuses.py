"""What servers have in common that serve callers whom they must reject."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from getintegration_emulator.identities import Identity

from .kit import remembers
from .messages import Answer, Forward, Handler, Request
from .signing import CALLER, Claim, claim_of, known, resigned, unauthenticated

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
    return excuses(lambda request: (known(request) or CALLER) if condition(request) else None)


def serves_claims(condition: Callable[[Request, Claim], bool]) -> Handler:
    """The same, for requests with a whole claim by a known key."""

    def excuse(request: Request) -> Identity | None:
        claim = claim_of(request)
        return claim.identity if claim and claim.identity and condition(request, claim) else None

    return excuses(excuse)


def verified_once(key: Callable[[Request], object]) -> Handler:
    """Once a signature was right, later ones by known access keys with the same ``key`` are not verified."""

    def handler(trusted: set[object], request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if not unauthenticated(answer):
            trusted.add(key(request))
            return answer
        return forward(resigned(request)) if known(request) and key(request) in trusted else answer

    return remembers(set)(handler)


def now(offset: int = 0) -> datetime:
    """The present, or some seconds after it."""
    return datetime.now(UTC) + timedelta(seconds=offset)
