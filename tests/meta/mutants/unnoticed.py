"""Faults that a third independent server got past the suite with, until they were looked for."""

import fnmatch
import html
import re
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

from .escaped import named, one_of_all
from .excuses import serves_claims, verified_once
from .fates import NOT_FOUND
from .kit import Theme, accepts, alters, always, asks, is_get, observes, remembers, valid_name
from .lookup import Key, Place, Same, equal, found_by, like, matches, near, normalised, same
from .messages import DELETE, DELETE_DOMAIN, MISSING, PUT, WRITES, Answer, Forward, Handler, Request, Response
from .signing import CALLER, IDENTITIES, is_by, refused, resigned, unauthenticated
from .writes import Document, History, Past, edits, key, knows, reads, revives

THEME = Theme("unnoticed")

# --- What was written is not what is read -------------------------------------------------------------------

THEME["state.time"] = {
    f"created-{name}: CreatedAt is invented: {name}.": alters("CreatedAt", time)
    for name, time in (("at-the-epoch", lambda time: 0), ("hours-before", lambda time: time - 5 * 3600))
}


@THEME.mutant("updated-moves-with-type", "state.LastUpdatedAt.moves", edits)
def _moves_with_the_type(history: History, _: Document) -> Document:
    """LastUpdatedAt moves only with ObjectTypeName."""
    types = [document.get("ObjectTypeName") for document in history.alive[-2:]]
    still = history.answers and len(types) > 1 and types[0] == types[1]
    return {"LastUpdatedAt": history.answers[0].document["LastUpdatedAt"]} if still else {}


@THEME.mutant("updated-stays-when-members-go", "state.LastUpdatedAt.moves", edits)
def _stays_when_members_go(history: History, _: Document) -> Document:
    """LastUpdatedAt stays when an update only leaves out members."""
    fewer = history.updated and history.alive[-1].keys() < history.alive[-2].keys()
    before = history.answers[-1].document if history.answers and fewer else {}
    return {"LastUpdatedAt": before["LastUpdatedAt"]} if before else {}


@THEME.mutant("types-shared", "state.put-get.ObjectTypeNames", edits)
def _shares_a_default(history: History, document: Document) -> Document:
    """Integrations without ObjectTypeNames share those of all."""
    types: Document = {}
    for documents in history.past.put.values():
        for put in documents:
            types |= put.get("ObjectTypeNames") or {}
    return {"ObjectTypeNames": types} if types and not document.get("ObjectTypeNames") else {}


@THEME.mutant("replica-behind", "state.update.visible state.read-only", reads)
def _one_replica_is_behind(history: History, answer: Response) -> Answer:
    """One of three replicas is always one version behind."""
    history.past.notes["count"] = count = history.past.notes.get("count", 0) + 1
    if answer.status != 200 or not history.updated or count % 3:
        return answer
    return answer.edited(ObjectTypeName=history.alive[-2].get("ObjectTypeName"))


THEME["state.update.visible"] = {
    "update-loses-scope: An update loses Scope.": edits(lambda h, _: {"Scope": None} if h.updated else {})
}
THEME["state.deleted"] = {
    "updated-stays-undeleted: What was put twice stays.": revives(lambda h: h.deleted and len(h.put) > 1)
}


def _keeps_from_before(member: str) -> Handler:
    def members(history: History, document: Document) -> Document:
        older = [put[member] for put in history.put if put.get(member)]
        return {member: older[0]} if older and history.deleted and not document.get(member) else {}

    return edits(members)


def _leaks(member: str) -> Handler:
    def leaks(last: Document, request: Request, answer: Response) -> Answer:
        if answer.status != 200 or refused(answer):
            return answer
        last[member] = answer.document.get(member) or last.get(member)
        return answer.edited(**last) if last[member] else answer

    return observes(dict)(leaks)


for _member in ("RoleArn", "ObjectTypeNames", "EventTriggerNames"):
    THEME["state.recreated"] = {
        f"recreated-with-{_member}: Made again, it has the old one.": _keeps_from_before(_member)
    }
    THEME[f"state.put-get.{_member}"] = {
        f"leaks-{_member}: {_member} of the last answer stays in those without.": _leaks(_member)
    }

_TEXTS: dict[str, Key] = {
    "html-escaped": html.escape,
    "as-numbers": lambda text: str(int(text)) if text.isdigit() else text,
    "without-returns": lambda text: text.replace("\r\n", "\n"),
    "nfc": normalised("NFC"),
    "cut-at-equals-signs": lambda text: text.rpartition("=")[2],
}
THEME["state.put-get.Tags"] = {
    f"tags-{name}: Values of tags come back changed: {name}.": alters(
        "Tags", lambda tags, change=change: {key: change(tags[key]) for key in tags}
    )
    for name, change in _TEXTS.items()
}

THEME["state.put-get.ObjectTypeNames"] = {
    "types-of-one-event: Of event types with the same ObjectTypeName one stays.": alters(
        "ObjectTypeNames", lambda names: {n: v for v, n in {v: n for n, v in names.items()}.items()}
    )
}
THEME["response.echo.Uri"] = {
    "returns-lost-in-uri: CRLF comes back as LF.": alters("Uri", lambda uri: uri.replace("\r\n", "\n"))
}
THEME["state.put-get.Uri"] = {
    "uri-as-number: Uris are kept in a column that is a number where it can.": one_of_all(
        lambda uri: uri.lstrip("0") if uri.isdigit() else uri
    ),
    "uri-in-255-bytes: Uris are kept in a column of 255 bytes, which cuts off the rest.": one_of_all(
        lambda uri: uri.encode(errors="surrogatepass")[:255].decode(errors="replace")
    ),
    "uri-in-16-bits: Characters of Uris are kept in 16 bits each, which cuts off their plane.": one_of_all(
        lambda uri: "".join(chr(ord(character) & 0xFFFF) for character in uri)
    ),
}


@THEME.mutant("read-writes", "state.read-only")
def _read_that_writes(request: Request, forward: Forward) -> Answer:
    """Members of GetIntegration's body are written."""
    if is_get(request) and "ObjectTypeName" in request.members:
        forward(resigned(Request("PUT", request.target, request.headers, request.body)))
    return forward(request)


# --- Who asks -----------------------------------------------------------------------------------------------

_TEMPORARY = IDENTITIES["temporary"]
THEME["sigv4.wrong-secret"] = {
    "token-is-enough: Beside a right session token the signature is not verified.": serves_claims(
        lambda r, c: r.header("x-amz-security-token") == _TEMPORARY.session_token and c.identity == _TEMPORARY
    )
}
THEME["sigv4.tampered-body"] = {
    "authorization-remembered: Good once, good for all.": verified_once(lambda r: r.header("authorization")),
    "hash-unsent-unverified: A body whose hash is not sent beside it is not verified.": serves_claims(
        lambda r, c: r.header("x-amz-content-sha256") is None
    ),
    "chunks-unverified: A chunked body is not verified.": serves_claims(lambda r, c: r.chunked),
}


@THEME.mutant("denied-unless-remembered", "access.unauthorized", observes(dict, always))
def _remembers_answers(kept: dict[tuple[str, bytes], Response], request: Request, answer: Response) -> Answer:
    """An answer that is remembered goes to whoever asks."""
    place = request.domain, request.body
    if is_get(request) and answer.status == 200:
        kept[place] = answer
    elif request.operation in WRITES:
        kept.clear()
    denied = is_by(request, "unauthorized") and not unauthenticated(answer)
    return kept.get(place, answer) if is_get(request) and denied else answer


# --- What is rejected ---------------------------------------------------------------------------------------


@THEME.mutant("wrapper-opened", "request.uri-in-body", asks)
def _unwrapped(request: Request) -> Request | None:
    """A Uri in a wrapper is found."""
    (inner, *others) = request.members.values() or (None,)
    wrapped = not others and isinstance(inner, dict) and "Uri" in inner and "Uri" not in request.members
    return request.with_document(inner) if wrapped else None


@THEME.mutant("pairs-read", "request.body.type", asks)
def _from_pairs(request: Request) -> Request | None:
    """A list of pairs is taken for an object."""
    try:
        return request.with_document(dict(request.document)) if isinstance(request.document, list) else None
    except (TypeError, ValueError):
        return None


@THEME.mutant("body-stripped", "request.json", asks)
def _stripped(request: Request) -> Request | None:
    """All of Unicode's white space may surround JSON."""
    text = request.body.decode("utf-8", "surrogateescape")
    stripped = request.with_body(text.strip().strip("\0").encode("utf-8", "surrogateescape"))
    return stripped if request.document is MISSING and stripped.document is not MISSING else None


_composed = normalised("NFC")

THEME["request.domain-in-path"] = {
    "domain-from-camel-case: domainName of the body beats the path.": named(
        lambda r: r.members.get("domainName")
    )
}
THEME["request.DomainName.pattern"] = {
    "name-without-regard-to-case: Case is ignored, in Unicode.": accepts(
        lambda r: not valid_name(r) and re.fullmatch("[a-z0-9_-]+", r.domain, re.I) is not None,
        lambda r: r.with_domain("Folded"),
    ),
    "matrix-parameters: What follows a semicolon in the path is ignored.": accepts(
        lambda r: ";" in r.path, lambda r: r.with_domain(r.domain.partition(";")[0])
    ),
}
THEME["request.Uri.maxLength"] = {
    "uri-length-composed: A Uri is measured as it is in NFC.": accepts(
        lambda r: len(r.text) > 255 >= len(_composed(r.text)), lambda r: r.with_uri(_composed(r.text))
    )
}


# --- Owners, names of domains, or Uris that are mixed up ----------------------------------------------------


def _hidden(gone: bool, request: Request, answer: Response) -> Answer:
    """What is gone is not found, although the base has it."""
    hidden = gone and is_get(request) and answer.status == 200
    return NOT_FOUND if hidden else answer


@THEME.mutant("deletes-by-pattern", "state.update.isolated", knows)
def _deletes_by_pattern(past: Past, request: Request, answer: Response, forward: Forward) -> Answer:
    """Deleting takes the Uri for a pattern of LIKE."""
    domain, uri = key(request)
    if answer.status == 200 and request.operation == PUT:
        past.notes.pop((domain, uri), None)
    elif answer.status == 200 and request.operation == DELETE:
        past.notes |= {place: True for place in past.put if place[0] == domain and like(uri, place[1])}
    return _hidden((domain, uri) in past.notes, request, answer)


THEME["missing.integration"] = {
    "uri-alike-in-200-characters: Uris are compared by their first 200 characters.": near(
        lambda asked, known: len(asked) > 200 and asked[:200] == known[:200], same
    ),
    "found-by-the-domains-name: The name of a domain finds its first integration.": accepts(
        lambda r: r.text == r.domain, lambda r: r.with_uri("s3://Contract-Bucket/Caf\u00e9/a%20b/Object")
    ),
}


@THEME.mutant("deletes-in-all-accounts", "state.update.isolated")
def _deletes_everywhere(request: Request, forward: Forward) -> Answer:
    """Deleting in another account deletes the caller's own."""
    answer = forward(request)
    if request.operation == DELETE and is_by(request, "other-account") and answer.status == 200:
        forward(resigned(request, CALLER))
    return answer


def _deletes_alike(matches: Callable[[str, str], bool]) -> Handler:
    def deletes(past: Past, request: Request, answer: Response, forward: Forward) -> Answer:
        if answer.status == 200 and request.operation == DELETE_DOMAIN:
            past.notes.pop(request.domain, None)
            past.notes |= dict.fromkeys(name for name in past.domains if matches(request.domain, name))
        return _hidden(request.domain in past.notes, request, answer)

    return knows(deletes)


THEME["state.update.isolated"] = {
    f"deletes-domains-{name}: Deleting a domain deletes others: {name}.": _deletes_alike(matches)
    for name, matches in (("of-the-same-beginning", lambda n, other: other.startswith(n)), ("like-it", like))
}


class Puts:
    """Puts that have begun, by domain; those that were lost."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self.lost: set[Place] = set()
        self.lock = threading.Lock()


@THEME.mutant("writes-at-once-lost", "state.update.isolated concurrency.own-answer", remembers(Puts))
def _loses_writes_at_once(puts: Puts, request: Request, forward: Forward) -> Answer:
    """Of two writes at once to a domain, the first to begin is lost."""
    if request.operation != PUT:
        return _hidden(key(request) in puts.lost, request, forward(request))
    with puts.lock:
        puts.begun[request.domain] += 1
        number = puts.begun[request.domain]
    answer = forward(request)
    with puts.lock:
        (puts.lost.discard if puts.begun[request.domain] == number else puts.lost.add)(key(request))
    return answer


THEME["missing.other-domain"] = {
    f"key-joined-by-{name}: Domain and Uri are one key, joined by: {name}.": found_by(
        lambda asked, known, mark=mark: mark.join(asked) == mark.join(known)
    )
    for name, mark in (("underscore", "_"), ("hyphen", "-"), ("nothing", ""))
}


def _lower(pattern: str) -> Key:
    return partial(re.sub, pattern, lambda found: found[0].lower())


_URIS: tuple[tuple[str, str, Same], ...] = (
    ("scheme-in-lower-case", "case", equal(_lower("^[^:]*"))),
    ("host-in-lower-case", "case", equal(_lower("(?<=://)[^/]*"))),
    ("last-segment", "suffix", lambda asked, known: asked == known.rpartition("/")[2]),
    ("last-part", "suffix", lambda asked, known: asked == known.rpartition(":")[2]),
    ("full-stop", "suffix", equal(lambda uri: uri.rstrip("."))),
    ("quotation-marks", "whitespace", equal(lambda uri: uri.strip('"'))),
    ("backslashes", "segments", equal(lambda uri: uri.replace("\\", "/"))),
    ("known-glob", "wildcard", fnmatch.fnmatchcase),
    ("known-expression", "wildcard", lambda asked, known: matches(known, asked)),
    ("known-sql-pattern", "wildcard", lambda asked, known: like(known, asked)),
)
for _name, _clause, _comparison in _URIS:
    THEME[f"missing.uri.{_clause}"] = {
        f"uri-{_name}: Uris are compared by: {_name}.": near(_comparison, same)
    }
THEME["missing.domain.near"] = {
    f"domain-{name}: Names of domains are {name}.": near(same, equal(key))
    for name, key in (
        ("cut-to-63", lambda name: name[:63]),
        ("stripped-of-hyphens", lambda name: name.strip("-")),
        ("stripped-of-underscores", lambda name: name.strip("_")),
    )
}


@THEME.mutant("found-by-type", "missing.integration", knows)
def _found_by_type(past: Past, request: Request, answer: Response, forward: Forward) -> Answer:
    """An integration is found by its type too."""
    if is_get(request) and answer.status == 404:
        for (domain, uri), documents in past.alive.items():
            if domain == request.domain and documents[-1].get("ObjectTypeName") == request.text:
                return forward(resigned(request.with_uri(uri)))
    return answer
