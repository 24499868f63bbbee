"""Reading the input, by the rules of the reference page."""

import json
import re
from typing import Any, NoReturn

from .faults import bad

Json = dict[str, Any]
NAME = re.compile(r"[a-zA-Z0-9_-]+")
OBJECT_TYPE = re.compile(r"[a-zA-Z_][a-zA-Z_0-9-]*")
ROLE_ARN = re.compile(r"arn:aws:iam:.*:[0-9]+:.*")
TAG_KEY = re.compile(r"(?!aws:)[a-zA-Z+-=._:/]+")  # "+-=" is a range, as the page has it
SURROGATE = re.compile(r"[\ud800-\udfff]")


def no_constant(literal: str) -> NoReturn:
    raise ValueError(f"{literal} is not JSON")


def parse(body: bytes) -> Json:
    def number(digits: str) -> float:  # int() refuses thousands of digits, JSON does not
        return int(digits) if len(digits) < 1000 else float(digits)

    try:
        value = json.loads(body.decode("utf-8"), parse_constant=no_constant, parse_int=number)
    except (ValueError, RecursionError):
        bad("the body is not readable as JSON")
    if not isinstance(value, dict):
        bad("the body must be a JSON object")
    return value


def check(name: str, value: object, high: int, pattern: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or SURROGATE.search(value):
        bad(f"{name} must be a string")
    if len(value) > high:
        bad(f"{name} must not be longer than {high}")
    if pattern and not pattern.fullmatch(value):
        bad(f"{name} must match {pattern.pattern}")
    return value


def uri_of(body: Json) -> str:
    if body.get("Uri") is None:
        bad("Uri is required")
    return check("Uri", body["Uri"], 255) or bad("Uri must not be empty")


def map_of(body: Json, member: str, keys: re.Pattern[str] | None, key_high: int, high: int) -> dict[str, str]:
    value = {} if body.get(member) is None else body[member]
    if not isinstance(value, dict):
        bad(f"{member} must be an object")
    for key, item in value.items():
        check(f"a key of {member}", key, key_high, keys) or bad(f"{member} has an empty key")
        check(f"{member}.{key}", item, high, OBJECT_TYPE if member != "Tags" else None)
    return value


def tags_of(body: Json) -> dict[str, str]:
    tags = map_of(body, "Tags", TAG_KEY, 128, 256)
    return tags if len(tags) <= 50 else bad("Tags may have 50 entries")
