"""What does not exist is not found, however near it comes to what does."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote, unquote

import pytest

from getintegration_contract.checker import Checker
from getintegration_contract.client import Client
from getintegration_contract.identity import Identity
from getintegration_contract.judge import parse
from getintegration_contract.state import State, list_integrations

clauses = pytest.mark.clauses


@clauses("missing.domain")
@pytest.mark.parametrize("name", ["GetIntegrationContract-Unknown", "unknown", "0"])
def test_unknown_domain(ask, check: Checker, name: str):
    check.not_found(ask(name), "missing.domain")


@clauses("missing.integration")
@pytest.mark.parametrize("uri", ["s3://unknown", "unknown", "arn:aws:flow:us-east-1:123456789012:Unknown"])
def test_unknown_uri(ask, check: Checker, uri: str):
    check.not_found(ask(uri=uri), "missing.integration")


@clauses("missing.other-domain")
def test_uri_of_another_domain(ask, state: State, check: Checker):
    if state.other_domain is None or state.other_uri is None:
        pytest.skip("there is no second domain with an integration of its own")
    check.ok(ask(state.other_domain, state.other_uri), domain=state.other_domain, uri=state.other_uri)
    check.not_found(ask(state.domain, state.other_uri), "missing.other-domain")
    check.not_found(ask(state.other_domain, state.uri), "missing.other-domain")


@clauses("missing.domain.case")
@pytest.mark.parametrize("change", [str.lower, str.upper, str.swapcase], ids=["lower", "upper", "swapped"])
def test_domain_in_another_case(ask, state: State, check: Checker, change):
    name = change(state.domain)
    if name == state.domain:
        pytest.skip("the name of the domain has no letter to change")
    check.not_found(ask(name), "missing.domain.case")


@clauses("missing.domain.near")
@pytest.mark.parametrize("part", ["prefix", "extension", "without the first character", "marks exchanged"])
def test_domain_near_an_existing_one(ask, state: State, check: Checker, part: str):
    name = {
        "prefix": state.domain[:-1],
        "extension": state.domain + "0",
        "without the first character": state.domain[1:],
        "marks exchanged": state.domain.translate(str.maketrans("-_", "_-")),
    }[part]
    if name == state.domain or not 1 <= len(name) <= 64:
        pytest.skip("the name of the domain has no such neighbour")
    check.not_found(ask(name), "missing.domain.near")


def _near(clause: str, identifier: str, change) -> object:
    return pytest.param(
        change, f"missing.uri.{clause}", id=identifier, marks=clauses(f"missing.uri.{clause}")
    )


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        _near("case", "lower", str.lower),
        _near("case", "upper", str.upper),
        _near("case", "casefold", str.casefold),
        _near("trailing-slash", "slash added", lambda uri: uri + "/"),
        _near("trailing-slash", "slash doubled", lambda uri: uri.replace("/", "//", 1)),
        _near("prefix", "last character cut", lambda uri: uri[:-1]),
        _near("prefix", "first character", lambda uri: uri[:1]),
        _near("suffix", "character added", lambda uri: uri + "0"),
        _near("wildcard", "asterisk added", lambda uri: uri + "*"),
        _near("wildcard", "asterisk alone", lambda uri: "*"),
        _near("wildcard", "asterisk for the end", lambda uri: uri[:-3] + "*"),
        _near("wildcard", "percent sign for the end", lambda uri: uri[:-3] + "%"),
        _near("wildcard", "percent sign alone", lambda uri: "%"),
        _near("wildcard", "underscore for a letter", lambda uri: uri[:-1] + "_"),
        _near("wildcard", "question mark for a letter", lambda uri: uri[:-1] + "?"),
        _near("wildcard", "dot for a letter", lambda uri: uri[:-1] + "."),
        _near("wildcard", "regular expression", lambda uri: uri[:-3] + ".*"),
        _near("segments", "dot segment", lambda uri: "/./".join(uri.rsplit("/", 1))),
        _near("segments", "parent segment", lambda uri: "/x/../".join(uri.rsplit("/", 1))),
        _near("suffix", "first character cut", lambda uri: uri[1:]),
        _near("suffix", "query added", lambda uri: uri + "?a=b"),
        _near("suffix", "fragment added", lambda uri: uri + "#a"),
        _near("suffix", "NUL added", lambda uri: uri + "\0"),
        _near("whitespace", "space before", lambda uri: " " + uri),
        _near("whitespace", "space after", lambda uri: uri + " "),
        _near("whitespace", "newline after", lambda uri: uri + "\n"),
        _near("normalization", "NFD", lambda uri: unicodedata.normalize("NFD", uri)),
        _near("normalization", "NFKD", lambda uri: unicodedata.normalize("NFKD", uri)),
        _near("normalization", "without accents", lambda uri: uri.encode("ascii", "ignore").decode()),
        _near("percent-encoding", "decoded", unquote),
        _near("percent-encoding", "encoded", lambda uri: quote(uri, safe=":/")),
        _near("percent-encoding", "space as plus", lambda uri: uri.replace("%20", "+")),
    ],
)
def test_uri_near_an_existing_one(
    ask, client: Client, caller: Identity, state: State, check: Checker, change, clause: str
):
    uri = change(state.uri)
    if uri == state.uri or not 1 <= len(uri) <= 255:
        pytest.skip("the Uri of the integration has no such neighbour")
    exchange = ask(uri=uri)
    if exchange.response.status == 200 and state.origin != "made" and _may_exist(client, caller, state, uri):
        pytest.skip("an integration of that Uri exists, or cannot be told not to")
    check.not_found(exchange, clause)


def _may_exist(client: Client, caller: Identity, state: State, uri: str) -> bool:
    """Whether a domain that others made holds the Uri, as far as it lets itself be listed."""
    response = client.send(list_integrations(state.domain), caller).response
    listed = parse(response).document if response.status == 200 else None
    if not isinstance(listed, dict):
        return response.status == 403
    items = listed.get("Items") or []
    found = any(isinstance(item, dict) and item.get("Uri") == uri for item in items)
    return found or bool(listed.get("NextToken"))
