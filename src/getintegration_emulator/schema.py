"""The shapes of a service model as JSON Schema, checked by jsonschema-rs.

A value of the wrong JSON type gives 400 SerializationException, as a deserialiser would. Broken
constraints (required, min, max, pattern, enum) give one 400 BadRequestException that names them
all. Lengths count Unicode code points (restJson1); patterns are not anchored (Smithy).
"""

from __future__ import annotations

import re
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationErrorKind

from .errors import bad_request, serialization

# For each type of shape: the JSON type, and the keywords that its min and max become.
_TYPES = {
    "string": ("string", "minLength", "maxLength"),
    "integer": ("integer", "minimum", "maximum"),
    "long": ("integer", "minimum", "maximum"),
    "float": ("number", "minimum", "maximum"),
    "double": ("number", "minimum", "maximum"),
    "timestamp": ("number", "", ""),  # epoch seconds, the protocol's default in bodies
    "boolean": ("boolean", "", ""),
    "list": ("array", "minItems", "maxItems"),
    "map": ("object", "minProperties", "maxProperties"),
    "structure": ("object", "", ""),
}


class Shape:
    """One shape of a service model, ready to check values. ``shapes`` are all of the model's."""

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
            kind, least, most = _TYPES[shape["type"]]
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
        """Return the value as it is to be kept. Raises :class:`ApiError` (400)."""
        try:
            kept: dict[str, Any] = self._known(self._name, value)
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

    def _known(self, name: str, value: Any) -> Any:
        """Leave out what the model does not know, and null members, which count as absent.

        Raises ``ValueError`` for text that is no Unicode.
        """
        match self._shapes[name], value:
            case {"members": members}, dict():
                given = ((member, part, value.get(member)) for member, part in members.items())
                return {
                    member: self._known(part["shape"], item)
                    for member, part, item in given
                    if item is not None
                }
            case {"member": part}, list():
                return [self._known(part["shape"], item) for item in value]
            case {"type": "map", "value": part}, dict():
                return {key: self._known(part["shape"], item) for key, item in value.items()}
            case {"type": "integer" | "long"}, float() if value.is_integer():
                return int(value)
            case _, str():
                value.encode()
        return value

    def from_text(self, member: str, text: str) -> Any:
        """Read a member from a query string; what cannot be read stays text, which no check passes."""
        shape = self._shapes[self._shapes[self._name]["members"][member]["shape"]]
        if shape["type"] == "boolean":
            return {"true": True, "false": False}.get(text, text)
        if shape["type"] == "integer" and re.fullmatch(r"[+-]?[0-9]{1,20}", text):
            return int(text)
        return text
