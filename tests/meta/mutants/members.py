"""Servers whose integrations have a member that is missing, of a wrong type, or outside its constraints."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from .kit import Theme, drops, headed, on_document, on_found, sets, timed
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

# --- Times of a wrong type ----------------------------------------------------------------------------------


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

# --- Members of a wrong type, or outside their constraints --------------------------------------------------

_ROLE = "arn:aws:iam::123456789012:role/"
#: Of each member, values that break a clause (and those that are named behind it), by the names of mutants.
_WRONG: dict[str, dict[str, dict[str, Any]]] = {
    "DomainName": {
        "type": {"number": 1, "array": lambda d: [d["DomainName"]]},
        "minLength response.DomainName.pattern": {"empty": ""},
        "maxLength": {"too-long": "d" * 65},
        "pattern response.echo.DomainName": {"dot": "a.b", "space": "a b", "accent": "é"},
        "pattern": {"newline": lambda d: d["DomainName"] + "\n"},
    },
    "Uri": {
        "type": {"number": 1, "object": lambda d: {"Uri": d["Uri"]}},
        "minLength": {"empty": ""},
        "maxLength": {"too-long": lambda d: (d["Uri"] * 256)[:256]},
    },
    "EventTriggerNames": {
        "type": {"string": "Trigger", "object": {"Name": "Trigger"}},
        "maxItems": {"two": ["a", "b"]},
        "items.type": {"item-null": [None], "item-number": [1], "item-object": [{"Name": "a"}]},
        "items.minLength": {"item-empty": [""]},
        "items.maxLength": {"item-too-long": ["t" * 65]},
        "items.pattern": {"item-pattern": ["a b"]},
    },
    "IsUnstructured": {"type": {"string": "false", "number": 0}},
    "ObjectTypeName": {
        "type": {"array": ["Type"], "boolean": False},
        "minLength": {"empty": ""},
        "maxLength": {"too-long": "t" * 256},
        "pattern": {"digit-first": "1a", "dot": "a.b", "newline": "Type\n"},
    },
    "ObjectTypeNames": {
        "type": {"array": ["Type"], "string": "{}"},
        "values.type": {"value-null": {"SegmentIdentify": None}, "value-number": {"SegmentIdentify": 1}},
        "values.minLength": {"value-empty": {"SegmentIdentify": ""}},
        "values.maxLength": {"value-too-long": {"SegmentIdentify": "t" * 256}},
        "values.pattern": {
            f"value-{name}": {"SegmentIdentify": value}
            for name, value in (("digit-first", "1a"), ("dot", "a.b"), ("newline", "Type\n"))
        },
        "keys.minLength": {"key-empty": {"": "Type"}},
        "keys.maxLength": {"key-too-long": {"k" * 256: "Type"}},
    },
    "RoleArn": {
        "type": {"object": {"Arn": "arn:aws:iam::1:role/r"}, "array": []},
        "maxLength": {"too-long": _ROLE.ljust(513, "r")},
        "pattern": {
            "other-service": "arn:aws:s3:::bucket",
            "without-account": "arn:aws:iam:::role/r",
            "empty": "",
            "other-partition": "arn:azure:iam::123456789012:role/r",
        },
    },
    "Scope": {
        "type response.Scope.enum": {"number": 1, "array": ["DOMAIN"]},
        "enum": {"enum-domain": "domain", "enum-empty": "", "enum-ACCOUNT": "ACCOUNT"},
    },
    "Tags": {
        "type": {"array": [], "pairs": [{"Key": "a", "Value": "b"}]},
        "maxProperties": {"51": {f"k{index:02}": "v" for index in range(51)}},
        "keys.minLength": {"key-empty": {"": "v"}},
        "keys.maxLength": {"key-too-long": {"k" * 129: "v"}},
        "keys.pattern": {"key-aws": {"aws:cloudformation:stack-name": "s"}, "key-space": {"a b": "v"}},
        "values.type": {"value-null": {"a": None}, "value-number": {"a": 1}},
        "values.maxLength": {"value-too-long": {"a": "v" * 257}},
    },
    "WorkflowId": {
        "type": {"number": 1, "object": {"Id": "w"}},
        "minLength": {"empty": ""},
        "maxLength": {"too-long": "w" * 256},
    },
}
for _member, _clauses in _WRONG.items():
    for _clause, _values in _clauses.items():
        THEME[f"response.{_member}.{_clause}"] = {
            f"{_member}-{name}: It breaks {_clause}.": on_document(sets(_member, value))
            for name, value in _values.items()
        }

# --- Times --------------------------------------------------------------------------------------------------

THEME["response.timestamps.unit"] = {
    f"{name}: {description}.": on_document(timed(change, *members))
    for name, description, change, *members in (
        ("times-milliseconds", "Both times are in milliseconds", lambda t: t * 1000),
        ("times-whole-milliseconds", "Both are in whole milliseconds", lambda t: int(t * 1000)),
        ("times-microseconds", "Both times are in microseconds", lambda t: int(t * 1_000_000)),
        ("CreatedAt-milliseconds", "This alone is in milliseconds", lambda t: t * 1000, "CreatedAt"),
        ("LastUpdatedAt-milliseconds", "This alone is in milliseconds", lambda t: t * 1000, "LastUpdatedAt"),
        ("times-before-the-year-1", "CreatedAt is before any clock's", lambda t: t - 1e15, "CreatedAt"),
        ("times-of-a-zero-date", "Both are those of the date 0000-00-00", lambda t: -62_169_984_000),
    )
}
THEME["response.timestamps.order"] = {
    f"created-a-{name}-after-updated: CreatedAt is a {name} after LastUpdatedAt.": on_document(
        sets("CreatedAt", lambda d, seconds=seconds: d["LastUpdatedAt"] + seconds)
    )
    for name, seconds in (("second", 1), ("day", 86400))
}
THEME["response.timestamps.order state.time"] = {
    "updated-zero: LastUpdatedAt is 0 before any update.": on_document(sets("LastUpdatedAt", 0))
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
    f"body-{name}: The body {description}.": on_found(lambda a, edit=edit: a.with_body(edit(a.content)))
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
        f"body-{name}: It is other JSON.": on_found(lambda a, other=other: a.with_document(other(a.document)))
        for name, other in _changes.items()
    }
THEME["response.content-type"] = {
    f"content-type-{name}: It is {value or 'missing'}.": on_found(headed("Content-Type", value))
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
    "status-204: It is answered 204, without a body.": on_found(lambda a: a.with_status(204).with_body(b"")),
}
