"""What servers have in common that remember what was written and answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .kit import Build, is_get
from .messages import DELETE, DELETE_DOMAIN, PUT, Answer, Forward, Request, Response
from .signing import key_of, refused

Key = tuple[str, str]
Document = dict[str, Any]


def key(request: Request) -> Key:
    """What identifies an integration."""
    return request.domain, request.text


def edited(answer: Response, **members: Any) -> Response:
    """The answer with members of its JSON set."""
    return answer.with_document({**answer.document, **members})


class Writes:
    """Base of servers that remember writes.

    Attributes:
        put: The documents put, since the beginning.
        alive: The documents put since the integration was made, if it is there.
        answers: The answers given, since the beginning.
        times: When each document was put.
        notes: Whatever else a server remembers.
    """

    def __init__(self) -> None:
        self.put: dict[Key, list[Document]] = {}
        self.alive: dict[Key, list[Document]] = {}
        self.answers: dict[Key, list[Response]] = {}
        self.times: dict[Key, list[float]] = {}
        self.notes: dict[Any, Any] = {}
        self.deleted: set[Key] = set()
        self.deleted_domains: set[str] = set()

    def __call__(self, request: Request, forward: Forward) -> Answer:
        """Forward a request, remember it, and answer a reading by :meth:`read`."""
        answer = forward(request)
        if answer.status == 200:
            self.remember(request)
        if not is_get(request) or refused(answer):
            return answer
        changed = self.read(request, answer)
        if answer.status == 200:
            self.answers.setdefault(key(request), []).append(answer)
        return changed

    def remember(self, request: Request) -> None:
        """Take note of a write that succeeded."""
        place = key(request)
        if request.operation == PUT:
            self.put.setdefault(place, []).append(request.document)
            self.alive.setdefault(place, []).append(request.document)
            self.times.setdefault(place, []).append(time.time())
        elif request.operation == DELETE:
            self.deleted.add(place)
            self.alive.pop(place, None)
        elif request.operation == DELETE_DOMAIN:
            self.deleted_domains.add(request.domain)
            for gone in [other for other in self.alive if other[0] == request.domain]:
                self.alive.pop(gone, None)

    def read(self, request: Request, answer: Response) -> Answer:
        """The answer to GetIntegration, given the base's."""
        return answer


def reads(read: Callable[[Writes, Request, Response], Answer], base: type[Writes] = Writes) -> Build:
    """A server that differs in how it answers a reading."""

    class Reads(base):
        def read(self, request: Request, answer: Response) -> Answer:
            return read(self, request, answer)

    return Reads


def whole_key(request: Request) -> object:
    """What identifies an integration, and the access key that asks."""
    return key_of(request), request.domain, request.text
