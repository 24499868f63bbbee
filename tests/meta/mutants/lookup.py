"""Servers that echo something else than was asked for, or find what does not exist."""

from __future__ import annotations

import fnmatch
import html
import re
import unicodedata
from collections.abc import Callable
from urllib.parse import quote, unquote

from .kit import (
    Build,
    Known,
    Theme,
    alters,
    answers,
    changed,
    is_get,
    knows,
    on_answer,
    on_status,
    sets,
    valid,
)
from .messages import DELETE, GET, PUT, Answer, Forward, Handler, Request, Response, error, ok
from .signing import refused, resigned

THEME = Theme("lookup")
_add = THEME.add

Key = Callable[[str], str]
Same = Callable[[str, str], bool]

# --- The echo -----------------------------------------------------------------------------------------------

_NORMAL_FORMS: dict[str, Key] = {
    "nfd": lambda text: unicodedata.normalize("NFD", text),
    "nfkd": lambda text: unicodedata.normalize("NFKD", text),
}
_ECHOES: dict[str, Key] = {
    "lower-case": str.lower,
    "upper-case": str.upper,
    "without-accents": lambda text: text.encode("ascii", "ignore").decode(),
    "question-marks": lambda text: text.encode("ascii", "replace").decode(),
    "mojibake": lambda text: text.encode().decode("latin-1"),
    "decoded": unquote,
    "encoded": lambda text: quote(text, safe=":/"),
    "with-slash": lambda text: text + "/",
    "quoted": lambda text: f'"{text}"',
    "html-escaped": lambda text: text.replace(":", "&#58;"),
    "without-scheme": lambda text: text.partition("://")[2] or text[1:],
    "cut": lambda text: text[:16],
    **_NORMAL_FORMS,
}
for _name, _change in _ECHOES.items():
    _add(
        f"echo-uri-{_name}",
        f"The Uri comes back changed: {_name}.",
        "response.echo.Uri",
        alters("Uri", _change),
    )
for _name, _change in (
    ("lower-case", str.lower),
    ("upper-case", str.upper),
    ("cut", lambda name: name[:16]),
    ("with-account", lambda name: f"111122223333-{name}"[:64]),
    ("without-hyphens", lambda name: name.replace("-", "_")),
):
    _add(
        f"echo-domain-{_name}",
        f"The name of the domain comes back changed: {_name}.",
        "response.echo.DomainName",
        alters("DomainName", _change),
    )
_add(
    "echo-of-the-sample",
    "The answer is always the reference page's sample.",
    "response.echo.Uri response.echo.DomainName",
    on_status(
        200,
        lambda _: ok(
            {
                "CreatedAt": 1479249799.77,
                "DomainName": "ExampleDomainName",
                "LastUpdatedAt": 1479249799.77,
                "ObjectTypeName": "MyCustomObject",
                "Uri": "arn:aws:flow:us-east-1:123456789012:URIOfIntegration1",
            }
        ),
    ),
)
_add(
    "echo-path-for-name",
    "DomainName is the path of the request.",
    "response.echo.DomainName response.DomainName.pattern",
    on_answer(
        lambda request, answer: (
            changed(answer, sets("DomainName", request.path)) if answer.status == 200 else answer
        )
    ),
)

# --- Near misses that are found -----------------------------------------------------------------------------


def equal(key: Key) -> Same:
    return lambda asked, known: key(asked) == key(known)


Place = tuple[str, str]


def found_by(alike: Callable[[Place, Place], bool]) -> Build:
    """A server that serves the first integration whose domain and Uri are like those asked for."""

    def change(known: Known, request: Request, answer: Response, forward: Forward) -> Answer:
        if answer.status != 404 or not valid(request):
            return answer
        for place in tuple(known.integrations):
            if alike((request.domain, request.text), place):
                return forward(resigned(request.with_domain(place[0]).with_uri(place[1])))
        return answer

    return knows(change)


def near(uris: Same, domains: Same) -> Build:
    """A server that compares Uris and domains by something other than equality."""
    return found_by(lambda asked, known: domains(asked[0], known[0]) and uris(asked[1], known[1]))


def same(asked: str, known: str) -> bool:
    return asked == known


def like(pattern: str, text: str) -> bool:
    parts = ({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch("".join(parts), text, re.S) is not None


def matches(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return False


_DOTS = re.compile(r"/\.(?=/)/|/[^/]+/\.\./")
_ESCAPE = re.compile("%[0-9a-f]{2}")

_COMPARISONS: tuple[tuple[str, str, str, Same], ...] = (
    ("lower-case", "case", "in lower case", equal(str.lower)),
    ("upper-case", "case", "in upper case", equal(str.upper)),
    ("slash-at-the-end", "trailing-slash", "without slashes at the end", equal(lambda uri: uri.rstrip("/"))),
    (
        "double-slashes",
        "trailing-slash",
        "with double slashes made one",
        equal(lambda u: re.sub("/+", "/", u)),
    ),
    ("prefix", "prefix", "by prefix", lambda asked, known: known.startswith(asked)),
    ("extension", "suffix", "by the beginning", lambda asked, known: asked.startswith(known)),
    ("ending", "suffix", "by the ending", lambda asked, known: known.endswith(asked)),
    ("substring", "suffix", "by substring", lambda asked, known: asked in known),
    ("sql-pattern", "wildcard", "with LIKE", like),
    ("glob", "wildcard", "as globs", lambda asked, known: fnmatch.fnmatchcase(known, asked)),
    ("regular-expression", "wildcard", "as regular expressions", matches),
    ("dot-segments", "segments", "without dot segments", equal(lambda uri: _DOTS.sub("/", uri))),
    (
        "wildcard",
        "wildcard",
        "as a wildcard",
        lambda asked, known: "*" in asked and known.startswith(asked.partition("*")[0]),
    ),
    ("without-query", "suffix", "without a query", equal(lambda uri: uri.partition("?")[0])),
    ("without-fragment", "suffix", "without a fragment", equal(lambda uri: uri.partition("#")[0])),
    ("until-nul", "suffix", "until NUL", equal(lambda uri: uri.partition("\0")[0])),
    ("stripped", "whitespace", "without white space around", equal(str.strip)),
    ("left-stripped", "whitespace", "without white space before", equal(str.lstrip)),
    ("right-stripped", "whitespace", "without white space after", equal(str.rstrip)),
    ("newline-stripped", "whitespace", "without a newline at the end", equal(lambda uri: uri.rstrip("\n"))),
    ("nfc", "normalization", "in NFC", equal(lambda uri: unicodedata.normalize("NFC", uri))),
    (
        "kelvin",
        "normalization",
        "with the kelvin sign as k",
        equal(lambda uri: re.sub("\u212a", "k", uri)),
    ),
    ("long-s", "normalization", "with the long s as s", equal(lambda uri: uri.replace("\u017f", "s"))),
    ("without-port", "suffix", "without a port", equal(lambda uri: re.sub(r":443\b", "", uri))),
    ("nfd", "normalization", "in NFD", equal(_NORMAL_FORMS["nfd"])),
    ("nfkc", "normalization", "in NFKC", equal(lambda uri: unicodedata.normalize("NFKC", uri))),
    (
        "without-accents",
        "normalization",
        "without accents",
        equal(lambda uri: uri.encode("ascii", "ignore").decode()),
    ),
    ("decoded", "percent-encoding", "percent-decoded", equal(unquote)),
    ("decoded-twice", "percent-encoding", "percent-decoded twice", equal(lambda uri: unquote(unquote(uri)))),
    ("plus-is-space", "percent-encoding", "with + for %20", equal(lambda uri: uri.replace("%20", "+"))),
    ("encoded", "percent-encoding", "percent-encoded", equal(lambda uri: quote(unquote(uri), safe=":/"))),
)
for _name, _clause, _description, _comparison in _COMPARISONS:
    THEME.add_stateful(
        f"uri-{_name}",
        f"Uris are compared {_description}.",
        f"missing.uri.{_clause}",
        near(_comparison, same),
    )
for _name, _clause, _description, _comparison in (
    ("lower-case", "case", "in lower case", equal(str.lower)),
    ("swapped-case", "case", "to their opposite in case", lambda asked, known: asked.swapcase() == known),
    ("prefix", "near", "by prefix", lambda asked, known: known.startswith(asked)),
    ("extension", "near", "by the beginning", lambda asked, known: asked.startswith(known)),
    ("ending", "near", "by the ending", lambda asked, known: known.endswith(asked)),
    ("marks", "near", "without regard to - and _", equal(lambda name: name.replace("_", "-"))),
):
    THEME.add_stateful(
        f"domain-{_name}",
        f"Names of domains are compared {_description}.",
        f"missing.domain.{_clause}",
        near(same, _comparison),
    )
for _name, _description, _clauses, _uris, _domains in (
    ("by-uri-only", "by Uri alone", "missing.other-domain missing.domain", same, lambda asked, known: True),
    (
        "by-domain-only",
        "by domain alone",
        "missing.integration missing.other-domain",
        lambda asked, known: True,
        same,
    ),
    ("of-anything", "for any key", "missing.domain missing.integration", lambda *_: True, lambda *_: True),
    (
        "across-domains-of-a-prefix",
        "in all domains of a common prefix",
        "missing.other-domain",
        same,
        lambda asked, known: asked[:-1] == known[:-1],
    ),
):
    THEME.add_stateful(
        f"found-{_name}", f"An integration is found {_description}.", _clauses, near(_uris, _domains)
    )

# --- Uris that are kept as one ------------------------------------------------------------------------------


def _kept(change: Key) -> Handler:
    """A server that keeps Uris in another form, and answers as if it did not."""

    def handler(request: Request, forward: Forward) -> Answer:
        fits = 0 < len(request.text) <= 255 and change(request.text) != request.text
        if not fits or request.operation not in (GET, PUT, DELETE):
            return forward(request)
        answer = forward(resigned(request.with_uri(change(request.text))))
        found = is_get(request) and answer.status == 200 and isinstance(answer.document, dict)
        return answer.with_document({**answer.document, "Uri": request.text}) if found else answer

    return handler


for _name, _description, _change in (
    ("first-200-characters", "their first 200 characters", lambda uri: uri[:200]),
    ("first-254-characters", "their first 254 characters", lambda uri: uri[:254]),
    ("single-spaces", "white space made one space", lambda uri: re.sub(r"\s+", " ", uri)),
    ("without-dot-segments", "dot segments gone", lambda uri: _DOTS.sub("/", uri)),
    ("lines-of-lf", "lines that end in LF", lambda uri: uri.replace("\r\n", "\n")),
    ("without-entities", "entities of HTML unescaped", html.unescape),
    ("capital-escapes", "escapes in capitals", lambda uri: _ESCAPE.sub(lambda found: found[0].upper(), uri)),
):
    _add(f"kept-{_name}", f"Uris are kept as {_description}.", "state.put-get.Uri", _kept(_change))

# --- What does not exist is answered otherwise --------------------------------------------------------------


def _when_missing(fate: Callable[[Request, Response], Answer], of: str) -> Build:
    """Changes the 404 of an unknown domain (``domain``), or of an unknown Uri in a known one (``uri``)."""

    def change(known: Known, request: Request, answer: Response, forward: Forward) -> Answer:
        if not is_get(request) or answer.status != 404 or refused(answer):
            return answer
        exists = request.domain in known.domains
        return fate(request, answer) if exists == (of == "uri") else answer

    return knows(change)


_FATES: tuple[tuple[str, str, Callable[[Request, Response], Answer]], ...] = (
    ("empty-200", "200 with an empty object", lambda request, answer: ok({})),
    ("null-200", "200 with null", lambda request, answer: ok(None)),
    (
        "made-up-200",
        "200 with an integration made up on the spot",
        lambda request, answer: ok(
            {"DomainName": request.domain, "Uri": request.text, "CreatedAt": 1.5e9, "LastUpdatedAt": 1.5e9}
        ),
    ),
    ("error-200", "200 with the body of the error", lambda request, answer: answer.with_status(200)),
    ("204", "204", lambda request, answer: Response(204)),
    ("400", "400 BadRequestException", lambda request, answer: error(400, "BadRequestException")),
    ("403", "403 AccessDeniedException", lambda request, answer: error(403, "AccessDeniedException")),
    ("410", "410 GoneException", lambda request, answer: error(410, "GoneException")),
    ("500", "500 InternalServerException", lambda request, answer: error(500, "InternalServerException")),
    ("501", "501 NotImplementedException", lambda request, answer: error(501, "NotImplementedException")),
)
for _of, _clause in (("domain", "missing.domain"), ("uri", "missing.integration")):
    for _name, _description, _fate in _FATES:
        THEME.add_stateful(
            f"missing-{_of}-{_name}",
            f"An unknown {_of} is answered {_description}.",
            _clause,
            _when_missing(_fate, _of),
        )
_add(
    "missing-redirects",
    "What does not exist is answered 302 to a page.",
    "missing.domain missing.integration",
    on_status(404, lambda _: Response(302, (("Location", "https://example.com/not-found"),))),
)
_add(
    "missing-crashes-for-long-uris",
    "A Uri of more than 200 code points that does not exist is answered 500.",
    "request.Uri.maxLength",
    answers(
        lambda request: valid(request) and len(request.text) > 200,
        lambda _: error(500, "InternalServerException"),
    ),
)
