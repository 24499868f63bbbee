"""Which operation a request is for: decided on the raw path and the method.

The path is split at its slashes before anything is decoded, and nothing in it is normalised, so
``%2F``, ``.``, ``..`` and empty segments reach the operation as the name of a domain. The routes
are those of the service model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from .errors import method_not_allowed, unknown_operation
from .model import Operation
from .request import path_segments


class Router:
    """All routes of the given operations; :meth:`route` remembers what it found."""

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
        if segments is None:
            raise unknown_operation()
        for template, methods in self._by_length.get(len(segments), {}).items():
            labels = _match(template, segments)
            if labels is None:
                continue
            if method not in methods:
                raise method_not_allowed(", ".join(sorted(methods)))
            return methods[method], labels
        raise unknown_operation()


def _match(template: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    labels: dict[str, str] = {}
    for expected, segment in zip(template, segments, strict=True):
        if expected.startswith("{"):
            labels[expected[1:-1]] = segment
        elif expected != segment:
            return None
    return labels
