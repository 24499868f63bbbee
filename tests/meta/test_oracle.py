"""What is due for a request follows from the description alone, and is what scenarios expect of theirs."""

import json
from typing import Any

import pytest

from getintegration_contract.exchange import Request
from getintegration_contract.judging import oracle
from getintegration_contract.judging.judge import (
    CLIENT_ERROR,
    INVALID,
    NOT_FOUND,
    OK,
    UNREADABLE,
    Allowed,
    Expectation,
    answer,
)

from ..contract import test_ambiguous as ambiguous
from ..contract import test_malformed as malformed
from .support import CONTRACT

DOMAIN, URI = "My-Domain_1", "s3://bucket/caf\u00e9"


def due(segment: str, body: object = None, content_type: str | None = "application/json") -> Expectation:
    """What the oracle expects of a request; a body that is no bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps({"Uri": URI} if body is None else body).encode()
    headers = (("Content-Type", content_type),) if content_type else ()
    segment, _, query = segment.partition("?")
    target = f"/domains/{segment}/integrations" + (f"?{query}" if query else "")
    return oracle.expectation(CONTRACT, Request("POST", target, headers, raw), (DOMAIN, URI))


MAYBE, NO_MEDIA_TYPE = (OK, NOT_FOUND), (OK, NOT_FOUND, answer(400), answer(415))
ORACLE: dict[str, tuple[Expectation, str, tuple[Allowed, ...]]] = {
    "what exists": (due(f"{DOMAIN}?a=b"), "response.status", (OK,)),
    "its name encoded": (due(DOMAIN.replace("_", "%5F")), "response.status", (OK,)),
    "its charset named": (due(DOMAIN, None, "Application/JSON; charset=utf-8"), "response.status", (OK,)),
    "an unknown member": (due(DOMAIN, {"Uri": URI, "X": [0, -1.5e3]}), "request.valid", (OK, UNREADABLE)),
    "another, unknown member": (due("x", {"Uri": URI, "X": 1}), "request.valid", (*MAYBE, UNREADABLE)),
    "another domain": (due("other"), "request.valid", MAYBE),
    "another Uri": (due(DOMAIN, {"Uri": "s3://other"}), "request.valid", MAYBE),
    "a name too long": (due("x" * 65), "request.DomainName.maxLength", (INVALID,)),
    "a name with an accent": (due("caf%C3%A9"), "request.DomainName.pattern", (INVALID,)),
    "dots, encoded twice": (due("%252e%252e"), "request.DomainName.pattern", (INVALID,)),
    "a slash": (due("a/b"), "request.DomainName.pattern", (CLIENT_ERROR,)),
    "name and Uri broken": (due("a%20b", {"Uri": 1}), "request.DomainName.pattern", (UNREADABLE,)),
    "broken, in another domain": (due("x", b"{"), "request.json", (UNREADABLE, NOT_FOUND)),
    "Uri absent": (due(DOMAIN, {"uri": URI}), "request.Uri.required", (UNREADABLE,)),
    "no body": (due(DOMAIN, b""), "request.Uri.required", (UNREADABLE,)),
    "no content type": (due(DOMAIN, None, None), "request.content-type", NO_MEDIA_TYPE),
    "another content type": (due(DOMAIN, None, "text/plain"), "request.content-type", NO_MEDIA_TYPE),
}


@pytest.mark.parametrize(("expectation", "clause", "answers"), ORACLE.values(), ids=ORACLE.keys())
def test_oracle(expectation: Expectation, clause: str, answers: tuple[Allowed, ...]) -> None:
    assert (expectation.clause, expectation.answers) == (clause, answers)
    # A gateway may answer, in its own form, only what routing can see.
    assert (expectation.shape == "none") == (answers in ((CLIENT_ERROR,), NO_MEDIA_TYPE))


def test_oracle_asks_for_the_echo_of_what_was_asked() -> None:
    expectation = due("%41", {"Uri": "caf\u00e9"})
    assert (expectation.domain, expectation.uri) == ("A", "caf\u00e9")


def _vectors(scenario: Any) -> list[tuple[Any, str]]:
    """The malformed inputs of a scenario, each with the clause that it breaks."""
    (table,) = (mark.args[1] for mark in scenario.pytestmark if mark.name == "parametrize")
    return [row.values for row in table]


def test_oracle_judges_what_scenarios_send_as_they_do() -> None:
    for body, clause in _vectors(malformed.test_body):
        assert due(DOMAIN, body) == Expectation(clause, (UNREADABLE,)), body
    for uri, clause in _vectors(malformed.test_uri):
        lawful = UNREADABLE if clause.endswith((".type", ".required")) else INVALID
        assert due(DOMAIN, {"Uri": uri}) == Expectation(clause, (lawful,)), uri
    for segment, clause in _vectors(malformed.test_domain_name_that_routing_can_see):
        if "{" not in segment:
            assert due(segment) == Expectation(clause, (CLIENT_ERROR,), shape="none"), segment
    readable = {"an inherited name", "many members"}
    for kind in ambiguous.AMBIGUOUS.keys() - readable - {"UTF-16", "white space"}:
        body, *_ = ambiguous.AMBIGUOUS[kind](URI)
        assert due(DOMAIN, body) == Expectation("request.json.robust", (*MAYBE, CLIENT_ERROR)), kind
