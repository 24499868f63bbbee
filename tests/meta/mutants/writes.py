"""What servers have in common that remember what was written and answered."""

import time
from collections.abc import Callable
from typing import Any

from .fates import NOT_FOUND
from .kit import is_get, remembers
from .messages import CREATE_DOMAIN, DELETE, DELETE_DOMAIN, PUT, Answer, Forward, Handler, Request, Response
from .signing import key_of, refused

Key = tuple[str, str]
Document = dict[str, Any]


def key(request: Request) -> Key:
    """What identifies an integration."""
    return request.domain, request.text


def whole_key(request: Request) -> object:
    """What identifies an integration, and the access key that asks."""
    return key_of(request), request.domain, request.text


class Past:
    """What was written and answered, as far as it passed through.

    Attributes:
        put: The documents put, since the beginning.
        alive: The documents put since the integration was made, if it is there.
        answers: The answers given, since the beginning.
        times: When each document was put.
        domains: The domains that exist.
        notes: Whatever else a server remembers.
    """

    def __init__(self) -> None:
        self.put: dict[Key, list[Document]] = {}
        self.alive: dict[Key, list[Document]] = {}
        self.answers: dict[Key, list[Response]] = {}
        self.times: dict[Key, list[float]] = {}
        self.notes: dict[Any, Any] = {}
        self.domains: set[str] = set()
        self.deleted: set[Key] = set()
        self.deleted_domains: set[str] = set()

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
        elif request.operation == CREATE_DOMAIN:
            self.domains.add(request.domain)
        elif request.operation == DELETE_DOMAIN:
            self.domains.discard(request.domain)
            self.deleted_domains.add(request.domain)
            for gone in [other for other in self.alive if other[0] == request.domain]:
                self.alive.pop(gone, None)


class History:
    """What was written and answered of one integration: see :class:`Past`."""

    def __init__(self, past: Past, request: Request) -> None:
        place = key(request)
        self.request, self.past = request, past
        self.put, self.alive = past.put.get(place, []), past.alive.get(place, [])
        self.answers, self.times = past.answers.get(place, []), past.times.get(place, [])
        self.deleted, self.domain_deleted = place in past.deleted, request.domain in past.deleted_domains
        self.updated = len(self.alive) > 1


def knows(change: Callable[[Past, Request, Response, Forward], Answer], memory: type[Past] = Past) -> Handler:
    """A server that answers by what exists."""

    def handler(past: Past, request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if answer.status == 200:
            past.remember(request)
        return change(past, request, answer, forward)

    return remembers(memory)(handler)


def reads(read: Callable[[History, Response], Answer], memory: type[Past] = Past) -> Handler:
    """A server that differs in how it answers a reading."""

    def change(past: Past, request: Request, answer: Response, forward: Forward) -> Answer:
        if not is_get(request) or refused(answer):
            return answer
        changed = read(History(past, request), answer)
        if answer.status == 200:
            past.answers.setdefault(key(request), []).append(answer)
        return changed

    return knows(change, memory)


def edits(members: Callable[[History, Document], Document | None]) -> Handler:
    """Sets members of an integration that is read: those that are returned, if any."""

    def read(history: History, answer: Response) -> Answer:
        new = members(history, answer.document) if answer.status == 200 else None
        return answer.edited(**new) if new else answer

    return reads(read)


def loses(when: Callable[[History], object]) -> Handler:
    """Does not find some integrations that are there."""
    return reads(lambda history, answer: NOT_FOUND if answer.status == 200 and when(history) else answer)


def revives(
    when: Callable[[History], object], change: Callable[[Response], Response] = lambda answer: answer
) -> Handler:
    """Answers as before what is not there any more."""

    def read(history: History, answer: Response) -> Answer:
        gone = answer.status == 404 and history.answers and when(history)
        return change(history.answers[-1]) if gone else answer

    return reads(read)
