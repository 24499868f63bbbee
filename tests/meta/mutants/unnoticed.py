"""Faults that a third independent server got past the suite with, until they were looked for."""

from __future__ import annotations

import html
import re
import unicodedata

from .escaped import named_in_body, one_of_all
from .excuses import serves_claims
from .kit import (
    Build,
    Theme,
    accepts,
    alters,
    always,
    asks,
    bind,
    is_get,
    observes,
    plain,
    remembers,
    stateless,
    valid_name,
)
from .lookup import Key
from .messages import (
    DELETE,
    DELETE_DOMAIN,
    MISSING,
    PUT,
    Answer,
    Forward,
    Request,
    Response,
    load,
)
from .signing import IDENTITIES, is_by, refused, resigned, unauthenticated
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
        alters("CreatedAt", _time),
    )


@THEME.mutant("updated-moves-with-type", "state.LastUpdatedAt.moves", reads)
def _moves_with_the_type(self: Writes, request: Request, answer: Response) -> Answer:
    """LastUpdatedAt moves only with ObjectTypeName."""
    documents, before = self.alive.get(key(request), []), self.answers.get(key(request))
    types = [document.get("ObjectTypeName") for document in documents[-2:]]
    if answer.status != 200 or not before or len(types) < 2 or types[0] != types[1]:
        return answer
    return edited(answer, LastUpdatedAt=before[0].document["LastUpdatedAt"])


@THEME.mutant("updated-stays-when-members-go", "state.LastUpdatedAt.moves", reads)
def _stays_when_members_go(self: Writes, request: Request, answer: Response) -> Answer:
    """LastUpdatedAt stays when an update only leaves out members."""
    documents, before = self.alive.get(key(request), []), self.answers.get(key(request))
    fewer = len(documents) > 1 and documents[-1].keys() < documents[-2].keys()
    if answer.status != 200 or not before or not fewer:
        return answer
    return edited(answer, LastUpdatedAt=before[-1].document["LastUpdatedAt"])


@THEME.mutant("types-shared", "state.put-get.ObjectTypeNames", reads)
def _shares_a_default(self: Writes, request: Request, answer: Response) -> Answer:
    """Integrations without ObjectTypeNames share those of all."""
    types: Document = {}
    for documents in self.put.values():
        for document in documents:
            types |= document.get("ObjectTypeNames") or {}
    lacks = answer.status == 200 and not answer.document.get("ObjectTypeNames")
    return edited(answer, ObjectTypeNames=types) if lacks and types else answer


@THEME.mutant("replica-behind", "state.update.visible state.read-only", reads)
def _one_replica_is_behind(self: Writes, request: Request, answer: Response) -> Answer:
    """One of three replicas is always one version behind."""
    documents = self.alive.get(key(request), [])
    self.notes["count"] = count = self.notes.get("count", 0) + 1
    if answer.status != 200 or len(documents) < 2 or count % 3:
        return answer
    return edited(answer, ObjectTypeName=documents[-2].get("ObjectTypeName"))


@THEME.mutant("update-loses-scope", "state.update.visible", reads)
def _loses_scope(self: Writes, request: Request, answer: Response) -> Answer:
    """An update loses Scope."""
    updated = len(self.alive.get(key(request), ())) > 1
    return edited(answer, Scope=None) if answer.status == 200 and updated else answer


@THEME.mutant("updated-stays-undeleted", "state.deleted", reads)
def _deletes_only_once_put(self: Writes, request: Request, answer: Response) -> Answer:
    """An integration that was put twice cannot be deleted."""
    place = key(request)
    lost = answer.status == 404 and place in self.deleted and len(self.put.get(place, ())) > 1
    return self.answers[place][-1] if lost and place in self.answers else answer


def _keeps_from_before(member: str) -> Build:
    def read(self: Writes, request: Request, answer: Response) -> Answer:
        if answer.status != 200 or key(request) not in self.deleted or answer.document.get(member):
            return answer
        older = [document[member] for document in self.put.get(key(request), []) if document.get(member)]
        return edited(answer, **{member: older[0]}) if older else answer

    return reads(read)


def _leaks(member: str) -> Build:
    def leaks(last: Document, request: Request, answer: Response) -> Answer:
        if answer.status != 200 or refused(answer):
            return answer
        last[member] = answer.document.get(member) or last.get(member)
        return edited(answer, **last) if last[member] else answer

    return observes(dict)(leaks)


for _member in ("RoleArn", "ObjectTypeNames", "EventTriggerNames"):
    _add_stateful(
        f"recreated-with-{_member}",
        f"An integration that is made again has the old {_member}.",
        "state.recreated",
        _keeps_from_before(_member),
    )
    _add_stateful(
        f"leaks-{_member}",
        f"{_member} of the last answer stays in those without.",
        f"state.put-get.{_member}",
        _leaks(_member),
    )


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
        alters("Tags", bind(_change, lambda change, tags: {key: change(tags[key]) for key in tags})),
    )


def _turned_round(names: dict[str, str]) -> dict[str, str]:
    return {value: name for name, value in names.items()}


_add(
    "types-of-one-event",
    "Of event types with the same ObjectTypeName one stays.",
    "state.put-get.ObjectTypeNames",
    alters("ObjectTypeNames", lambda names: _turned_round(_turned_round(names))),
)
_add(
    "returns-lost-in-uri",
    "CRLF in a Uri comes back as LF.",
    "response.echo.Uri",
    alters("Uri", lambda uri: uri.replace("\r\n", "\n")),
)
_add_stateful(
    "uri-as-number",
    "Uris are kept in a column that is a number where it can.",
    "state.put-get.Uri",
    one_of_all(lambda uri: uri.lstrip("0") if uri.isdigit() else uri),
)
_add_stateful(
    "uri-in-255-bytes",
    "Uris are kept in a column of 255 bytes, which cuts off the rest.",
    "state.put-get.Uri",
    one_of_all(lambda uri: uri.encode(errors="surrogatepass")[:255].decode(errors="replace")),
)
_add_stateful(
    "uri-in-16-bits",
    "Characters of Uris are kept in 16 bits each, which cuts off their plane.",
    "state.put-get.Uri",
    one_of_all(lambda uri: "".join(chr(ord(character) & 0xFFFF) for character in uri)),
)


@THEME.mutant("read-writes", "state.read-only", plain)
def _read_that_writes(request: Request, forward: Forward) -> Answer:
    """Members of GetIntegration's body are written."""
    document = request.document
    if is_get(request) and isinstance(document, dict) and "ObjectTypeName" in document:
        forward(resigned(Request("PUT", request.target, request.headers, request.body)))
    return forward(request)


# --- Who asks -----------------------------------------------------------------------------------------------


_TEMPORARY = IDENTITIES["temporary"]
_add(
    "token-is-enough",
    "Beside a right session token the signature is not verified.",
    "sigv4.wrong-secret",
    serves_claims(
        lambda request, claim: (
            request.header("x-amz-security-token") == _TEMPORARY.session_token
            and claim.identity == _TEMPORARY
        )
    ),
)


@THEME.mutant("authorization-remembered", "sigv4.tampered-body", remembers(set))
def _remembers_authorizations(good: set[str], request: Request, forward: Forward) -> Answer:
    """An Authorization that was good once is good for anything."""
    answer = forward(request)
    authorization = request.header("authorization") or ""
    if not unauthenticated(answer):
        good.add(authorization)
    elif authorization in good:
        return forward(resigned(request))
    return answer


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


@THEME.mutant("denied-unless-remembered", "access.unauthorized", observes(dict, always))
def _remembers_answers(kept: dict[tuple[str, bytes], Response], request: Request, answer: Response) -> Answer:
    """An answer that is remembered goes to whoever asks."""
    place = request.domain, request.body
    if is_get(request) and answer.status == 200:
        kept[place] = answer
    elif request.operation in (PUT, DELETE, DELETE_DOMAIN):
        kept.clear()
    denied = is_by(request, "unauthorized") and not unauthenticated(answer)
    return kept.get(place, answer) if is_get(request) and denied else answer


# --- What is rejected ---------------------------------------------------------------------------------------


@THEME.mutant("wrapper-opened", "request.uri-in-body", stateless(asks))
def _unwrapped(request: Request) -> Request | None:
    """A Uri in a wrapper is found."""
    document = request.document
    if isinstance(document, dict) and "Uri" not in document and len(document) == 1:
        (inner,) = document.values()
        return request.with_document(inner) if isinstance(inner, dict) and "Uri" in inner else None
    return None


@THEME.mutant("pairs-read", "request.body.type", stateless(asks))
def _from_pairs(request: Request) -> Request | None:
    """A list of pairs is taken for an object."""
    try:
        return request.with_document(dict(request.document)) if isinstance(request.document, list) else None
    except (TypeError, ValueError):
        return None


@THEME.mutant("body-stripped", "request.json", stateless(asks))
def _stripped(request: Request) -> Request | None:
    """All of Unicode's white space may surround JSON."""
    text = request.body.decode("utf-8", "surrogateescape")
    body = text.strip().strip("\0").encode("utf-8", "surrogateescape")
    same = body == request.body or load(body) is MISSING or load(request.body) is not MISSING
    return None if same else request.with_body(body)


def _composed(request: Request) -> str:
    return unicodedata.normalize("NFC", request.text)


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
