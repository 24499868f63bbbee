"""Servers that echo something else than was asked for, or find what does not exist."""

import fnmatch
import html
import operator
import re
import unicodedata
from collections.abc import Callable
from functools import partial
from urllib.parse import quote, unquote

from .fates import BAD_REQUEST, CRASH, DENIED
from .kit import Theme, alters, always, changed, crashes, is_get, of_uri, on_answer, on_status, sets, valid
from .messages import DELETE, GET, PUT, Answer, Forward, Handler, Request, Response, error, ok
from .signing import refused, resigned
from .writes import Past, knows

THEME = Theme("lookup")

Key = Callable[[str], str]
Same = Callable[[str, str], bool]

# --- The echo -----------------------------------------------------------------------------------------------


def normalised(form: str) -> Key:
    """A change of texts to one of Unicode's normal forms."""
    return lambda text: unicodedata.normalize(form, text)


def _without_accents(text: str) -> str:
    return text.encode("ascii", "ignore").decode()


_ECHOES: dict[str, Key] = {
    "lower-case": str.lower,
    "upper-case": str.upper,
    "without-accents": _without_accents,
    "question-marks": lambda text: text.encode("ascii", "replace").decode(),
    "mojibake": lambda text: text.encode().decode("latin-1"),
    "decoded": unquote,
    "encoded": lambda text: quote(text, safe=":/"),
    "with-slash": lambda text: text + "/",
    "quoted": lambda text: f'"{text}"',
    "html-escaped": lambda text: text.replace(":", "&#58;"),
    "without-scheme": lambda text: text.partition("://")[2] or text[1:],
    "cut": lambda text: text[:16],
    "nfd": normalised("NFD"),
    "nfkd": normalised("NFKD"),
}
THEME["response.echo.Uri"] = {
    f"echo-uri-{name}: The Uri comes back changed: {name}.": alters("Uri", change)
    for name, change in _ECHOES.items()
}
THEME["response.echo.DomainName"] = {
    f"echo-domain-{name}: The name of the domain comes back changed: {name}.": alters("DomainName", change)
    for name, change in (
        ("lower-case", str.lower),
        ("upper-case", str.upper),
        ("cut", lambda name: name[:16]),
        ("with-account", lambda name: f"111122223333-{name}"[:64]),
        ("without-hyphens", lambda name: name.replace("-", "_")),
    )
}
_SAMPLE = {
    "CreatedAt": 1479249799.77,
    "DomainName": "ExampleDomainName",
    "LastUpdatedAt": 1479249799.77,
    "ObjectTypeName": "MyCustomObject",
    "Uri": "arn:aws:flow:us-east-1:123456789012:URIOfIntegration1",
}
THEME["response.echo.Uri response.echo.DomainName"] = {
    "echo-of-the-sample: It is always the reference page's sample.": on_status(200, lambda _: ok(_SAMPLE))
}
THEME["response.echo.DomainName response.DomainName.pattern"] = {
    "echo-path-for-name: DomainName is the path of the request.": on_answer(
        lambda r, a: changed(a, sets("DomainName", r.path)) if a.status == 200 else a
    )
}

# --- Near misses that are found -----------------------------------------------------------------------------


def equal(key: Key) -> Same:
    return lambda asked, known: key(asked) == key(known)


Place = tuple[str, str]


def found_by(alike: Callable[[Place, Place], bool]) -> Handler:
    """A server that serves the first integration whose domain and Uri are like those asked for."""

    def change(past: Past, request: Request, answer: Response, forward: Forward) -> Answer:
        if answer.status != 404 or not valid(request):
            return answer
        for place in tuple(past.alive):
            if alike((request.domain, request.text), place):
                return forward(resigned(request.with_domain(place[0]).with_uri(place[1])))
        return answer

    return knows(change)


def near(uris: Same, domains: Same) -> Handler:
    """A server that compares Uris and domains by something other than equality."""
    return found_by(lambda asked, known: domains(asked[0], known[0]) and uris(asked[1], known[1]))


#: A comparison by equality.
same: Same = operator.eq


def like(pattern: str, text: str) -> bool:
    parts = ({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch("".join(parts), text, re.S) is not None


def matches(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return False


def _before(mark: str) -> Same:
    return equal(lambda uri: uri.partition(mark)[0])


def _starred(asked: str, known: str) -> bool:
    return "*" in asked and known.startswith(asked.partition("*")[0])


_DOTS = re.compile(r"/\.(?=/)/|/[^/]+/\.\./")
_ESCAPE = re.compile("%[0-9a-f]{2}")
for _name, _clause, _description, _comparison in (
    ("lower-case", "case", "in lower case", equal(str.lower)),
    ("upper-case", "case", "in upper case", equal(str.upper)),
    ("slash-at-the-end", "trailing-slash", "without slashes at the end", equal(lambda u: u.rstrip("/"))),
    ("double-slashes", "trailing-slash", "with double slashes made one", equal(partial(re.sub, "/+", "/"))),
    ("empty-segments", "segments", "without empty segments", equal(partial(re.sub, "(?<=[^:/])/+", "/"))),
    ("prefix", "prefix", "by prefix", lambda asked, known: known.startswith(asked)),
    ("extension", "suffix", "by the beginning", str.startswith),
    ("ending", "suffix", "by the ending", lambda asked, known: known.endswith(asked)),
    ("substring", "suffix", "by substring", lambda asked, known: asked in known),
    ("sql-pattern", "wildcard", "with LIKE", like),
    ("glob", "wildcard", "as globs", lambda asked, known: fnmatch.fnmatchcase(known, asked)),
    ("regular-expression", "wildcard", "as regular expressions", matches),
    ("dot-segments", "segments", "without dot segments", equal(partial(_DOTS.sub, "/"))),
    ("wildcard", "wildcard", "as a wildcard", _starred),
    ("without-query", "suffix", "without a query", _before("?")),
    ("without-fragment", "suffix", "without a fragment", _before("#")),
    ("until-nul", "suffix", "until NUL", _before("\0")),
    ("stripped", "whitespace", "without white space around", equal(str.strip)),
    ("left-stripped", "whitespace", "without white space before", equal(str.lstrip)),
    ("right-stripped", "whitespace", "without white space after", equal(str.rstrip)),
    ("newline-stripped", "whitespace", "without a newline at the end", equal(lambda uri: uri.rstrip("\n"))),
    ("nfc", "normalization", "in NFC", equal(normalised("NFC"))),
    ("kelvin", "normalization", "with the kelvin sign as k", equal(lambda u: u.replace("\u212a", "k"))),
    ("long-s", "normalization", "with the long s as s", equal(lambda uri: uri.replace("\u017f", "s"))),
    ("without-port", "suffix", "without a port", equal(lambda uri: re.sub(r":443\b", "", uri))),
    ("nfd", "normalization", "in NFD", equal(normalised("NFD"))),
    ("nfkc", "normalization", "in NFKC", equal(normalised("NFKC"))),
    ("without-accents", "normalization", "without accents", equal(_without_accents)),
    ("decoded", "percent-encoding", "percent-decoded", equal(unquote)),
    ("decoded-twice", "percent-encoding", "percent-decoded twice", equal(lambda uri: unquote(unquote(uri)))),
    ("plus-is-space", "percent-encoding", "with + for %20", equal(lambda uri: uri.replace("%20", "+"))),
    ("encoded", "percent-encoding", "percent-encoded", equal(lambda uri: quote(unquote(uri), safe=":/"))),
):
    THEME[f"missing.uri.{_clause}"] = {
        f"uri-{_name}: Uris are compared {_description}.": near(_comparison, same)
    }
for _name, _clause, _description, _comparison in (
    ("lower-case", "case", "in lower case", equal(str.lower)),
    ("turkish", "case", "in lower case, by Turkish rules", equal(lambda n: n.replace("I", "\u0131").lower())),
    ("swapped-case", "case", "to their opposite in case", lambda asked, known: asked.swapcase() == known),
    ("prefix", "near", "by prefix", lambda asked, known: known.startswith(asked)),
    ("extension", "near", "by the beginning", str.startswith),
    ("ending", "near", "by the ending", lambda asked, known: known.endswith(asked)),
    ("marks", "near", "without regard to - and _", equal(lambda name: name.replace("_", "-"))),
):
    THEME[f"missing.domain.{_clause}"] = {
        f"domain-{_name}: Names of domains are compared {_description}.": near(same, _comparison)
    }
THEME["missing.other-domain missing.domain"] = {
    "found-by-uri-only: An integration is found by Uri alone.": near(same, always)
}
THEME["missing.integration missing.other-domain"] = {
    "found-by-domain-only: An integration is found by domain alone.": near(always, same)
}
THEME["missing.domain missing.integration"] = {
    "found-of-anything: An integration is found for any key.": near(always, always)
}
THEME["missing.other-domain"] = {
    "found-across-domains-of-a-prefix: One prefix is one domain.": near(same, equal(lambda name: name[:-1]))
}

# --- Uris that are kept as one ------------------------------------------------------------------------------


def _kept(change: Key) -> Handler:
    """A server that keeps Uris in another form, and answers as if it did not."""

    def handler(request: Request, forward: Forward) -> Answer:
        fits = 0 < len(request.text) <= 255 and change(request.text) != request.text
        if not fits or request.operation not in (GET, PUT, DELETE):
            return forward(request)
        answer = forward(resigned(request.with_uri(change(request.text))))
        return answer.edited(Uri=request.text) if is_get(request) and answer.status == 200 else answer

    return handler


THEME["state.put-get.Uri"] = {
    f"kept-{name}: Uris are kept as {description}.": _kept(change)
    for name, description, change in (
        ("first-200-characters", "their first 200 characters", lambda uri: uri[:200]),
        ("first-254-characters", "their first 254 characters", lambda uri: uri[:254]),
        ("single-spaces", "white space made one space", lambda uri: re.sub(r"\s+", " ", uri)),
        ("without-dot-segments", "dot segments gone", lambda uri: _DOTS.sub("/", uri)),
        ("lines-of-lf", "lines that end in LF", lambda uri: uri.replace("\r\n", "\n")),
        ("without-entities", "entities of HTML unescaped", html.unescape),
        ("capital-escapes", "escapes in capitals", lambda u: _ESCAPE.sub(lambda found: found[0].upper(), u)),
    )
}

# --- What does not exist is answered otherwise --------------------------------------------------------------


def _when_missing(fate: Answer | Callable[[Request, Response], Answer], of: str) -> Handler:
    """Changes the 404 of an unknown domain (``domain``), or of an unknown Uri in a known one (``uri``)."""

    def change(past: Past, request: Request, answer: Response, forward: Forward) -> Answer:
        if not is_get(request) or answer.status != 404 or refused(answer):
            return answer
        if (request.domain in past.domains) != (of == "uri"):
            return answer
        return fate(request, answer) if callable(fate) else fate

    return knows(change)


def _made_up(request: Request, answer: Response) -> Response:
    times = {"CreatedAt": 1.5e9, "LastUpdatedAt": 1.5e9}
    return ok({"DomainName": request.domain, "Uri": request.text, **times})


for _of, _clause in (("domain", "missing.domain"), ("uri", "missing.integration")):
    THEME[_clause] = {
        f"missing-{_of}-{name}: An unknown {_of} is answered {description}.": _when_missing(fate, _of)
        for name, description, fate in (
            ("empty-200", "200 with an empty object", ok({})),
            ("null-200", "200 with null", ok(None)),
            ("made-up-200", "200 with an integration made up on the spot", _made_up),
            ("error-200", "200 with the body of the error", lambda _, a: a.with_status(200)),
            ("204", "204", Response(204)),
            ("400", "400 BadRequestException", BAD_REQUEST),
            ("403", "403 AccessDeniedException", DENIED),
            ("410", "410 GoneException", error(410, "GoneException")),
            ("500", "500 InternalServerException", CRASH),
            ("501", "501 NotImplementedException", error(501, "NotImplementedException")),
        )
    }
THEME["missing.domain missing.integration"] = {
    "missing-redirects: What does not exist is answered 302 to a page.": on_status(
        404, lambda _: Response(302, (("Location", "https://example.com/not-found"),))
    )
}
THEME["request.Uri.maxLength"] = {
    "missing-crashes-for-long-uris: More than 200 code points crash it.": crashes(
        of_uri(lambda text: len(text) > 200)
    )
}
