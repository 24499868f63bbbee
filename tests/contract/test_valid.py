"""Valid requests are understood, whatever lawful form they take, and answered by the contract."""

import json
import string
from dataclasses import replace

import pytest

from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import OK, Expectation, answer
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.faults import CLOSED
from getintegration_contract.state.state import State

from .callables import Ask

clauses = pytest.mark.clauses

#: More bytes than servers take from a connection at a time.
PACKETS = 600_000
#: Readings of one integration, so that an answer that is stale now and then shows.
READINGS = 12


@clauses("response.status", "response.echo.DomainName", "response.echo.Uri")
def test_existing(ask: Ask, state: State, check: Checker) -> None:
    check.ok(ask(), domain=state.domain, uri=state.uri)


@clauses("request.valid")
def test_sample_of_the_reference_page(ask: Ask, check: Checker) -> None:
    domain, uri = "ExampleDomainName", "arn:aws:flow:us-east-1:123456789012:URIOfIntegration1"
    check.valid(ask(domain, uri), "request.valid", domain=domain, uri=uri)


@pytest.mark.parametrize(
    ("name", "clause"),
    [
        pytest.param("a", "request.DomainName.minLength", id="one character"),
        pytest.param("-", "request.DomainName.minLength", id="one hyphen"),
        pytest.param("_", "request.DomainName.minLength", id="one underscore"),
        pytest.param("0", "request.DomainName.minLength", id="one digit"),
        pytest.param("x" * 63, "request.DomainName.maxLength", id="63 characters"),
        pytest.param("x" * 64, "request.DomainName.maxLength", id="64 characters"),
        pytest.param(string.ascii_letters, "request.DomainName.pattern", id="all letters"),
        pytest.param(string.digits + "_-", "request.DomainName.pattern", id="digits, underscore, hyphen"),
        pytest.param("--", "request.DomainName.pattern", id="two hyphens"),
        pytest.param("delete", "request.DomainName.pattern", id="a word of a path"),
        pytest.param("domains", "request.DomainName.pattern", id="another word of a path"),
        pytest.param("null", "request.DomainName.pattern", id="null as a name"),
    ],
)
def test_domain_name(ask: Ask, check: Checker, name: str, clause: str) -> None:
    check.valid(ask(name), clause, domain=name, uri=None)


@pytest.mark.parametrize(
    ("uri", "clause"),
    [
        pytest.param("u", "request.Uri.minLength", id="one character"),
        pytest.param("é", "request.Uri.minLength", id="one character of two bytes"),
        pytest.param("😀", "request.Uri.minLength", id="one character of two UTF-16 units"),
        pytest.param("u" * 254, "request.Uri.maxLength", id="254 characters"),
        pytest.param("u" * 255, "request.Uri.maxLength", id="255 characters"),
        pytest.param("é" * 255, "request.Uri.maxLength", id="255 characters, 510 bytes"),
        pytest.param("中" * 255, "request.Uri.maxLength", id="255 characters, 765 bytes"),
        pytest.param("😀" * 255, "request.Uri.maxLength", id="255 characters, 510 UTF-16 units"),
        pytest.param("s3://bucket/a b", "request.valid", id="space"),
        pytest.param(" leading and trailing ", "request.valid", id="spaces around"),
        pytest.param("   ", "request.valid", id="spaces alone"),
        pytest.param("100%25%2F%zz", "request.valid", id="percent signs"),
        pytest.param("//a//b/", "request.valid", id="slashes"),
        pytest.param("\\back\\slash", "request.valid", id="backslashes"),
        pytest.param('it\'s "quoted" `so`', "request.valid", id="quotes"),
        pytest.param("<script>&amp;</script>", "request.valid", id="markup"),
        pytest.param("'; DROP TABLE integrations; --", "request.valid", id="SQL"),
        pytest.param("../../etc/passwd", "request.valid", id="dots"),
        pytest.param("${jndi:x} {{7*7}} %s %n", "request.valid", id="templates"),
        pytest.param("emoji 😀 rtl \u202e zwj \u200d", "request.valid", id="emoji and controls of direction"),
        pytest.param("noncharacters \ufffe \uffff", "request.valid", id="noncharacters"),
        pytest.param("tab\tnewline\n", "request.valid", id="tab and newline"),
        pytest.param("?query=1&b=2#fragment", "request.valid", id="query and fragment"),
        pytest.param("null", "request.valid", id="the word null"),
        pytest.param("0", "request.valid", id="a digit"),
    ],
)
def test_uri(ask: Ask, state: State, check: Checker, uri: str, clause: str) -> None:
    check.valid(ask(uri=uri), clause, domain=state.domain, uri=uri)


@clauses("request.valid")
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "Application/JSON",
    ],
)
def test_content_type_parameters(ask: Ask, state: State, check: Checker, content_type: str) -> None:
    exchange = ask(headers={"Content-Type": content_type})
    check.ok(exchange, "request.valid", domain=state.domain, uri=state.uri)


@clauses("request.valid")
@pytest.mark.parametrize(
    ("name", "value"),
    [("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"), ("Range", "bytes=0-9")],
    ids=["If-Modified-Since", "Range"],
)
def test_headers_that_only_a_get_heeds(ask: Ask, state: State, check: Checker, name: str, value: str) -> None:
    # RFC 9110, sections 13.1.3 and 14.2.
    check.ok(ask(headers={name: value}), "request.valid", domain=state.domain, uri=state.uri)


def _escaped(character: str) -> str:
    """A character as JSON's escapes of UTF-16."""
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


@clauses("request.valid")
@pytest.mark.parametrize("form", ["escaped", "indented", "slashes escaped", "spaces around"])
def test_equivalent_json(ask: Ask, state: State, check: Checker, form: str) -> None:
    document = {"Uri": state.uri}
    body = {
        "escaped": '{"Uri": "' + "".join(map(_escaped, state.uri)) + '"}',
        "indented": json.dumps(document, indent=4, ensure_ascii=False),
        "slashes escaped": json.dumps(document).replace("/", "\\/"),
        "spaces around": f" \r\n\t{json.dumps(document)}\n ",
    }[form]
    check.ok(ask(body=body.encode()), "request.valid", domain=state.domain, uri=state.uri)


@clauses("request.valid")
def test_domain_name_percent_encoded(client: Client, caller: Identity, state: State, check: Checker) -> None:
    encoded = "".join(f"%{ord(character):02X}" for character in state.domain)
    request = replace(get_integration("x", state.uri), target=f"/domains/{encoded}/integrations")
    check.ok(client.send(request, caller), "request.valid", domain=state.domain, uri=state.uri)


@clauses("request.valid")
def test_body_larger_than_a_packet(ask: Ask, state: State, check: Checker) -> None:
    body = json.dumps({"Uri": state.uri}).encode() + b" " * PACKETS
    exchange = ask(body=body)
    if exchange.response.reason == CLOSED:  # as RFC 9110 allows: who is still sending misses the answer
        pytest.skip("the connection was closed while the body was on its way")
    lawful = (OK, answer(400), answer(413))  # whoever limits the size of a request may do so
    check.expect(exchange, Expectation("request.valid", lawful, shape="none"))


@clauses("request.unknown-members")
@pytest.mark.parametrize("member", ["Unknown", "DomainName", "__type", "uri"])
def test_unknown_member_is_ignored(ask: Ask, state: State, check: Checker, member: str) -> None:
    body = json.dumps({"Uri": state.uri, member: "GetIntegrationContract"}).encode()
    check.ok(ask(body=body), "request.unknown-members", domain=state.domain, uri=state.uri)


@clauses("state.read-only", "response.request-id.unique")
def test_reading_again_and_again(ask: Ask, state: State, check: Checker) -> None:
    exchanges = [ask() for _ in range(READINGS)]
    found = [check.ok(exchange, domain=state.domain, uri=state.uri) for exchange in exchanges]
    for exchange in exchanges[1:] if all(found) else ():
        check.same_answer("state.read-only", exchanges[0], exchange)
    check.unique("response.request-id.unique", "x-amzn-RequestId", exchanges)
