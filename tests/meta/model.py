"""The description against AWS's own service model: both as flat facts, and how these differ."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Facts = dict[tuple[str, str], Any]

_SHAPE_TRAITS = {"min": "fewest", "max": "most"}
_NO_STATEMENT = {"type", "enum", "members", "member", "key", "value", "required", "documentation"}
_NO_STATEMENT |= {"error", "exception", "fault"}
_JSON_TYPES = {"structure": "object", "map": "object", "list": "array"} | dict.fromkeys(
    ("timestamp", "integer", "long", "float", "double"), "number"
)
_CHILDREN = {"items": "items", "propertyNames": "keys", "additionalProperties": "values"}
_ANNOTATIONS = frozenset({"type", "enum", "required", "properties", "description", *_CHILDREN})


class Difference(NamedTuple):
    """One statement that the two do not share."""

    place: str
    statement: str
    described: Any
    modelled: Any

    def __str__(self) -> str:
        here, there = ("nothing" if each is None else each for each in (self.described, self.modelled))
        return f"{self.place}, {self.statement}: the description says {here}, AWS's model says {there}"


def differences(document: dict[str, Any], model: dict[str, Any]) -> list[Difference]:
    """Where the OpenAPI description and the service model differ, in the order of their places."""
    described, modelled = _described(document), _modelled(model)
    return [
        Difference(*key, described.get(key), modelled.get(key))
        for key in sorted(described.keys() | modelled.keys())
        if described.get(key) != modelled.get(key)
    ]


def _modelled(model: dict[str, Any]) -> Facts:
    operation, metadata, shapes = model["operations"]["GetIntegration"], model["metadata"], model["shapes"]
    facts: Facts = {
        ("operation", "method"): operation["http"]["method"],
        ("operation", "path"): operation["http"]["requestUri"],
        ("operation", "status"): operation["http"].get("responseCode", 200),
        ("operation", "signing name"): metadata.get("signingName", metadata["endpointPrefix"]),
        ("operation", "endpoint"): metadata["endpointPrefix"],
        ("operation", "version"): metadata["apiVersion"],
    }
    request = shapes[operation["input"]["shape"]]
    for name, member in request["members"].items():
        place = member.get("location", "body")
        facts[f"request.{name}", "place"] = "path" if place == "uri" else place
    facts |= dict(_of_shape(shapes, operation["input"]["shape"], "request"))
    facts |= dict(_of_shape(shapes, operation["output"]["shape"], "response"))
    for error in operation["errors"]:
        name = error["shape"]
        facts[f"error.{name}", "status"] = shapes[name]["error"]["httpStatusCode"]
        facts |= dict(_of_shape(shapes, name, f"error.{name}"))
    return facts


def _of_shape(shapes: dict[str, Any], name: str, place: str) -> Iterator[tuple[tuple[str, str], Any]]:
    shape = shapes[name]
    yield (place, "type"), _JSON_TYPES.get(shape["type"], shape["type"])
    if "enum" in shape:
        yield (place, "choices"), sorted(shape["enum"])
    for trait in shape.keys() - _NO_STATEMENT:
        yield (place, _SHAPE_TRAITS.get(trait, trait)), shape[trait]
    for member, reference in shape.get("members", {}).items():
        yield (f"{place}.{member}", "required"), member in shape.get("required", ())
        yield from _of_shape(shapes, reference["shape"], f"{place}.{member}")
        if "timestampFormat" in reference:
            yield (f"{place}.{member}", "timestampFormat"), reference["timestampFormat"]
        if reference.get("locationName", member) != member:
            yield (f"{place}.{member}", "name on the wire"), reference["locationName"]
    for part, child in (("member", "items"), ("key", "keys"), ("value", "values")):
        if part in shape:
            yield from _of_shape(shapes, shape[part]["shape"], f"{place}.{child}")


def _described(document: dict[str, Any]) -> Facts:
    (path, methods), *_ = document["paths"].items()
    (method, operation), *_ = methods.items()
    responses = operation["responses"]
    signing = document["components"]["securitySchemes"]["sigv4"]["description"]
    facts: Facts = {
        ("operation", "method"): method.upper(),
        ("operation", "path"): path,
        ("operation", "status"): next(int(status) for status in responses if status < "300"),
        ("operation", "signing name"): signing.partition("signing name `")[2].partition("`")[0],
        ("operation", "endpoint"): document["servers"][0]["url"].partition("://")[2].partition(".")[0],
        ("operation", "version"): document["info"]["version"],
    }
    facts["request", "type"] = "object"
    for parameter in operation["parameters"]:
        place = f"request.{parameter['name']}"
        facts[place, "place"] = parameter["in"]
        facts[place, "required"] = parameter["required"]
        facts |= dict(_of_schema(document, parameter["schema"], place))
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    facts |= {(f"request.{name}", "place"): "body" for name in body["properties"]}
    facts |= dict(_of_schema(document, body, "request"))
    for status, response in responses.items():
        schema = response["content"]["application/json"]["schema"]
        error = response.get("x-error-type")
        if error:
            facts[f"error.{error}", "status"] = int(status)
        facts |= dict(_of_schema(document, schema, f"error.{error}" if error else "response"))
    return facts


def _of_schema(
    document: dict[str, Any], schema: dict[str, Any], place: str
) -> Iterator[tuple[tuple[str, str], Any]]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    types = schema.get("type", "string")
    # A member that is absent may be sent as null: that is the protocol's matter, not the model's.
    types = [types] if isinstance(types, str) else [name for name in types if name != "null"]
    yield (place, "type"), " or ".join(types)
    if "enum" in schema:
        yield (place, "choices"), sorted(choice for choice in schema["enum"] if choice is not None)
    for keyword in schema:
        if keyword not in _ANNOTATIONS and not keyword.startswith("x-"):
            trait = re.sub("(min|max)[A-Z].*", lambda found: _SHAPE_TRAITS[found[1]], keyword)
            yield (place, trait), schema[keyword]
    for member, child in schema.get("properties", {}).items():
        yield (f"{place}.{member}", "required"), member in schema.get("required", ())
        yield from _of_schema(document, child, f"{place}.{member}")
    for keyword, step in _CHILDREN.items():
        if isinstance(schema.get(keyword), dict):
            yield from _of_schema(document, schema[keyword], f"{place}.{step}")
