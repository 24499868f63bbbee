"""Servers whose integrations have a member that is missing, of a wrong type, or outside its constraints."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from .kit import Theme, drops, on_document, on_found, sets, timed
from .messages import Handler
from .writes import Document

THEME = Theme("member")


def _small(name: str) -> str:
    return name[0].lower() + name[1:]


# --- Members that must be there -----------------------------------------------------------------------------

for _member in ("DomainName", "Uri", "CreatedAt", "LastUpdatedAt"):
    THEME[f"response.{_member}.required"] = {
        f"{_member}-missing: {_member} is missing.": on_document(drops(_member)),
        f"{_member}-null: {_member} is null.": on_document(sets(_member, None)),
        f"{_member}-renamed: {_member} begins with a small letter.": on_document(
            lambda d, name=_member: {_small(key) if key == name else key: d[key] for key in d}
        ),
    }
THEME["response.DomainName.required response.Uri.required"] = {
    "all-in-camel-case: All members begin with a small letter.": on_document(
        lambda d: {_small(name): value for name, value in d.items()}
    )
}

# --- Members of a wrong type --------------------------------------------------------------------------------


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_TIME_SHAPES: tuple[tuple[str, str, Callable[[float], Any]], ...] = (
    ("string", "a number in a string", str),
    ("iso-8601", "an ISO 8601 string", _iso),
    ("object", "an object", lambda t: {"seconds": t}),
    ("boolean", "true", lambda t: True),
)
for _member in ("CreatedAt", "LastUpdatedAt"):
    THEME[f"response.{_member}.type"] = {
        f"{_member}-{name}: {_member} is {description}.": on_document(timed(change, _member))
        for name, description, change in _TIME_SHAPES
    }

_WRONG_TYPES: dict[str, tuple[tuple[str, Any], ...]] = {
    "DomainName": (("number", 1), ("array", lambda d: [d["DomainName"]])),
    "Uri": (("number", 1), ("object", lambda d: {"Uri": d["Uri"]})),
    "EventTriggerNames": (("string", "Trigger"), ("object", {"Name": "Trigger"})),
    "IsUnstructured": (("string", "false"), ("number", 0)),
    "ObjectTypeName": (("array", ["Type"]), ("boolean", False)),
    "ObjectTypeNames": (("array", ["Type"]), ("string", "{}")),
    "RoleArn": (("object", {"Arn": "arn:aws:iam::1:role/r"}), ("array", [])),
    "Scope": (("number", 1), ("array", ["DOMAIN"])),
    "Tags": (("array", []), ("pairs", [{"Key": "a", "Value": "b"}])),
    "WorkflowId": (("number", 1), ("object", {"Id": "w"})),
}
for _member, _values in _WRONG_TYPES.items():
    THEME[f"response.{_member}.type" + (" response.Scope.enum" if _member == "Scope" else "")] = {
        f"{_member}-{name}: {_member} is of a wrong JSON type: {name}.": on_document(sets(_member, value))
        for name, value in _values
    }

# --- Members outside their constraints ----------------------------------------------------------------------


def _with(member: str, values: Mapping[str, Any]) -> dict[str, Handler]:
    """A mutant for each value of a member: ``name: sentence``."""
    return {f"{member}-{text}": on_document(sets(member, value)) for text, value in values.items()}


def _constraint(member: str, clause: str, text: str, value: Any) -> None:
    THEME[f"response.{member}.{clause}"] = _with(member, {text: value})


def _lengths(member: str, longest: int, too_long: Any) -> None:
    """The member empty, and too long."""
    if member not in ("DomainName", "RoleArn"):  # whose pattern forbids that as well, or alone
        _constraint(member, "minLength", f"empty: {member} is empty.", "")
    _constraint(member, "maxLength", f"too-long: {member} has {longest + 1} code points.", too_long)


THEME["response.DomainName.minLength response.DomainName.pattern"] = _with(
    "DomainName", {"empty: DomainName is empty.": ""}
)
_lengths("DomainName", 64, "d" * 65)
THEME["response.DomainName.pattern response.echo.DomainName"] = _with(
    "DomainName",
    {
        "dot: DomainName has a dot.": "a.b",
        "space: DomainName has a space.": "a b",
        "accent: DomainName has a letter with accent.": "é",
    },
)
_constraint(
    "DomainName", "pattern", "newline: DomainName ends with a newline.", lambda d: d["DomainName"] + "\n"
)
_lengths("Uri", 255, lambda d: (d["Uri"] * 256)[:256])
_constraint("EventTriggerNames", "maxItems", "two: EventTriggerNames has two.", ["a", "b"])
for _name, _value, _clause in (
    ("null", None, "type"),
    ("number", 1, "type"),
    ("object", {"Name": "a"}, "type"),
    ("empty", "", "minLength"),
    ("too-long", "t" * 65, "maxLength"),
    ("pattern", "a b", "pattern"),
):
    _text = f"item-{_name}: The item of EventTriggerNames breaks its {_clause}."
    _constraint("EventTriggerNames", f"items.{_clause}", _text, [_value])
_lengths("ObjectTypeName", 255, "t" * 256)
for _description, _name, _value in (
    ("a digit first", "digit-first", "1a"),
    ("a dot", "dot", "a.b"),
    ("a newline at the end", "newline", "Type\n"),
):
    _constraint("ObjectTypeName", "pattern", f"{_name}: ObjectTypeName has {_description}.", _value)
    _text = f"value-{_name}: A value of ObjectTypeNames has {_description}."
    _constraint("ObjectTypeNames", "values.pattern", _text, {"SegmentIdentify": _value})
for _name, _value, _clause in (
    ("value-null", {"SegmentIdentify": None}, "values.type"),
    ("value-number", {"SegmentIdentify": 1}, "values.type"),
    ("value-empty", {"SegmentIdentify": ""}, "values.minLength"),
    ("value-too-long", {"SegmentIdentify": "t" * 256}, "values.maxLength"),
    ("key-empty", {"": "Type"}, "keys.minLength"),
    ("key-too-long", {"k" * 256: "Type"}, "keys.maxLength"),
):
    _text = f"{_name}: ObjectTypeNames breaks the constraint {_clause}."
    _constraint("ObjectTypeNames", _clause, _text, _value)
for _name, _value in (
    ("other-service", "arn:aws:s3:::bucket"),
    ("without-account", "arn:aws:iam:::role/r"),
    ("empty", ""),
    ("other-partition", "arn:azure:iam::123456789012:role/r"),
):
    _constraint("RoleArn", "pattern", f"{_name}: RoleArn breaks its pattern: {_name}.", _value)
_lengths("RoleArn", 512, "arn:aws:iam::123456789012:role/".ljust(513, "r"))
for _value in ("domain", "", "ACCOUNT"):
    _constraint("Scope", "enum", f"enum-{_value or 'empty'}: Scope is {_value!r}.", _value)
for _name, _value, _clause in (
    ("51", {f"k{index:02}": "v" for index in range(51)}, "maxProperties"),
    ("key-empty", {"": "v"}, "keys.minLength"),
    ("key-too-long", {"k" * 129: "v"}, "keys.maxLength"),
    ("key-aws", {"aws:cloudformation:stack-name": "s"}, "keys.pattern"),
    ("key-space", {"a b": "v"}, "keys.pattern"),
    ("value-null", {"a": None}, "values.type"),
    ("value-number", {"a": 1}, "values.type"),
    ("value-too-long", {"a": "v" * 257}, "values.maxLength"),
):
    _constraint("Tags", _clause, f"{_name}: Tags breaks the constraint {_clause}.", _value)
_lengths("WorkflowId", 255, "w" * 256)

# --- Times --------------------------------------------------------------------------------------------------

THEME["response.timestamps.unit"] = {
    "times-milliseconds: Both times are in milliseconds.": on_document(timed(lambda t: t * 1000)),
    "times-whole-milliseconds: Both times are in whole milliseconds.": on_document(
        timed(lambda t: int(t * 1000))
    ),
    "times-microseconds: Both times are in microseconds.": on_document(timed(lambda t: int(t * 1_000_000))),
    "CreatedAt-milliseconds: CreatedAt alone is in milliseconds.": on_document(
        timed(lambda t: t * 1000, "CreatedAt")
    ),
    "LastUpdatedAt-milliseconds: LastUpdatedAt alone is in milliseconds.": on_document(
        timed(lambda t: t * 1000, "LastUpdatedAt")
    ),
    "times-before-the-year-1: CreatedAt counts from a calendar's beginning that no clock knows.": on_document(
        timed(lambda t: t - 1e15, "CreatedAt")
    ),
    "times-of-a-zero-date: Both times are those of the date 0000-00-00.": on_document(
        timed(lambda t: -62_169_984_000)
    ),
}
THEME["response.timestamps.order"] = {
    "created-a-second-after-updated: CreatedAt is a second after LastUpdatedAt.": on_document(
        sets("CreatedAt", lambda d: d["LastUpdatedAt"] + 1)
    ),
    "created-a-day-after-updated: CreatedAt is a day after LastUpdatedAt.": on_document(
        sets("CreatedAt", lambda d: d["LastUpdatedAt"] + 86400)
    ),
}
THEME["response.timestamps.order state.time"] = {
    "updated-zero: LastUpdatedAt is 0 for an integration that was never updated.": on_document(
        sets("LastUpdatedAt", 0)
    )
}
THEME["state.time"] = {
    f"times-{name}: Both times are {description}.": on_document(timed(lambda t, offset=offset: t + offset))
    for name, description, offset in (
        ("an-hour-ahead", "an hour ahead", 3600),
        ("two-hours-behind", "two hours behind: local time taken for UTC", -7200),
        ("ten-minutes-ahead", "ten minutes ahead", 600),
        ("at-epoch", "those of 1970", -1_700_000_000),
    )
}

# --- The body as a whole ------------------------------------------------------------------------------------

THEME["response.body.json"] = {
    f"body-{name}: The body of a 200 {description}.": on_found(
        lambda a, edit=edit: a.with_body(edit(a.content))
    )
    for name, description, edit in (
        ("truncated", "ends too early", lambda body: body[:-10]),
        ("trailing-comma", "has a trailing comma", lambda body: body.rstrip()[:-1] + b",}"),
        ("single-quotes", "has single quotes", lambda body: body.replace(b'"', b"'")),
        ("nan", "has NaN", lambda body: body.rstrip()[:-1] + b', "Extra": NaN}'),
        ("twice", "stands there twice", lambda body: body + body),
        ("empty", "is empty", lambda body: b""),
        ("byte-order-mark", "begins with a byte order mark", lambda body: b"\xef\xbb\xbf" + body),
        ("utf-16", "is in UTF-16", lambda body: body.decode().encode("utf-16")),
        ("xml", "is XML", lambda body: b"<Integration/>"),
        ("text", "is text", lambda body: b"OK"),
        ("invalid-utf-8", "is no UTF-8", lambda body: body.rstrip()[:-1] + b', "Extra": "\xe9"}'),
        ("prefix-against-hijacking", "has a prefix against hijacking", lambda body: b")]}',\n" + body),
    )
}
_OTHERS: dict[str, dict[str, Callable[[Document], Any]]] = {
    "response.body.type": {"array": lambda d: [d], "string": str, "null": lambda d: None},
    "response.DomainName.required response.Uri.required response.CreatedAt.required": {
        "wrapped": lambda d: {"Integration": d},
        "lambda-proxy": lambda d: {"statusCode": 200, "body": str(d)},
        "of-an-error": lambda _: {"__type": "ResourceNotFoundException", "Message": "Not found."},
        "empty-object": lambda d: {},
        "list-of-items": lambda d: {"Items": [d]},
    },
}
for _clauses, _changes in _OTHERS.items():
    THEME[_clauses] = {
        f"body-{name}: The body of a 200 is other JSON: {name}.": on_found(
            lambda a, other=other: a.with_document(other(a.document))
        )
        for name, other in _changes.items()
    }
THEME["response.content-type"] = {
    f"content-type-{name}: The Content-Type of a 200 is {value or 'missing'}.": on_found(
        lambda a, value=value: a.with_header("Content-Type", value)
    )
    for name, value in (
        ("html", "text/html"),
        ("text", "text/plain; charset=utf-8"),
        ("xml", "application/xml"),
        ("json-misspelt", "json"),
        ("missing", None),
    )
}
THEME["response.status"] = {
    **{
        f"status-{status}: An integration that exists is answered {status}, with the right body.": on_found(
            lambda a, status=status: a.with_status(status)
        )
        for status in (201, 202, 206, 302, 404, 500)
    },
    "status-204: An integration that exists is answered 204, without a body.": on_found(
        lambda a: a.with_status(204).with_body(b"")
    ),
}
