"""Faults that a third independent server got past the suite with, until they were looked for."""

from __future__ import annotations

import fnmatch
import html
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from .escaped import named_in_body, one_of_all
from .excuses import serves_claims
from .kit import Build, Theme, accepts, asks, bind, is_get, on_document, sets, valid_name
from .lookup import Key, Same, equal, found_by, like, near, same
from .messages import (
    CREATE_DOMAIN,
    DELETE,
    DELETE_DOMAIN,
    MISSING,
    PUT,
    Answer,
    Forward,
    Request,
    Response,
    error,
    load,
)
from .signing import CALLER, IDENTITIES, is_by, resigned, unauthenticated
from .writes import Document, Writes, edited, key, reads

THEME = Theme("unnoticed")
_add = THEME.add
_add_stateful = THEME.add_stateful

# --- What was written is not what is read -------------------------------------------------------------------

for _name, _time in (("at-the-epoch", lambda time: 0), ("hours-before", lambda time: time - 5 * 3600)):
    _add(
        f"created-{_name}",
        f"CreatedAt is invented: {_name}.",
        "state.time",
        on_document(bind(_time, lambda change, it: sets("CreatedAt", change(it["CreatedAt"]))(it))),
    )


def _moves_with_the_type(self: Writes, request: Request, answer: Response) -> Answer:
    documents, before = self.alive.get(key(request), []), self.answers.get(key(request))
    types = [document.get("ObjectTypeName") for document in documents[-2:]]
    if answer.status != 200 or not before or len(types) < 2 or types[0] != types[1]:
        return answer
    return edited(answer, LastUpdatedAt=before[0].document["LastUpdatedAt"])


def _keeps_from_before(member: str) -> Callable[[Writes, Request, Response], Answer]:
    def read(self: Writes, request: Request, answer: Response) -> Answer:
        if answer.status != 200 or key(request) not in self.deleted or answer.document.get(member):
            return answer
        older = [document[member] for document in self.put.get(key(request), []) if document.get(member)]
        return edited(answer, **{member: older[0]}) if older else answer

    return read


def _leaks(member: str) -> Build:
    class Leaks(Writes):
        last: Any = None

        def read(self, request: Request, answer: Response) -> Answer:
            if answer.status != 200:
                return answer
            self.last = answer.document.get(member) or self.last
            return edited(answer, **{member: self.last}) if self.last else answer

    return Leaks


def _stays_when_members_go(self: Writes, request: Request, answer: Response) -> Answer:
    documents, before = self.alive.get(key(request), []), self.answers.get(key(request))
    fewer = len(documents) > 1 and documents[-1].keys() < documents[-2].keys()
    if answer.status != 200 or not before or not fewer:
        return answer
    return edited(answer, LastUpdatedAt=before[-1].document["LastUpdatedAt"])


def _shares_a_default() -> Build:
    class Shares(Writes):
        def __init__(self) -> None:
            super().__init__()
            self.types: Document = {}

        def remember(self, request: Request) -> None:
            super().remember(request)
            if request.operation == PUT:
                self.types.update(request.document.get("ObjectTypeNames") or {})

        def read(self, request: Request, answer: Response) -> Answer:
            lacks = answer.status == 200 and not answer.document.get("ObjectTypeNames")
            return edited(answer, ObjectTypeNames=self.types) if lacks and self.types else answer

    return Shares


def _one_replica_is_behind() -> Build:
    class Replicas(Writes):
        count = 0

        def read(self, request: Request, answer: Response) -> Answer:
            documents = self.alive.get(key(request), [])
            self.count += 1
            if answer.status != 200 or len(documents) < 2 or self.count % 3:
                return answer
            return edited(answer, ObjectTypeName=documents[-2].get("ObjectTypeName"))

    return Replicas


def _loses_after_an_update(member: str) -> Callable[[Writes, Request, Response], Answer]:
    def read(self: Writes, request: Request, answer: Response) -> Answer:
        updated = len(self.alive.get(key(request), ())) > 1
        return edited(answer, **{member: None}) if answer.status == 200 and updated else answer

    return read


def _deletes_only_once_put(self: Writes, request: Request, answer: Response) -> Answer:
    place = key(request)
    lost = answer.status == 404 and place in self.deleted and len(self.put.get(place, ())) > 1
    return self.answers[place][-1] if lost and place in self.answers else answer


_add_stateful(
    "updated-moves-with-type",
    "LastUpdatedAt moves only with ObjectTypeName.",
    "state.LastUpdatedAt.moves",
    reads(_moves_with_the_type),
)
_add_stateful(
    "updated-stays-when-members-go",
    "LastUpdatedAt stays when an update only leaves out members.",
    "state.LastUpdatedAt.moves",
    reads(_stays_when_members_go),
)
_add_stateful(
    "types-shared",
    "Integrations without ObjectTypeNames share those of all.",
    "state.put-get.ObjectTypeNames",
    _shares_a_default(),
)
_add_stateful(
    "replica-behind",
    "One of three replicas is always one version behind.",
    "state.update.visible state.read-only",
    _one_replica_is_behind(),
)
_add_stateful(
    "update-loses-scope",
    "An update loses Scope.",
    "state.update.visible",
    reads(_loses_after_an_update("Scope")),
)
_add_stateful(
    "updated-stays-undeleted",
    "An integration that was put twice cannot be deleted.",
    "state.deleted",
    reads(_deletes_only_once_put),
)
for _member in ("RoleArn", "ObjectTypeNames", "EventTriggerNames"):
    _add_stateful(
        f"recreated-with-{_member}",
        f"An integration that is made again has the old {_member}.",
        "state.recreated",
        reads(_keeps_from_before(_member)),
    )
    _add_stateful(
        f"leaks-{_member}",
        f"{_member} of the last answer stays in those without.",
        f"state.put-get.{_member}",
        _leaks(_member),
    )


def _values(member: str, change: Callable[[str], str]) -> Callable[[Document], Document]:
    def changed(document: Document) -> Document:
        if not document.get(member):
            return document
        return {**document, member: {name: change(value) for name, value in document[member].items()}}

    return changed


_TEXTS: dict[str, Key] = {
    "html-escaped": html.escape,
    "as-numbers": lambda text: str(int(text)) if text.isdigit() else text,
    "without-returns": lambda text: text.replace("\r\n", "\n"),
    "nfc": lambda text: unicodedata.normalize("NFC", text),
    "cut-at-equals-signs": lambda text: text.rpartition("=")[2],
}
for _name, _change in _TEXTS.items():
    _add(
        f"tags-{_name}",
        f"Values of tags come back changed: {_name}.",
        "state.put-get.Tags",
        on_document(_values("Tags", _change)),
    )


def _turned_round_twice(document: Document) -> Document:
    if not document.get("ObjectTypeNames"):
        return document
    by_type = {value: name for name, value in document["ObjectTypeNames"].items()}
    return {**document, "ObjectTypeNames": {name: value for value, name in by_type.items()}}


_add(
    "types-of-one-event",
    "Of event types with the same ObjectTypeName one stays.",
    "state.put-get.ObjectTypeNames",
    on_document(_turned_round_twice),
)
_add(
    "returns-lost-in-uri",
    "CRLF in a Uri comes back as LF.",
    "response.echo.Uri",
    on_document(lambda document: sets("Uri", document["Uri"].replace("\r\n", "\n"))(document)),
)
_add_stateful(
    "uri-as-number",
    "Uris are kept in a column that is a number where it can.",
    "state.put-get.Uri",
    one_of_all(lambda uri: uri.lstrip("0") if uri.isdigit() else uri),
)


def _read_that_writes(request: Request, forward: Forward) -> Answer:
    document = request.document
    if is_get(request) and isinstance(document, dict) and "ObjectTypeName" in document:
        forward(resigned(Request("PUT", request.target, request.headers, request.body)))
    return forward(request)


_add("read-writes", "Members of GetIntegration's body are written.", "state.read-only", _read_that_writes)

# --- What belongs to another --------------------------------------------------------------------------------


def _deletes_everywhere(request: Request, forward: Forward) -> Answer:
    answer = forward(request)
    if request.operation == DELETE and is_by(request, "other-account") and answer.status == 200:
        forward(resigned(request, CALLER))
    return answer


def _deleted_with(matches: Callable[[str, str], bool]) -> Build:
    """Deleting a domain takes along others whose names match its own."""

    def build() -> Callable[[Request, Forward], Answer]:
        made: set[str] = set()
        gone: set[str] = set()

        def handler(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            if answer.status == 200 and request.operation == CREATE_DOMAIN:
                made.add(request.domain)
                gone.discard(request.domain)
            elif answer.status == 200 and request.operation == DELETE_DOMAIN:
                made.discard(request.domain)
                gone.update(name for name in made if matches(request.domain, name))
            hidden = is_get(request) and request.domain in gone and answer.status == 200
            return error(404, "ResourceNotFoundException") if hidden else answer

        return handler

    return build


def _loses_writes_at_once() -> Callable[[Request, Forward], Answer]:
    """A put is lost if another to the same domain begins before it has ended."""
    begun: dict[str, int] = {}
    lost: set[tuple[str, str]] = set()
    lock = threading.Lock()

    def handler(request: Request, forward: Forward) -> Answer:
        if request.operation != PUT:
            answer = forward(request)
            hidden = is_get(request) and key(request) in lost and answer.status == 200
            return error(404, "ResourceNotFoundException") if hidden else answer
        with lock:
            begun[request.domain] = number = begun.get(request.domain, 0) + 1
        answer = forward(request)
        with lock:
            (lost.discard if begun[request.domain] == number else lost.add)(key(request))
        return answer

    return handler


def _deletes_by_pattern() -> Build:
    class Deletes(Writes):
        def __init__(self) -> None:
            super().__init__()
            self.gone: set[tuple[str, str]] = set()

        def remember(self, request: Request) -> None:
            super().remember(request)
            if request.operation == DELETE:
                gone = [
                    place
                    for place in self.alive
                    if place[0] == request.domain and like(request.text, place[1])
                ]
                self.gone.update(gone)
            elif request.operation == PUT:
                self.gone.discard(key(request))

        def read(self, request: Request, answer: Response) -> Answer:
            gone = key(request) in self.gone and answer.status == 200
            return error(404, "ResourceNotFoundException") if gone else answer

    return Deletes


_add_stateful(
    "deletes-by-pattern",
    "Deleting takes the Uri for a pattern of LIKE.",
    "state.update.isolated",
    _deletes_by_pattern(),
)
_add_stateful(
    "uri-alike-in-200-characters",
    "Uris are compared by their first 200 characters.",
    "missing.integration",
    near(lambda asked, known: len(asked) > 200 and asked[:200] == known[:200], same),
)
_add(
    "found-by-the-domains-name",
    "The name of a domain finds its first integration.",
    "missing.integration",
    accepts(
        lambda request: request.text == request.domain,
        lambda request: request.with_uri("s3://Contract-Bucket/Caf\u00e9/a%20b/Object"),
    ),
)
_add(
    "deletes-in-all-accounts",
    "Deleting in another account deletes the caller's own.",
    "state.update.isolated",
    _deletes_everywhere,
)
for _name, _matches in (
    ("of-the-same-beginning", lambda name, other: other.startswith(name)),
    ("like-it", lambda name, other: like(name, other)),
):
    _add_stateful(
        f"deletes-domains-{_name}",
        f"Deleting a domain deletes others: {_name}.",
        "state.update.isolated",
        _deleted_with(_matches),
    )
_add_stateful(
    "writes-at-once-lost",
    "Of two writes at once to a domain, the first to begin is lost.",
    "state.update.isolated concurrency.own-answer",
    _loses_writes_at_once,
)
for _name, _mark in (("underscore", "_"), ("hyphen", "-"), ("nothing", "")):
    _add_stateful(
        f"key-joined-by-{_name}",
        f"Domain and Uri are one key, joined by: {_name}.",
        "missing.other-domain",
        found_by(bind(_mark, lambda mark, asked, known: mark.join(asked) == mark.join(known))),
    )


def _matches(asked: str, known: str) -> bool:
    try:
        return re.fullmatch(known, asked) is not None
    except re.error:
        return False


def _lower_scheme(uri: str) -> str:
    return re.sub("^[^:]*", lambda found: found[0].lower(), uri)


def _lower_host(uri: str) -> str:
    return re.sub("(?<=://)[^/]*", lambda found: found[0].lower(), uri)


_URIS: tuple[tuple[str, str, Same], ...] = (
    ("scheme-in-lower-case", "case", equal(_lower_scheme)),
    ("host-in-lower-case", "case", equal(_lower_host)),
    ("last-segment", "suffix", lambda asked, known: asked == known.rpartition("/")[2]),
    ("last-part", "suffix", lambda asked, known: asked == known.rpartition(":")[2]),
    ("full-stop", "suffix", equal(lambda uri: uri.rstrip("."))),
    ("quotation-marks", "whitespace", equal(lambda uri: uri.strip('"'))),
    ("backslashes", "segments", equal(lambda uri: uri.replace("\\", "/"))),
    ("known-glob", "wildcard", lambda asked, known: fnmatch.fnmatchcase(asked, known)),
    ("known-expression", "wildcard", _matches),
    ("known-sql-pattern", "wildcard", lambda asked, known: like(known, asked)),
)
for _name, _clause, _comparison in _URIS:
    _add_stateful(
        f"uri-{_name}", f"Uris are compared by: {_name}.", f"missing.uri.{_clause}", near(_comparison, same)
    )
for _name, _key in (
    ("cut-to-63", lambda name: name[:63]),
    ("stripped-of-hyphens", lambda name: name.strip("-")),
    ("stripped-of-underscores", lambda name: name.strip("_")),
):
    _add_stateful(
        f"domain-{_name}", f"Names of domains are {_name}.", "missing.domain.near", near(same, equal(_key))
    )


def _type_names(self: Writes, request: Request) -> Iterable[tuple[str, str]]:
    for (domain, uri), documents in self.alive.items():
        if domain == request.domain and documents[-1].get("ObjectTypeName") == request.text:
            yield domain, uri


def _found_by_type() -> Callable[[Request, Forward], Answer]:
    class ByType(Writes):
        def __call__(self, request: Request, forward: Forward) -> Answer:
            answer = super().__call__(request, forward)
            if is_get(request) and isinstance(answer, Response) and answer.status == 404:
                for _, uri in _type_names(self, request):
                    return forward(resigned(request.with_uri(uri)))
            return answer

    return ByType()


_add_stateful(
    "found-by-type",
    "An integration is found by its type too.",
    "missing.integration",
    _found_by_type,
)

# --- Who asks -----------------------------------------------------------------------------------------------


def _remembers_authorizations() -> Callable[[Request, Forward], Answer]:
    good: set[str] = set()

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        authorization = request.header("authorization") or ""
        if not unauthenticated(answer):
            good.add(authorization)
        elif authorization in good:
            return forward(resigned(request))
        return answer

    return handler


def _remembers_answers() -> Callable[[Request, Forward], Answer]:
    kept: dict[tuple[str, bytes], Response] = {}

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        place = request.domain, request.body
        if is_get(request) and answer.status == 200:
            kept[place] = answer
        elif request.operation in (PUT, DELETE, DELETE_DOMAIN):
            kept.clear()
        denied = is_by(request, "unauthorized") and not unauthenticated(answer)
        return kept.get(place, answer) if is_get(request) and denied else answer

    return handler


_add(
    "token-is-enough",
    "Beside a right session token the signature is not verified.",
    "sigv4.wrong-secret",
    serves_claims(
        lambda request, claim: (
            request.header("x-amz-security-token") == IDENTITIES["temporary"].session_token
            and claim.identity == IDENTITIES["temporary"]
        )
    ),
)
_add_stateful(
    "authorization-remembered",
    "An Authorization that was good once is good for anything.",
    "sigv4.tampered-body",
    _remembers_authorizations,
)
_add(
    "hash-unsent-unverified",
    "A body whose hash is not sent beside it is not verified.",
    "sigv4.tampered-body",
    serves_claims(lambda request, claim: request.header("x-amz-content-sha256") is None),
)
_add(
    "chunks-unverified",
    "The signature of a chunked body is not verified.",
    "sigv4.tampered-body",
    serves_claims(lambda request, claim: request.chunked),
)
_add_stateful(
    "denied-unless-remembered",
    "An answer that is remembered goes to whoever asks.",
    "access.unauthorized",
    _remembers_answers,
)

# --- What is rejected ---------------------------------------------------------------------------------------


def _unwrapped(request: Request) -> Request | None:
    document = request.document
    if isinstance(document, dict) and "Uri" not in document and len(document) == 1:
        (inner,) = document.values()
        return request.with_document(inner) if isinstance(inner, dict) and "Uri" in inner else None
    return None


def _from_pairs(request: Request) -> Request | None:
    try:
        return request.with_document(dict(request.document)) if isinstance(request.document, list) else None
    except (TypeError, ValueError):
        return None


def _stripped(request: Request) -> Request | None:
    text = request.body.decode("utf-8", "surrogateescape")
    body = text.strip().strip("\0").encode("utf-8", "surrogateescape")
    same = body == request.body or load(body) is MISSING or load(request.body) is not MISSING
    return None if same else request.with_body(body)


def _composed(request: Request) -> str:
    return unicodedata.normalize("NFC", request.text)


_add("wrapper-opened", "A Uri in a wrapper is found.", "request.uri-in-body", asks(_unwrapped))
_add("pairs-read", "A list of pairs is taken for an object.", "request.body.type", asks(_from_pairs))
_add("body-stripped", "All of Unicode's white space may surround JSON.", "request.json", asks(_stripped))
_add(
    "domain-from-camel-case",
    "domainName of the body beats the path.",
    "request.domain-in-path",
    asks(named_in_body("domainName")),
)
_add(
    "name-without-regard-to-case",
    "The pattern of a name is matched without regard to case, in Unicode.",
    "request.DomainName.pattern",
    accepts(
        lambda request: (
            not valid_name(request) and re.fullmatch("[a-z0-9_-]+", request.domain, re.I) is not None
        ),
        lambda request: request.with_domain("Folded"),
    ),
)
_add(
    "matrix-parameters",
    "What follows a semicolon in the path is ignored.",
    "request.DomainName.pattern",
    accepts(
        lambda request: ";" in request.path,
        lambda request: request.with_domain(request.domain.partition(";")[0]),
    ),
)
_add(
    "uri-length-composed",
    "A Uri is measured as it is in NFC.",
    "request.Uri.maxLength",
    accepts(
        lambda request: len(request.text) > 255 >= len(_composed(request)),
        lambda request: request.with_uri(_composed(request)),
    ),
)
