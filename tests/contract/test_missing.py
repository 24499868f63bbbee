"""What does not exist is not found, however near it comes to what does."""

import re
import unicodedata
from collections.abc import Callable
from urllib.parse import quote, unquote

import pytest

from getintegration_contract.exchange import Exchange
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import NOT_FOUND, UNREADABLE, Allowed, Expectation
from getintegration_contract.operations import get_domain, list_integrations
from getintegration_contract.sending.client import Client
from getintegration_contract.state.account import Account
from getintegration_contract.state.state import UNKNOWN_DOMAIN, State

from .callables import Ask, Change

clauses = pytest.mark.clauses

_ARN = re.compile("arn:[^:]+:[^:]+:[^:]+:[^:]+:.")

#: Names that every object of some languages has, so that a map of theirs seems to have them.
INHERITED = ("constructor", "toString", "__proto__", "__class__")


@pytest.fixture
def has_domain(client: Client, caller: Identity) -> Callable[[str], bool]:
    """Whether a domain exists, or may exist where the caller cannot see."""

    def has_domain(name: str) -> bool:
        response = client.send(get_domain(name), caller).response
        named = response.members.get("DomainName") == name
        return named if response.status == 200 else response.status == 403

    return has_domain


@pytest.fixture
def has_integration(client: Client, caller: Identity) -> Callable[[str, str], bool]:
    """Whether a domain has an integration of that Uri, or may have one that the caller cannot see."""

    def has_integration(domain: str, uri: str) -> bool:
        if client.send(list_integrations(domain), caller).response.status == 403:
            return True
        return uri in Account(client, caller).integrations(domain)

    return has_integration


@pytest.fixture
def not_found(state: State, check: Checker) -> Callable[..., None]:
    """A near miss MUST NOT be found, unless others made it: then the test is skipped."""

    def not_found(
        exchange: Exchange,
        clause: str,
        exists: Callable[[], bool],
        answers: tuple[Allowed, ...] = (NOT_FOUND,),
    ) -> None:
        if exchange.response.status == 200 and state.origin != "made" and exists():
            pytest.skip("others made what is near, or may have made it where the caller cannot see")
        check.expect(exchange, Expectation(clause, answers))

    return not_found


@clauses("missing.domain")
@pytest.mark.parametrize("name", [UNKNOWN_DOMAIN, "unknown", "0", *INHERITED])
def test_unknown_domain(ask: Ask, check: Checker, name: str) -> None:
    check.not_found(ask(name), "missing.domain")


@clauses("missing.integration")
@pytest.mark.parametrize(
    "uri", ["s3://unknown", "unknown", "arn:aws:flow:us-east-1:123456789012:Unknown", *INHERITED]
)
def test_unknown_uri(ask: Ask, check: Checker, uri: str) -> None:
    check.not_found(ask(uri=uri), "missing.integration")


@clauses("missing.integration")
@pytest.mark.parametrize("member", ["ObjectTypeName", "DomainName"])
def test_another_member_as_uri(
    ask: Ask,
    has_integration: Callable[[str, str], bool],
    not_found: Callable[..., None],
    state: State,
    check: Checker,
    member: str,
) -> None:
    name = check.members(ask()).get(member)
    if not isinstance(name, str) or name == state.uri:
        pytest.skip(f"the integration has no {member}, or the same as its Uri")
    not_found(ask(uri=name), "missing.integration", lambda: has_integration(state.domain, name))


@clauses("missing.other-domain")
def test_uri_of_another_domain(ask: Ask, state: State, check: Checker) -> None:
    if state.other_domain is None or state.other_uri is None:
        pytest.skip("there is no second domain with an integration of its own")
    check.ok(ask(state.other_domain, state.other_uri), domain=state.other_domain, uri=state.other_uri)
    check.not_found(ask(state.domain, state.other_uri), "missing.other-domain")
    check.not_found(ask(state.other_domain, state.uri), "missing.other-domain")


@clauses("missing.domain.case")
@pytest.mark.parametrize(
    "change",
    [str.lower, str.upper, str.swapcase, lambda name: re.sub(r"[a-zA-Z](?=[^a-zA-Z]*$)", _swapped, name)],
    ids=["lower", "upper", "swapped", "last letter"],
)
def test_domain_in_another_case(
    ask: Ask, has_domain: Callable[[str], bool], not_found: Callable[..., None], state: State, change: Change
) -> None:
    name = change(state.domain)
    if name == state.domain:
        pytest.skip("the name of the domain has no letter to change")
    not_found(ask(name), "missing.domain.case", lambda: has_domain(name))


@clauses("missing.domain.near")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda name: name[:-1], id="prefix"),
        pytest.param(lambda name: name + "0", id="extension"),
        pytest.param(lambda name: name[1:], id="without the first character"),
        pytest.param(lambda name: name.translate(str.maketrans("-_", "_-")), id="marks exchanged"),
        pytest.param(lambda name: f"-{name}", id="hyphen before"),
        pytest.param(lambda name: f"{name}_", id="underscore after"),
    ],
)
def test_domain_near_an_existing_one(
    ask: Ask, has_domain: Callable[[str], bool], not_found: Callable[..., None], state: State, change: Change
) -> None:
    name = change(state.domain)
    if name == state.domain or not 1 <= len(name) <= 64:
        pytest.skip("the name of the domain has no such neighbour")
    not_found(ask(name), "missing.domain.near", lambda: has_domain(name))


def _swapped(found: re.Match[str]) -> str:
    return found[0].swapcase()


def _near(clause: str, identifier: str, change: Change) -> object:
    return pytest.param(
        change, f"missing.uri.{clause}", id=identifier, marks=clauses(f"missing.uri.{clause}")
    )


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        _near("case", "lower", str.lower),
        _near("case", "upper", str.upper),
        _near("case", "casefold", str.casefold),
        _near("case", "scheme in the other case", lambda uri: re.sub("^[^:]*", _swapped, uri)),
        _near("case", "host in the other case", lambda uri: re.sub("(?<=://)[^/]*", _swapped, uri)),
        _near("case", "accented letter", lambda uri: uri.replace("\u00e9", "\u00c9")),
        _near("normalization", "letters that fold to its own", lambda uri: re.sub("k", "\u212a", uri)),
        _near("normalization", "long s for s", lambda uri: uri.replace("s", "\u017f")),
        _near("suffix", "port added to the host", lambda uri: re.sub("(?<=://)[^/]+", r"\g<0>:443", uri)),
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
        _near("segments", "empty segment", lambda uri: "//".join(uri.rsplit("/", 1))),
        _near("segments", "parent segment", lambda uri: "/x/../".join(uri.rsplit("/", 1))),
        _near("suffix", "first character cut", lambda uri: uri[1:]),
        _near("suffix", "what follows the last slash", lambda uri: uri.rpartition("/")[2]),
        _near("suffix", "what follows the last colon", lambda uri: uri.rpartition(":")[2]),
        _near("suffix", "full stop added", lambda uri: uri + "."),
        _near("suffix", "query added", lambda uri: uri + "?a=b"),
        _near("suffix", "fragment added", lambda uri: uri + "#a"),
        _near("suffix", "NUL added", lambda uri: uri + "\0"),
        _near("whitespace", "space before", lambda uri: " " + uri),
        _near("whitespace", "space after", lambda uri: uri + " "),
        _near("whitespace", "newline after", lambda uri: uri + "\n"),
        _near("whitespace", "quotation marks around", lambda uri: f'"{uri}"'),
        _near("segments", "backslashes", lambda uri: uri.replace("/", "\\")),
        _near("normalization", "NFD", lambda uri: unicodedata.normalize("NFD", uri)),
        _near("normalization", "NFKD", lambda uri: unicodedata.normalize("NFKD", uri)),
        _near("normalization", "without accents", lambda uri: uri.encode("ascii", "ignore").decode()),
        _near("normalization", "zero-width space", lambda uri: f"{uri[:-1]}\u200b{uri[-1:]}"),
        _near("normalization", "the same low byte", lambda uri: uri.replace("a", "\u0161")),
        _near("percent-encoding", "decoded", unquote),
        _near("percent-encoding", "encoded", lambda uri: quote(uri, safe=":/")),
        _near("percent-encoding", "space as plus", lambda uri: uri.replace("%20", "+")),
    ],
)
def test_uri_near_an_existing_one(
    ask: Ask,
    has_integration: Callable[[str, str], bool],
    not_found: Callable[..., None],
    state: State,
    change: Change,
    clause: str,
) -> None:
    uri = change(state.uri)
    if uri == state.uri or not 1 <= len(uri) <= 255:
        pytest.skip("the Uri of the integration has no such neighbour")
    # Some parsers do not read NUL.
    answers = (NOT_FOUND, UNREADABLE) if "\0" in uri else (NOT_FOUND,)
    not_found(ask(uri=uri), clause, lambda: has_integration(state.domain, uri), answers)


@clauses("missing.uri.arn")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param(1, "aws-cn", id="partition"),
        pytest.param(3, "us-west-2", id="region"),
        pytest.param(4, "210987654321", id="account"),
    ],
)
def test_arn_near_an_existing_one(
    ask: Ask,
    has_integration: Callable[[str, str], bool],
    not_found: Callable[..., None],
    state: State,
    field: int,
    value: str,
) -> None:
    places = ((state.domain, state.uri), (state.other_domain, state.other_uri))
    domain, uri = next((place for place in places if _ARN.match(place[1] or "")), (None, None))
    if domain is None or uri is None:
        pytest.skip("no integration that is known has an ARN as its Uri")
    fields = uri.split(":")
    fields[field] = value if fields[field] != value else ""
    near = ":".join(fields)
    not_found(ask(domain, near), "missing.uri.arn", lambda: has_integration(domain, near))
