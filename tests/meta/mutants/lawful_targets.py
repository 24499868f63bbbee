"""Lawful targets: faults that pass, writes that settle late, and all that need not be claimed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from .kit import Build, from_one, is_get, on_answer, plain, remembers
from .lawful_kit import GIVEN, Lawful
from .messages import DELETE, DELETE_DOMAIN, PUT, Answer, Forward, Handler, Raw, Request, Response, error
from .signing import is_by, resigned, unauthenticated
from .writes import Writes, key, reads

THEME = Lawful("lawful-target")
_add = THEME.variant

# --- Faults that pass ---------------------------------------------------------------------------------------


def _sporadic(every: int, fault: Answer) -> Build:
    """A fault of the environment now and then, before the request is looked at; a repeat does not show it."""

    def handler(numbers: Iterator[int], request: Request, forward: Forward) -> Answer:
        return fault if next(numbers) % every == 0 else forward(request)

    return remembers(from_one)(handler)


_PASSING: Iterable[tuple[str, str, tuple[int, ...], Answer]] = (
    ("429", "is answered 429", (41, 23), error(429, "ThrottlingException")),
    ("500", "is answered 500", (53, 11), error(500, "InternalServerException")),
    (
        "502",
        "is answered 502 in HTML",
        (13,),
        Response(502, (("Content-Type", "text/html"),), b"<h1>502</h1>"),
    ),
    ("503", "is answered 503", (17,), error(503, "ServiceUnavailableException")),
    ("drop", "is dropped", (47, 11), Raw(b"", "close")),
    ("reset", "is reset", (13,), Raw(b"", "reset")),
    ("cut", "gets half an answer", (17,), Raw(b"HTTP/1.1 200 OK\r\nContent-Type: appli", "close")),
)
for _name, _description, _periods, _fault in _PASSING:
    for _period in _periods:
        THEME.add_stateful(
            f"sporadic-{_name}-{_period}",
            f"Every {_period}th request {_description}.",
            "",
            _sporadic(_period, _fault),
        )


@THEME.mutant("settles-late", "", reads, settings={"settling-time": 0.2})
def _late(self: Writes, request: Request, answer: Response) -> Answer:
    """Writes are seen after 100 ms."""
    written = self.times.get(key(request), [])
    if answer.status != 200 or not written or time.time() - written[-1] > 0.1:
        return answer
    before = [old for old in self.answers.get(key(request), []) if old.content != answer.content]
    return before[-1] if before else error(404, "ResourceNotFoundException")


# --- What is not claimed ------------------------------------------------------------------------------------


def _no_writes(status: int, error_type: str) -> Handler:
    def handler(request: Request, forward: Forward) -> Answer:
        if request.operation in (PUT, DELETE, DELETE_DOMAIN, "CreateDomain"):
            return error(status, error_type)
        return forward(request)

    return handler


def _takes_members(*members: str) -> Handler:
    """PutIntegration knows a few members only, and rejects all others."""

    def handler(request: Request, forward: Forward) -> Answer:
        if request.operation == PUT and isinstance(request.document, dict):
            if request.document.keys() - {"Uri", *members}:
                return error(400, "BadRequestException")
        return forward(request)

    return handler


for _status, _type in (
    (405, "MethodNotAllowedException"),
    (403, "AccessDeniedException"),
    (404, "UnknownOperationException"),
):
    _add(f"no-writes-{_status}", f"Writing is answered {_status}.", _no_writes(_status, _type), stocked=True)
_add("no-writes-asked", "Nothing is written, as was asked for.", options=("--no-writes",), stocked=True)
_add("given", "A domain and a Uri are given.", options=GIVEN, stocked=True)


@THEME.mutant("get-only", "", plain, options=GIVEN, stocked=True)
def _get_only(request: Request, forward: Forward) -> Answer:
    """There is no other operation."""
    if request.operation is not None and not is_get(request):
        return error(404, "UnknownOperationException")
    return forward(request)


@THEME.mutant("signatures-not-claimed", "", plain, options=("--not-claimed", "signatures"))
def _unsigned(request: Request, forward: Forward) -> Answer:
    """Signatures are not verified, and not claimed."""
    answer = forward(request)
    return forward(resigned(request)) if unauthenticated(answer) else answer


_add(
    "caller-only",
    "No identity but the caller is known.",
    without=("unauthorized", "other-account", "low-quota", "temporary"),
)
_add(
    "low-quota-elsewhere",
    "The identity of a low quota is of another account, where the integration does not exist.",
    on_answer(
        lambda request, answer: (
            error(404, "ResourceNotFoundException")
            if is_by(request, "low-quota") and answer.status == 200
            else answer
        )
    ),
)
_add("throttling-not-claimed", "Throttling is not claimed.", options=("--not-claimed", "throttling"))
_add("access-not-claimed", "Access control is not claimed.", options=("--not-claimed", "access-control"))
for _members in (("ObjectTypeName",), ("ObjectTypeName", "Tags")):
    _add(
        f"takes-{'-and-'.join(_members)}-only",
        f"PutIntegration takes {' and '.join(_members)} only.",
        _takes_members(*_members),
    )
