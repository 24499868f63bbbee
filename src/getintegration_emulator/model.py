"""The operations, their input, output and routes, from the service model that botocore ships.

The model is read straight from its file in botocore's data folder: importing botocore's own loader takes
longer than the rest of the start.
"""

import gzip
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import botocore
from jsonschema_rs import Draft202012Validator, ValidationErrorKind

from .errors import ApiError, StartError, bad_request, method_not_allowed, serialization
from .request import Request, json_object, path_segments, query_parameters

SERVICE_MODEL = "customer-profiles/2020-08-15"
BOTOCORE_VERSION: str = botocore.__version__

# JSON types by type of shape, where the names differ, and the keywords for a shape's min and max.
_TYPES = {"structure": "object", "map": "object", "list": "array", "long": "integer"}
_TYPES |= dict.fromkeys(("float", "double", "timestamp"), "number")  # timestamps are epoch seconds in bodies
_LIMITS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}


class Shape:
    """One of the ``shapes`` of a service model, checked as JSON Schema.

    A value of the wrong JSON type gives 400 SerializationException, as a deserialiser would. Broken
    constraints (required, min, max, pattern, enum) give one 400 BadRequestException that names them
    all. Lengths count Unicode code points (restJson1); patterns are not anchored (Smithy).
    """

    def __init__(self, shapes: dict[str, Any], name: str) -> None:
        self._shapes = shapes
        self._name = name
        definitions: dict[str, Any] = {}
        schema = {**self._schema(name, definitions), "$defs": definitions}
        self._validator = Draft202012Validator(schema, mask="value")  # messages repeat no value

    def _schema(self, name: str, definitions: dict[str, Any]) -> dict[str, str]:
        """Refer to a shape, which is defined with all that it is made of."""
        if name not in definitions:
            shape = self._shapes[name]
            kind = _TYPES.get(shape["type"], shape["type"])
            least, most = _LIMITS.get(kind, ("minimum", "maximum"))
            keywords = {"min": least, "max": most} | {same: same for same in ("pattern", "enum", "required")}
            schema = definitions[name] = {"type": kind}
            schema |= {keywords[trait]: value for trait, value in shape.items() if trait in keywords}

            def refer(part: dict[str, Any]) -> dict[str, str]:
                return self._schema(part["shape"], definitions)

            match shape:
                case {"members": members}:
                    schema["properties"] = {member: refer(part) for member, part in members.items()}
                case {"member": item}:
                    schema["items"] = refer(item)
                case {"key": key, "value": value}:
                    schema |= {"propertyNames": refer(key), "additionalProperties": refer(value)}
        return {"$ref": f"#/$defs/{name}"}

    def check(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the value as it is kept. Raises :class:`ApiError` (400)."""
        try:
            kept: dict[str, Any] = self.known(value)
            if self._validator.is_valid(kept):
                return kept
            errors = list(self._validator.iter_errors(kept))
        except ValueError as error:
            raise serialization("The input has lone surrogates, or is nested too deeply.") from error
        found = []
        for broken in errors:
            place = ".".join(map(str, broken.instance_path)) or "input"
            found.append(f"{place}: {broken.message}")
            if isinstance(broken.kind, ValidationErrorKind.Type):
                raise serialization(found[-1])
        noun = "error" if len(found) == 1 else "errors"
        raise bad_request(f"{len(found)} validation {noun} detected: {'; '.join(found[:10])}")

    def known(self, value: Any, name: str | None = None) -> Any:
        """Leave out members that the model does not know or that are null, which counts as absent.

        Raises ``ValueError`` for text with lone surrogates.
        """
        shape = self._shapes[name or self._name]
        match value:
            case str():
                value.encode()
            case dict() if "members" in shape:
                parts = shape["members"]
                return {
                    member: self.known(item, parts[member]["shape"])
                    for member, item in value.items()
                    if member in parts and item is not None
                }
            case dict() if shape["type"] == "map":
                return {key: self.known(item, shape["value"]["shape"]) for key, item in value.items()}
            case list() if shape["type"] == "list":
                return [self.known(item, shape["member"]["shape"]) for item in value]
            case float() if shape["type"] in ("integer", "long") and value.is_integer():
                return int(value)
        return value

    def from_text(self, member: str, text: str) -> Any:
        """Read a member from a query string; text that is not of its type stays text, and fails the check."""
        kind = self._shapes[self._shapes[self._name]["members"][member]["shape"]]["type"]
        if kind == "boolean":
            return {"true": True, "false": False}.get(text, text)
        return int(text) if kind == "integer" and re.fullmatch(r"[+-]?[0-9]{1,20}", text) else text


class Operation:
    """One operation: its method and path, its input and output.

    ``segments`` are those of its path; one in braces is a label. ``labels``, ``query`` and ``body`` map
    names on the wire to members of the input. ``project`` reduces an answer to members of the output.
    """

    def __init__(self, name: str, model: dict[str, Any]) -> None:
        definition, shapes = model["operations"][name], model["shapes"]
        given = definition["input"]["shape"]
        places: dict[str, dict[str, str]] = {"uri": {}, "querystring": {}, "body": {}}
        for member, part in shapes[given]["members"].items():
            places[part.get("location", "body")][part.get("locationName", member)] = member
        self.labels, self.query, self.body = places.values()
        self.name = name
        self.method: str = definition["http"]["method"]
        self.segments: list[str] = definition["http"]["requestUri"].split("/")[1:]
        self.input = Shape(shapes, given)
        self.project = Shape(shapes, definition["output"]["shape"]).known

    def read(self, labels: Mapping[str, str], request: Request) -> dict[str, Any]:
        """Return the members of the input that a request has. Raises :class:`ApiError` (400)."""
        body = json_object(request.body) if self.body else {}
        query = query_parameters(request.query) if self.query else {}
        members: dict[str, Any] = {self.labels[name]: text for name, text in labels.items()}
        for name, member in self.query.items():
            if name in query:
                members[member] = self.input.from_text(member, query[name])
        members |= {member: body[name] for name, member in self.body.items() if name in body}
        return self.input.check(members)

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """The values of the labels in a path, None if it is not this operation's."""
        pairs = [*zip(self.segments, segments, strict=False)]
        labels = {expected[1:-1]: segment for expected, segment in pairs if expected[0] == "{"}
        rest = all(expected == segment for expected, segment in pairs if expected[0] != "{")
        return labels if rest and len(segments) == len(self.segments) else None


def load_operations(names: Iterable[str]) -> tuple[Operation, ...]:
    """Build the named operations. Raises :class:`StartError`."""
    path = Path(botocore.__file__).parent / "data" / SERVICE_MODEL / "service-2.json.gz"
    try:
        model = json.loads(gzip.decompress(path.read_bytes()))
        return tuple(Operation(name, model) for name in names)
    except (OSError, KeyError, ValueError) as error:
        message = f"botocore {BOTOCORE_VERSION} has no usable model {SERVICE_MODEL}: {error!r}."
        raise StartError(message) from error


@lru_cache(maxsize=512)
def route(operations: tuple[Operation, ...], method: str, path: bytes) -> tuple[Operation, Mapping[str, str]]:
    """Return the operation that a request is for and the values of its labels, percent-decoded.

    The path is split at its slashes before anything is decoded, and nothing in it is normalised, so ``%2F``,
    ``.``, ``..`` and empty segments reach the operation as the name of a domain. Raises :class:`ApiError`:
    404 for a path that no operation has, 405 for one that no operation has with this method.
    """
    segments = path_segments(path)
    matches = [(operation, operation.match(segments)) for operation in operations]
    found = {operation.method: (operation, labels) for operation, labels in matches if labels is not None}
    if not found:
        raise ApiError(404, "UnknownOperationException", "No operation has this path.", "message")
    if method not in found:
        raise method_not_allowed(", ".join(sorted(found)))
    return found[method]
