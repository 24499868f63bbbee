"""JSON that parsers read in different ways: whichever reading a server takes, it answers for that one."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from getintegration_contract.judging.checker import Checker
from getintegration_contract.state.state import State

from .callables import Ask

clauses = pytest.mark.clauses

#: Members that nobody knows.
MANY = {f"Member{number}": number for number in range(100)}


def _document(uri: str, members: str = "") -> str:
    """A body that asks for a Uri, with further members as they stand."""
    return json.dumps({"Uri": uri}, ensure_ascii=False)[:-1] + members + "}"


#: Bodies that parsers read in different ways, each with what it may ask for, made of the existing Uri.
AMBIGUOUS: dict[str, Callable[[str], tuple[Any, ...]]] = {
    "duplicate keys": lambda uri: (_document(uri, ', "Uri": "s3://b"').encode(), uri, "s3://b"),
    "byte order mark": lambda uri: (b"\xef\xbb\xbf" + _document(uri).encode(), uri),
    "UTF-16": lambda uri: (_document(uri).encode("utf-16"), uri),
    "lone surrogate": lambda uri: (
        _document(f"{uri}#").replace("#", "\\ud800").encode(),
        f"{uri}\ufffd",
        f"{uri}\ud800",
    ),
    "escaped NUL": lambda uri: (_document(f"{uri}#").replace("#", "\\u0000").encode(), f"{uri}\0"),
    "an inherited name": lambda uri: (_document(uri, ', "__proto__": {"Uri": "s3://b"}').encode(), uri),
    "many members": lambda uri: (json.dumps({"Uri": uri, **MANY}).encode(), uri),
    "white space": lambda uri: (b" ",),
    "huge number": lambda uri: (_document(uri, f', "n": {"9" * 5000}').encode(), uri),
    "huge exponent": lambda uri: (_document(uri, ', "n": 1e999').encode(), uri),
    "huger exponent": lambda uri: (_document(uri, ', "n": 1e99999999999').encode(), uri),
    "deep arrays": lambda uri: (_document(uri, f', "n": {"[" * 50_000}{"]" * 50_000}').encode(), uri),
    "deep objects": lambda uri: (b'{"a":' * 20_000 + b"1" + b"}" * 20_000,),
}


@clauses("request.json.robust")
@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_json_that_parsers_read_differently(ask: Ask, state: State, check: Checker, kind: str) -> None:
    body, *readings = AMBIGUOUS[kind](state.uri)
    check.one_of_readings(ask(body=body), "request.json.robust", readings)
