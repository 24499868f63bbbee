"""Servers whose integrations have a member that is missing, of a wrong type, or outside its constraints."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from .kit import Theme, bind, drops, on_document, on_found, sets, timed
from .messages import Answer, Response
from .writes import Document

THEME = Theme("member")
_add = THEME.add

# --- Members that must be there -----------------------------------------------------------------------------

for _member in ("DomainName", "Uri", "CreatedAt", "LastUpdatedAt"):
    _clause = f"response.{_member}.required"
    _add(f"{_member}-missing", f"{_member} is missing.", _clause, on_document(drops(_member)))
    _add(f"{_member}-null", f"{_member} is null.", _clause, on_document(sets(_member, None)))
    _add(
        f"{_member}-renamed",
        f"{_member} begins with a small letter.",
        _clause,
        on_document(
            bind(
                _member,
                lambda member, document: {
                    (key[0].lower() + key[1:] if key == member else key): value
                    for key, value in document.items()
                },
            )
        ),
    )
_add(
    "all-in-camel-case",
    "All members begin with a small letter.",
    "response.DomainName.required response.Uri.required",
    on_document(lambda document: {key[0].lower() + key[1:]: value for key, value in document.items()}),
)


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
    for _name, _description, _change in _TIME_SHAPES:
        _add(
            f"{_member}-{_name}",
            f"{_member} is {_description}.",
            f"response.{_member}.type",
            on_document(timed(_change, _member)),
        )

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
    for _name, _value in _values:
        _add(
            f"{_member}-{_name}",
            f"{_member} is of a wrong JSON type: {_name}.",
            f"response.{_member}.type" + (" response.Scope.enum" if _member == "Scope" else ""),
            on_document(sets(_member, _value)),
        )

# --- Members outside their constraints ----------------------------------------------------------------------

_NAME_PATTERN = (
    ("a dot", "dot", "a.b"),
    ("a space", "space", "a b"),
    ("a letter with accent", "accent", "é"),
)
_TYPE_PATTERN = (
    ("a digit first", "digit-first", "1a"),
    ("a dot", "dot", "a.b"),
    ("a newline at the end", "newline", "Type\n"),
)


def _constraint(member: str, name: str, description: str, clauses: str, value: Any) -> None:
    ids = " ".join(f"response.{clause}" for clause in clauses.split())
    _add(f"{member}-{name}", description, ids, on_document(sets(member, value)))


_TOO_LONG: dict[str, Any] = {
    "DomainName": "d" * 65,
    "Uri": lambda d: (d["Uri"] * 256)[:256],
    "ObjectTypeName": "t" * 256,
    "RoleArn": "arn:aws:iam::123456789012:role/".ljust(513, "r"),
    "WorkflowId": "w" * 256,
}
_LONGEST = {"DomainName": 64, "RoleArn": 512}


def _lengths(member: str, clauses: str = "") -> None:
    """The member empty, unless its pattern alone forbids that, and too long."""
    if member != "RoleArn":
        _constraint(member, "empty", f"{member} is empty.", f"{member}.minLength {clauses}", "")
    longest = _LONGEST.get(member, 255)
    text = f"{member} has {longest + 1} code points."
    _constraint(member, "too-long", text, f"{member}.maxLength", _TOO_LONG[member])


_lengths("DomainName", "DomainName.pattern")
for _description, _name, _value in _NAME_PATTERN:
    _constraint(
        "DomainName", _name, f"DomainName has {_description}.", "DomainName.pattern echo.DomainName", _value
    )
_constraint(
    "DomainName",
    "newline",
    "DomainName ends with a newline.",
    "DomainName.pattern",
    lambda d: d["DomainName"] + "\n",
)
_lengths("Uri")
_ITEMS, _VALUES = "EventTriggerNames", "ObjectTypeNames"
_constraint(_ITEMS, "two", "EventTriggerNames has two.", f"{_ITEMS}.maxItems", ["a", "b"])
for _name, _value, _clause in (
    ("item-null", None, "type"),
    ("item-number", 1, "type"),
    ("item-object", {"Name": "a"}, "type"),
    ("item-empty", "", "minLength"),
    ("item-too-long", "t" * 65, "maxLength"),
    ("item-pattern", "a b", "pattern"),
):
    _text = f"The item of {_ITEMS} breaks its {_clause}."
    _constraint(_ITEMS, _name, _text, f"{_ITEMS}.items.{_clause}", [_value])
_lengths("ObjectTypeName")
for _description, _name, _value in _TYPE_PATTERN:
    _text = f"ObjectTypeName has {_description}."
    _constraint("ObjectTypeName", _name, _text, "ObjectTypeName.pattern", _value)
    _text = f"A value of {_VALUES} has {_description}."
    _constraint(_VALUES, f"value-{_name}", _text, f"{_VALUES}.values.pattern", {"SegmentIdentify": _value})
for _name, _value, _clause in (
    ("value-null", {"SegmentIdentify": None}, "values.type"),
    ("value-number", {"SegmentIdentify": 1}, "values.type"),
    ("value-empty", {"SegmentIdentify": ""}, "values.minLength"),
    ("value-too-long", {"SegmentIdentify": "t" * 256}, "values.maxLength"),
    ("key-empty", {"": "Type"}, "keys.minLength"),
    ("key-too-long", {"k" * 256: "Type"}, "keys.maxLength"),
):
    _text = f"{_VALUES} breaks the constraint {_clause}."
    _constraint(_VALUES, _name, _text, f"{_VALUES}.{_clause}", _value)
for _name, _value in (
    ("other-service", "arn:aws:s3:::bucket"),
    ("without-account", "arn:aws:iam:::role/r"),
    ("empty", ""),
    ("other-partition", "arn:azure:iam::123456789012:role/r"),
):
    _constraint("RoleArn", _name, f"RoleArn breaks its pattern: {_name}.", "RoleArn.pattern", _value)
_lengths("RoleArn")
for _value in ("domain", "", "ACCOUNT"):
    _constraint("Scope", f"enum-{_value or 'empty'}", f"Scope is {_value!r}.", "Scope.enum", _value)
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
    _constraint("Tags", _name, f"Tags breaks the constraint {_clause}.", f"Tags.{_clause}", _value)
_lengths("WorkflowId")

# --- Times --------------------------------------------------------------------------------------------------

for _name, _description, _change in (
    ("milliseconds", "milliseconds", lambda t: t * 1000),
    ("whole-milliseconds", "whole milliseconds", lambda t: int(t * 1000)),
    ("microseconds", "microseconds", lambda t: int(t * 1_000_000)),
):
    _add(
        f"times-{_name}",
        f"Both times are in {_description}.",
        "response.timestamps.unit",
        on_document(timed(_change)),
    )
for _member in ("CreatedAt", "LastUpdatedAt"):
    _add(
        f"{_member}-milliseconds",
        f"{_member} alone is in milliseconds.",
        "response.timestamps.unit",
        on_document(timed(lambda t: t * 1000, _member)),
    )
_add(
    "times-before-the-year-1",
    "CreatedAt counts from a calendar's beginning that no clock knows.",
    "response.timestamps.unit",
    on_document(timed(lambda t: t - 1e15, "CreatedAt")),
)
_add(
    "times-of-a-zero-date",
    "Both times are those of the date 0000-00-00.",
    "response.timestamps.unit",
    on_document(timed(lambda t: -62_169_984_000)),
)
for _name, _description, _change in (
    ("a-second", "a second", lambda d: d["LastUpdatedAt"] + 1),
    ("a-day", "a day", lambda d: d["LastUpdatedAt"] + 86400),
):
    _add(
        f"created-{_name}-after-updated",
        f"CreatedAt is {_description} after LastUpdatedAt.",
        "response.timestamps.order",
        on_document(sets("CreatedAt", _change)),
    )
_add(
    "updated-zero",
    "LastUpdatedAt is 0 for an integration that was never updated.",
    "response.timestamps.order state.time",
    on_document(sets("LastUpdatedAt", 0)),
)
for _name, _description, _offset in (
    ("an-hour-ahead", "an hour ahead", 3600),
    ("two-hours-behind", "two hours behind: local time taken for UTC", -7200),
    ("ten-minutes-ahead", "ten minutes ahead", 600),
    ("at-epoch", "those of 1970", -1_700_000_000),
):
    _add(
        f"times-{_name}",
        f"Both times are {_description}.",
        "state.time",
        on_document(timed(bind(_offset, lambda offset, t: t + offset))),
    )

# --- The body as a whole ------------------------------------------------------------------------------------


def _body(change: Callable[[Response], Answer], name: str, description: str, clauses: str) -> None:
    _add(f"body-{name}", description, clauses, on_found(change))


_JSON = "response.body.json"
for _name, _description, _edit in (
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
):
    _body(
        bind(_edit, lambda edit, answer: answer.with_body(edit(answer.content))),
        _name,
        f"The body of a 200 {_description}.",
        _JSON,
    )
_LACKS = "response.DomainName.required response.Uri.required response.CreatedAt.required"
_OTHERS: tuple[tuple[str, str, Callable[[Document], Any]], ...] = (
    ("array", "response.body.type", lambda document: [document]),
    ("string", "response.body.type", str),
    ("null", "response.body.type", lambda document: None),
    ("wrapped", _LACKS, lambda document: {"Integration": document}),
    ("lambda-proxy", _LACKS, lambda document: {"statusCode": 200, "body": str(document)}),
    ("of-an-error", _LACKS, lambda _: {"__type": "ResourceNotFoundException", "Message": "Not found."}),
    ("empty-object", _LACKS, lambda document: {}),
    ("list-of-items", _LACKS, lambda document: {"Items": [document]}),
)
for _name, _clauses, _other in _OTHERS:
    _body(
        bind(_other, lambda other, answer: answer.with_document(other(answer.document))),
        _name,
        f"The body of a 200 is other JSON: {_name}.",
        _clauses,
    )
for _name, _value in (
    ("html", "text/html"),
    ("text", "text/plain; charset=utf-8"),
    ("xml", "application/xml"),
    ("json-misspelt", "json"),
    ("missing", None),
):
    _add(
        f"content-type-{_name}",
        f"The Content-Type of a 200 is {_value or 'missing'}.",
        "response.content-type",
        on_found(bind(_value, lambda value, answer: answer.with_header("Content-Type", value))),
    )
for _status in (201, 202, 206, 302, 404, 500):
    _add(
        f"status-{_status}",
        f"An integration that exists is answered {_status}, with the right body.",
        "response.status",
        on_found(bind(_status, lambda status, answer: answer.with_status(status))),
    )
_add(
    "status-204",
    "An integration that exists is answered 204, without a body.",
    "response.status",
    on_found(lambda answer: answer.with_status(204).with_body(b"")),
)
