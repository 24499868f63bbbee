"""Servers whose answers are stale, or survive what was deleted, or change by being read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .kit import Build, Theme, always, bind, from_one, is_get, observes
from .messages import DELETE, DELETE_DOMAIN, PUT, Answer, Request, Response, error
from .signing import key_of, refused
from .writes import Writes, edited, key, reads, whole_key

THEME = Theme("stale")
_add = THEME.add_stateful

# --- Answers that are stale ---------------------------------------------------------------------------------


_WRITES = (PUT, DELETE, DELETE_DOMAIN)


def _cached(cache_key: Callable[[Request], object], emptied_by: tuple[str, ...] = _WRITES) -> Build:
    """A cache of 200 answers that some writes empty."""

    def change(cache: dict[object, Response], request: Request, answer: Response) -> Answer:
        if request.operation in emptied_by:
            cache.clear()
        if not is_get(request) or refused(answer):
            return answer
        if answer.status == 200:
            return cache.setdefault(cache_key(request), answer)
        return cache.get(cache_key(request), answer) if answer.status == 404 else answer

    return observes(dict, always)(change)


_ECHO = "response.echo.Uri response.echo.DomainName"
_DELETED = "state.deleted state.deleted-domain"
for _name, _what, _clauses, _operations in (
    ("for-ever", "Nothing empties", f"state.update.visible {_DELETED}", ()),
    ("until-deletion", "An update does not empty", "state.update.visible", (DELETE, DELETE_DOMAIN)),
    ("until-update", "A deletion does not empty", _DELETED, (PUT,)),
    ("until-write-to-it", "Deleting a domain does not empty", "state.deleted-domain", (PUT, DELETE)),
):
    _add(f"cached-{_name}", f"{_what} the cache.", _clauses, _cached(whole_key, _operations))
_PARTS: tuple[tuple[str, str, str, Callable[[Request], object]], ...] = (
    ("domain", "domains", "missing.integration", lambda request: request.domain),
    ("uri", "Uris", "missing.other-domain missing.domain", lambda request: request.text),
    (
        "length",
        "domains and the lengths of Uris",
        "missing.uri.case missing.integration",
        lambda request: (request.domain, len(request.text)),
    ),
)
for _name, _what, _clauses, _part in _PARTS:
    _add(
        f"cached-by-{_name}",
        f"The cache knows {_what} only.",
        f"{_ECHO} {_clauses}",
        _cached(bind(_part, lambda part, request: (key_of(request), part(request)))),
    )


@THEME.mutant("cached-by-connection", "state.update.visible", observes(dict, always))
def _each_its_cache(caches: dict[int, dict[object, Response]], request: Request, answer: Response) -> Answer:
    """Each connection has a cache, which only writes on that connection empty."""
    cache = caches.setdefault(request.connection, {})
    if not is_get(request):
        cache.clear()
        return answer
    return cache.setdefault(whole_key(request), answer) if answer.status == 200 else answer


@THEME.mutant("update-seen-late", "state.update.visible", reads)
def _previous(self: Writes, request: Request, answer: Response) -> Answer:
    """The first reading after an update sees what was there before."""
    writes, before = self.put.get(key(request), []), self.answers.get(key(request), [])
    if answer.status != 200 or len(writes) < 2 or not before or before[-1].content == answer.content:
        return answer
    return before[-1]


@THEME.mutant("update-not-kept", "state.update.visible", reads)
def _first_update_only(self: Writes, request: Request, answer: Response) -> Answer:
    """An update changes LastUpdatedAt and nothing else."""
    writes = self.alive.get(key(request), [])
    if answer.status != 200 or len(writes) < 2:
        return answer
    members = {key: value for key, value in writes[0].items() if key in answer.document}
    return edited(answer, **members)


@THEME.mutant("recreated-as-it-was", "state.recreated", reads)
def _first_version(self: Writes, request: Request, answer: Response) -> Answer:
    """What is made again is what it was first."""
    first = self.answers.get(key(request), [])
    return first[0] if answer.status == 200 and key(request) in self.deleted and first else answer


@THEME.mutant("recreated-not-found", "state.recreated", reads)
def _stays_deleted(self: Writes, request: Request, answer: Response) -> Answer:
    """What was deleted cannot be made again."""
    gone = answer.status == 200 and key(request) in self.deleted
    return error(404, "ResourceNotFoundException") if gone else answer


@THEME.mutant(
    "deletion-takes-others-along",
    "state.update.isolated state.deleted state.recreated response.status",
    reads,
)
def _takes_others_along(self: Writes, request: Request, answer: Response) -> Answer:
    """The deletion of an integration takes all others of its domain along."""
    gone = any(domain == request.domain for domain, _ in self.deleted)
    return error(404, "ResourceNotFoundException") if gone and answer.status == 200 else answer


@THEME.mutant("integration-outlives-domain", "state.deleted-domain", reads)
def _outlives_domain(self: Writes, request: Request, answer: Response) -> Answer:
    """The integrations of a deleted domain can still be read."""
    known = self.answers.get(key(request), [])
    return known[-1] if answer.status == 404 and known and request.domain in self.deleted_domains else answer


@THEME.mutant("integration-comes-back-with-domain", "state.deleted-domain", reads)
def _comes_back(self: Writes, request: Request, answer: Response) -> Answer:
    """The integrations of a deleted domain come back when something is put into one made again."""
    known = self.answers.get(key(request), [])
    revived = request.domain in self.deleted_domains and any(d == request.domain for d, _ in self.alive)
    return known[-1] if answer.status == 404 and known and revived else answer


@THEME.mutant("deletion-without-effect", "state.deleted", reads)
def _outlives_deletion(self: Writes, request: Request, answer: Response) -> Answer:
    """A deleted integration can still be read."""
    known = self.answers.get(key(request), [])
    return known[-1] if answer.status == 404 and known and key(request) in self.deleted else answer


@THEME.mutant("deletion-as-a-mark", "state.deleted", reads)
def _marked_deleted(self: Writes, request: Request, answer: Response) -> Answer:
    """A deleted integration is answered 200, marked as deleted."""
    known = self.answers.get(key(request), [])
    gone = answer.status == 404 and known and key(request) in self.deleted
    return edited(known[-1], Deleted=True) if gone else answer


def _gone(status: int, error_type: str) -> Build:
    def read(self: Writes, request: Request, answer: Response) -> Answer:
        gone = answer.status == 404 and (
            key(request) in self.deleted or request.domain in self.deleted_domains
        )
        return error(status, error_type) if gone else answer

    return reads(read)


_add(
    "deleted-is-410", "What was deleted is answered 410 GoneException.", _DELETED, _gone(410, "GoneException")
)
_add("deleted-crashes", "What was deleted is answered 500.", _DELETED, _gone(500, "InternalServerException"))


@THEME.mutant(
    "overwrites-others", "state.update.isolated state.update.visible state.put-get.ObjectTypeName", reads
)
def _overwritten(self: Writes, request: Request, answer: Response) -> Answer:
    """A write changes the ObjectTypeName of all integrations of the domain."""
    latest = next((docs[-1] for key, docs in reversed(self.put.items()) if key[0] == request.domain), {})
    name = latest.get("ObjectTypeName")
    return edited(answer, ObjectTypeName=name) if answer.status == 200 and name else answer


@THEME.mutant("overwrites-other-domains", "state.update.isolated state.put-get.Tags", reads)
def _overwritten_across(self: Writes, request: Request, answer: Response) -> Answer:
    """A write changes the tags of the integrations of all domains."""
    latest = list(self.put.values())[-1][-1] if self.put else {}
    return edited(answer, Tags=latest["Tags"]) if answer.status == 200 and latest.get("Tags") else answer


@THEME.mutant("absence-remembered", "state.recreated state.put-get.Uri response.status", observes(set))
def _remembers_absence(absent: set[object], request: Request, answer: Response) -> Answer:
    """What once did not exist is not found for ever."""
    if not refused(answer) and answer.status == 404:
        absent.add(whole_key(request))
    again = answer.status == 200 and whole_key(request) in absent
    return error(404, "ResourceNotFoundException") if again else answer


@THEME.mutant("reading-consumes", "state.read-only response.status", observes(set))
def _reading_consumes(last: set[object], request: Request, answer: Response) -> Answer:
    """A second reading in a row finds nothing."""
    if answer.status != 200:
        return answer
    again = whole_key(request) in last
    last.clear()
    if not again:
        last.add(whole_key(request))
    return error(404, "ResourceNotFoundException") if again else answer


@THEME.mutant("workflow-of-each-reading", "state.read-only", observes(from_one))
def _counting(numbers: Iterator[int], request: Request, answer: Response) -> Answer:
    """WorkflowId is another on every reading."""
    return edited(answer, WorkflowId=f"Reading_{next(numbers)}") if answer.status == 200 else answer
