"""The operations, their input and their routes, from the service model that botocore ships.

The model is read straight from its file in botocore's data folder: botocore's own loader would do
the same, but importing it takes longer than everything else at start-up together.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import botocore

from .errors import ApiError, method_not_allowed
from .request import path_segments
from .schema import Shape

SERVICE_MODEL = "customer-profiles/2020-08-15"
BOTOCORE_VERSION: str = botocore.__version__


class ModelError(Exception):
    """The installed botocore has no model that can be used; the text is one sentence."""


@dataclass(frozen=True)
class Operation:
    """One operation: where it lives, what it takes, and which members it answers with.

    ``segments`` are those of its path; one in braces is a label. ``labels``, ``query`` and
    ``body`` map the names on the wire to the members of the input. ``items`` are the members of
    each of the output's ``Items``, if it has those. Without members in the body, it is ignored.
    """

    name: str
    method: str
    segments: tuple[str, ...]
    input: Shape
    labels: dict[str, str]
    query: dict[str, str]
    body: dict[str, str]
    output: tuple[str, ...]
    items: tuple[str, ...]

    def read(
        self, labels: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the members of the input that a request has. Raises :class:`ApiError` (400)."""
        members: dict[str, Any] = {self.labels[name]: value for name, value in labels.items()}
        for wire_name, name in self.query.items():
            if wire_name in query:
                members[name] = self.input.from_text(name, query[wire_name])
        members |= {name: body[wire_name] for wire_name, name in self.body.items() if wire_name in body}
        return self.input.check(members)

    def project(self, members: dict[str, Any]) -> dict[str, Any]:
        """Keep what the operation's output has; leave out what is absent."""
        answer = _keep(members, self.output)
        if self.items:
            answer["Items"] = [_keep(item, self.items) for item in answer["Items"]]
        return answer


def _keep(members: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: members[name] for name in names if members.get(name) is not None}


def load_operations(names: Iterable[str]) -> dict[str, Operation]:
    """Build the named operations. Raises :class:`ModelError`."""
    path = Path(botocore.__file__).parent / "data" / SERVICE_MODEL / "service-2.json.gz"
    try:
        model = json.loads(gzip.decompress(path.read_bytes()))
        return {name: _operation(name, model["operations"][name], model["shapes"]) for name in names}
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"botocore {BOTOCORE_VERSION} has no usable model {SERVICE_MODEL}: {error!r}."
        ) from error


def _operation(name: str, definition: dict[str, Any], shapes: dict[str, Any]) -> Operation:
    given = definition["input"]["shape"]
    places: dict[str, dict[str, str]] = {"uri": {}, "querystring": {}, "body": {}}
    for member, reference in shapes[given]["members"].items():
        places[reference.get("location", "body")][reference.get("locationName", member)] = member
    output = shapes[definition["output"]["shape"]]["members"]
    items = ()
    if "Items" in output:
        items = tuple(shapes[shapes[output["Items"]["shape"]]["member"]["shape"]]["members"])
    return Operation(
        name=name,
        method=definition["http"]["method"],
        segments=tuple(definition["http"]["requestUri"].lstrip("/").split("/")),
        input=Shape(shapes, given),
        labels=places["uri"],
        query=places["querystring"],
        body=places["body"],
        output=tuple(output),
        items=items,
    )


class Router:
    """All routes of the given operations; :meth:`route` remembers what it found.

    The path is split at its slashes before anything is decoded, and nothing in it is normalised, so
    ``%2F``, ``.``, ``..`` and empty segments reach the operation as the name of a domain.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.route = lru_cache(maxsize=512)(self._route)
        self._by_length: dict[int, dict[tuple[str, ...], dict[str, Operation]]] = {}
        for operation in operations:
            same_length = self._by_length.setdefault(len(operation.segments), {})
            same_length.setdefault(operation.segments, {})[operation.method] = operation

    def _route(self, method: str, path: bytes) -> tuple[Operation, Mapping[str, str]]:
        """Return the operation and the values of its labels, percent-decoded.

        Raises :class:`ApiError`: 404 UnknownOperationException for a path that no operation has,
        405 MethodNotAllowedException for one that no operation has with this method.
        """
        segments = path_segments(path)
        for template, methods in self._by_length.get(len(segments), {}).items():
            labels = _match(template, segments)
            if labels is None:
                continue
            if method not in methods:
                raise method_not_allowed(", ".join(sorted(methods)))
            return methods[method], labels
        raise ApiError(404, "UnknownOperationException", "No operation has this path.", member="message")


def _match(template: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    labels: dict[str, str] = {}
    for expected, segment in zip(template, segments, strict=True):
        if expected.startswith("{"):
            labels[expected[1:-1]] = segment
        elif expected != segment:
            return None
    return labels
