"""Every constraint broken from both sides; every way in which JSON, paths and methods can be wrong."""

import json
from dataclasses import replace
from urllib.parse import quote

import pytest

from getintegration_contract.exchange import Exchange
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import (
    CLIENT_ERROR,
    INVALID,
    OK,
    UNREADABLE,
    Expectation,
    answer,
)
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.faults import CLOSED
from getintegration_contract.state.state import UNKNOWN_DOMAIN, State

from .callables import Ask

clauses = pytest.mark.clauses


@clauses("request.DomainName.maxLength")
@pytest.mark.parametrize("length", [65, 128, 256, 1000])
def test_domain_name_too_long(ask: Ask, check: Checker, length: int) -> None:
    _invalid_or_too_large(check, ask("x" * length), "request.DomainName.maxLength", 414)


def _invalid_or_too_large(check: Checker, exchange: Exchange, clause: str, too_large: int) -> None:
    """Rejected as invalid, or by whoever limits the size of a request before the service sees it."""
    if exchange.response.status == too_large:
        check.expect(exchange, Expectation(clause, (answer(too_large),), shape="none"))
    else:
        check.invalid(exchange, clause)


@clauses("request.DomainName.pattern")
@pytest.mark.parametrize("character", [*" !\"#$%&'()*+,.:;<=>?@[]^`{|}~"])
def test_domain_name_with_forbidden_character(ask: Ask, check: Checker, character: str) -> None:
    check.invalid(ask(f"Contract{character}Name"), "request.DomainName.pattern")


@clauses("request.DomainName.pattern")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("Name\n", id="newline at the end"),
        pytest.param("\nName", id="newline at the start"),
        pytest.param("Name\r\n", id="CRLF at the end"),
        pytest.param("Na\tme", id="tab"),
        pytest.param(" Name", id="space at the start"),
        pytest.param("Name ", id="space at the end"),
        pytest.param("é", id="letter with accent"),
        pytest.param("Ａ", id="fullwidth letter"),
        pytest.param("\u212a", id="Kelvin sign, which is k in lower case"),
        pytest.param("\u017f", id="long s, which is S in upper case"),
        pytest.param("٣", id="digit of another script"),
        pytest.param("中文", id="letters of another script"),
        pytest.param("😀", id="emoji"),
        pytest.param("Na\u200dme", id="zero-width joiner"),
        pytest.param("...", id="three dots"),
        pytest.param("a.b", id="a dot"),
        pytest.param("%2e%2e", id="dots encoded twice"),
        pytest.param("N%61me", id="letter encoded twice"),
    ],
)
def test_domain_name_outside_the_pattern(ask: Ask, check: Checker, name: str) -> None:
    check.invalid(ask(name), "request.DomainName.pattern")


@pytest.mark.parametrize(
    ("segment", "clause"),
    [
        pytest.param("", "request.DomainName.minLength", id="empty"),
        pytest.param(".", "request.DomainName.pattern", id="one dot"),
        pytest.param("..", "request.DomainName.pattern", id="two dots"),
        pytest.param("%2E", "request.DomainName.pattern", id="one encoded dot"),
        pytest.param("%2E%2E", "request.DomainName.pattern", id="two encoded dots"),
        pytest.param("a%2Fb", "request.DomainName.pattern", id="encoded slash"),
        pytest.param("a%5Cb", "request.DomainName.pattern", id="encoded backslash"),
        pytest.param("{0}%00", "request.DomainName.pattern", id="NUL at the end"),
        pytest.param("%FF%FE", "request.DomainName.pattern", id="not UTF-8"),
        pytest.param("a%zz", "request.DomainName.pattern", id="broken percent-encoding"),
        pytest.param("{0};a=b", "request.DomainName.pattern", id="matrix parameter"),
    ],
)
def test_domain_name_that_routing_can_see(
    client: Client, caller: Identity, state: State, check: Checker, segment: str, clause: str
) -> None:
    segment = segment.format(state.domain)
    request = replace(get_integration("x", state.uri), target=f"/domains/{segment}/integrations")
    # Whoever routes may answer, in whatever form.
    check.expect(client.send(request, caller), Expectation(clause, (CLIENT_ERROR,), shape="none"))


@pytest.mark.parametrize(
    ("value", "clause"),
    [
        pytest.param("", "request.Uri.minLength", id="empty"),
        pytest.param("u" * 256, "request.Uri.maxLength", id="256 characters"),
        pytest.param("u" * 257, "request.Uri.maxLength", id="257 characters"),
        pytest.param("é" * 256, "request.Uri.maxLength", id="256 characters, 512 bytes"),
        pytest.param("😀" * 256, "request.Uri.maxLength", id="256 emoji"),
        pytest.param("e\u0301" * 128, "request.Uri.maxLength", id="256 characters, 128 of them accents"),
        pytest.param("u" * 511, "request.Uri.maxLength", id="511 characters"),
        pytest.param(" " * 256, "request.Uri.maxLength", id="256 spaces"),
        pytest.param(None, "request.Uri.required", id="null"),
        pytest.param(0, "request.Uri.type", id="zero"),
        pytest.param(1.5, "request.Uri.type", id="a fraction"),
        pytest.param(True, "request.Uri.type", id="true"),
        pytest.param(False, "request.Uri.type", id="false"),
        pytest.param([], "request.Uri.type", id="an empty array"),
        pytest.param(["s3://bucket"], "request.Uri.type", id="an array of a Uri"),
        pytest.param({}, "request.Uri.type", id="an empty object"),
        pytest.param({"Uri": "s3://bucket"}, "request.Uri.type", id="an object of a Uri"),
    ],
)
def test_uri(ask: Ask, check: Checker, value: object, clause: str) -> None:
    deserialized = clause.endswith((".type", ".required"))
    check.invalid(ask(uri=value), clause, UNREADABLE if deserialized else INVALID)


@clauses("request.Uri.maxLength")
def test_uri_far_too_long(ask: Ask, check: Checker) -> None:
    _invalid_or_too_large(check, ask(uri="u" * 100_000), "request.Uri.maxLength", 413)


@clauses("request.Uri.type")
def test_uri_in_an_array(ask: Ask, state: State, check: Checker) -> None:
    check.invalid(ask(uri=[state.uri]), "request.Uri.type", UNREADABLE)


@clauses("request.body.type")
def test_object_in_a_string(ask: Ask, state: State, check: Checker) -> None:
    body = json.dumps(json.dumps({"Uri": state.uri})).encode()
    check.invalid(ask(body=body), "request.body.type", UNREADABLE)


@clauses("request.Uri.required")
@pytest.mark.parametrize(
    "body", [b"{}", b"", b'{"Other": "s3://bucket"}'], ids=["{}", "no body", "another member"]
)
def test_uri_absent(ask: Ask, check: Checker, body: bytes) -> None:
    check.invalid(ask(body=body), "request.Uri.required", UNREADABLE)


@clauses("request.uri-in-body")
@pytest.mark.parametrize("key", ["uri", "URI", "uRI", " Uri", "Uri ", "Uri\x00", "IntegrationUri"])
def test_uri_under_another_name(ask: Ask, state: State, check: Checker, key: str) -> None:
    check.invalid(ask(body=json.dumps({key: state.uri}).encode()), "request.uri-in-body", UNREADABLE)


@clauses("request.uri-in-body")
@pytest.mark.parametrize("wrapper", ["GetIntegrationRequest", "Integration", "input", "body", ""])
def test_uri_in_a_wrapper(ask: Ask, state: State, check: Checker, wrapper: str) -> None:
    body = json.dumps({wrapper: {"Uri": state.uri}}).encode()
    check.invalid(ask(body=body), "request.uri-in-body", UNREADABLE)


@clauses("request.body.type")
def test_object_as_pairs(ask: Ask, state: State, check: Checker) -> None:
    body = json.dumps([["Uri", state.uri]]).encode()
    check.invalid(ask(body=body), "request.body.type", UNREADABLE)


@clauses("request.uri-in-body")
@pytest.mark.parametrize("place", ["query", "header", "form"])
def test_uri_outside_the_body(
    client: Client, caller: Identity, state: State, check: Checker, place: str
) -> None:
    request = get_integration(state.domain, body=b"{}")
    if place == "query":
        request = replace(request, target=f"{request.target}?Uri=contract")
    elif place == "header":
        request = request.with_headers(Uri="contract")
    else:
        request = replace(request, body=b"Uri=contract")
    check.invalid(client.send(request, caller), "request.uri-in-body", UNREADABLE)


@clauses("request.uri-in-body")
def test_uri_in_a_form(ask: Ask, state: State, check: Checker) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    exchange = ask(body=f"Uri={quote(state.uri, safe='')}".encode(), headers=form)
    check.expect(exchange, Expectation("request.uri-in-body", (UNREADABLE, answer(415)), shape="none"))


@clauses("request.domain-in-path")
@pytest.mark.parametrize("name", ["DomainName", "domainName", "domain_name", "Domain"])
@pytest.mark.parametrize("place", ["body", "query"])
def test_domain_outside_the_path(
    client: Client, caller: Identity, state: State, check: Checker, place: str, name: str
) -> None:
    request = get_integration(state.domain, state.uri)
    if place == "body":
        request = replace(request, body=json.dumps({"Uri": state.uri, name: UNKNOWN_DOMAIN}).encode())
    else:
        request = replace(request, target=f"{request.target}?{name}={UNKNOWN_DOMAIN}")
    # That unknown members are ignored is only observed.
    lawful = Expectation("request.domain-in-path", (OK, UNREADABLE), state.domain, state.uri)
    check.expect(client.send(request, caller), lawful)


def _wrong_type(identifier: str, body: bytes) -> object:
    return pytest.param(body, "request.body.type", id=identifier)


def _unreadable(identifier: str, body: bytes) -> object:
    return pytest.param(body, "request.json", id=identifier)


@pytest.mark.parametrize(
    ("body", "clause"),
    [
        _wrong_type("array", b'[{"Uri": "s3://bucket"}]'),
        _wrong_type("empty array", b"[]"),
        _wrong_type("string", b'"s3://bucket"'),
        _wrong_type("number", b"1"),
        _wrong_type("true", b"true"),
        _wrong_type("null", b"null"),
        _unreadable("truncated", b'{"Uri": "s3://bucket"'),
        _unreadable("truncated in a string", b'{"Uri": "s3://buc'),
        _unreadable("trailing comma", b'{"Uri": "s3://bucket",}'),
        _unreadable("comment", b'{"Uri": "s3://bucket" /* comment */}'),
        _unreadable("line comment", b'{"Uri": "s3://bucket"} // comment'),
        _unreadable("line comment inside", b'{\n "Uri": "s3://bucket" // the Uri\n}'),
        _unreadable("form feed inside", b'{"Uri" :\f"s3://bucket"}'),
        _unreadable("vertical tab inside", b'{"Uri":\v"s3://bucket"}'),
        _unreadable("no-break space inside", '{"Uri":\u00a0"s3://bucket"}'.encode()),
        _unreadable("garbage before it", b'abc{"Uri": "s3://bucket"}'),
        _unreadable("garbage right behind it", b'{"Uri": "s3://bucket"}abc'),
        _unreadable("brackets that do not match", b"{["),
        _unreadable("single quotes", b"{'Uri': 's3://bucket'}"),
        _unreadable("unquoted key", b'{Uri: "s3://bucket"}'),
        _unreadable("no colon", b'{"Uri" "s3://bucket"}'),
        _unreadable("NaN", b'{"Uri": NaN}'),
        _unreadable("NaN in an unknown member", b'{"Uri": "s3://bucket", "Other": NaN}'),
        _unreadable("Infinity in an unknown member", b'{"Uri": "s3://bucket", "Other": -Infinity}'),
        _unreadable("leading zero", b'{"Uri": "s3://bucket", "Other": 01}'),
        _unreadable("newline in a string", b'{"Uri": "s3://\nbucket"}'),
        _unreadable("bad escape", b'{"Uri": "s3://\\xbucket"}'),
        _unreadable("not UTF-8", b'{"Uri": "s3://\xff\xfe"}'),
        _unreadable("Latin-1", '{"Uri": "s3://é"}'.encode("latin-1")),
        _unreadable("trailing garbage", b'{"Uri": "s3://bucket"} garbage'),
        _unreadable("two documents", b'{"Uri": "s3://bucket"}{"Uri": "s3://bucket"}'),
        _unreadable("an extra bracket", b'{"Uri": "s3://bucket"}}'),
        _unreadable("XML", b"<Uri>s3://bucket</Uri>"),
        _unreadable("one bracket", b"{"),
        _unreadable("NUL", b"\x00"),
        _unreadable("NUL after it", b'{"Uri": "s3://bucket"}\x00'),
        _unreadable("form feed before it", b'\f{"Uri": "s3://bucket"}'),
        _unreadable("no-break space before it", '\u00a0{"Uri": "s3://bucket"}'.encode()),
    ],
)
def test_body(ask: Ask, check: Checker, body: bytes, clause: str) -> None:
    check.invalid(ask(body=body), clause, UNREADABLE)


@clauses("request.accept")
@pytest.mark.parametrize("accept", ["application/json", "application/*", "*/*", "text/html, */*"])
def test_accept(ask: Ask, state: State, check: Checker, accept: str) -> None:
    check.ok(ask(headers={"Accept": accept}), "request.accept", domain=state.domain, uri=state.uri)


@clauses("request.accept.other")
@pytest.mark.parametrize("accept", ["application/hal+json", "text/html", "image/*"])
def test_accept_of_something_else(ask: Ask, check: Checker, accept: str) -> None:
    exchange = ask(headers={"Accept": accept})
    check.expect(exchange, Expectation("request.accept.other", (OK, answer(406)), shape="none"))


@clauses("request.large-body")
def test_large_body(ask: Ask, check: Checker) -> None:
    exchange = ask(uri="u" * 3_000_000)
    if exchange.response.reason == CLOSED:  # as RFC 9110 allows: who is still sending misses the answer
        pytest.skip("the connection was closed while the body was on its way")
    check.expect(exchange, Expectation("request.large-body", (CLIENT_ERROR,), shape="none"))


@clauses("request.content-type")
@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "application/x-amz-json-1.1",
        "json",
        None,
    ],
)
def test_content_type(ask: Ask, state: State, check: Checker, content_type: str | None) -> None:
    exchange = ask(headers={"Content-Type": content_type})
    lawful = (OK, answer(400), answer(415))
    check.expect(exchange, Expectation("request.content-type", lawful, shape="none"))


@clauses("routing.method", "routing.method.form")
def test_wrong_method(client: Client, caller: Identity, state: State, check: Checker) -> None:
    # GET, PUT and DELETE are other operations here or beside it, and PUT and DELETE write.
    request = replace(get_integration(state.domain, state.uri), method="PATCH")
    check.no_route(client.send(request, caller), "routing.method")


@clauses("routing.path", "routing.path.form")
@pytest.mark.parametrize(
    "path",
    [
        "/domain/{0}/integrations",
        "/domains/{0}/integration",
        "/domains/{0}/integrations/unknown",
        "/v1/domains/{0}/integrations",
        "/domains/{0}/Integrations",
        "/DOMAINS/{0}/integrations",
        "/domains/{0}/integrations.json",
        "/domains/{0}/integrationsX",
    ],
)
def test_wrong_path(client: Client, caller: Identity, state: State, check: Checker, path: str) -> None:
    request = replace(get_integration(state.domain, state.uri), target=path.format(state.domain))
    check.no_route(client.send(request, caller), "routing.path")
