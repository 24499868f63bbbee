"""Servers whose answers are stale, or survive what was deleted, or change by being read."""

from collections.abc import Callable, Iterator

from .fates import CRASH, NOT_FOUND
from .kit import Theme, always, from_one, is_get, observes
from .messages import DELETE, DELETE_DOMAIN, PUT, WRITES, Answer, Handler, Request, Response, error
from .signing import key_of, refused
from .writes import Document, History, edits, loses, reads, revives, whole_key

THEME = Theme("stale")

# --- Answers that are stale ---------------------------------------------------------------------------------


def _cached(cache_key: Callable[[Request], object], emptied_by: tuple[str, ...] = WRITES) -> Handler:
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
    THEME[_clauses] = {f"cached-{_name}: {_what} the cache.": _cached(whole_key, _operations)}
for _name, _what, _clauses, _part in (
    ("domain", "domains", "missing.integration", lambda r: r.domain),
    ("uri", "Uris", "missing.other-domain missing.domain", lambda r: r.text),
    (
        "length",
        "domains and the lengths of Uris",
        "missing.uri.case missing.integration",
        lambda r: (r.domain, len(r.text)),
    ),
):
    THEME[f"{_ECHO} {_clauses}"] = {
        f"cached-by-{_name}: It knows {_what} only.": _cached(lambda r, part=_part: (key_of(r), part(r)))
    }


@THEME.mutant("cached-by-connection", "state.update.visible", observes(dict, always))
def _each_its_cache(caches: dict[int, dict[object, Response]], request: Request, answer: Response) -> Answer:
    """Each connection has a cache, which only writes on that connection empty."""
    cache = caches.setdefault(request.connection, {})
    if not is_get(request):
        cache.clear()
        return answer
    return cache.setdefault(whole_key(request), answer) if answer.status == 200 else answer


@THEME.mutant("update-seen-late", "state.update.visible", reads)
def _previous(history: History, answer: Response) -> Answer:
    """The first reading after an update sees what was there before."""
    before = history.answers[-1:]
    late = answer.status == 200 and len(history.put) > 1 and before and before[0].content != answer.content
    return before[0] if late else answer


@THEME.mutant("update-not-kept", "state.update.visible", edits)
def _first_update_only(history: History, document: Document) -> Document:
    """An update changes LastUpdatedAt and nothing else."""
    first = history.alive[0] if history.updated else {}
    return {name: value for name, value in first.items() if name in document}


def _gone(fate: Response) -> Handler:
    return reads(lambda h, a: fate if a.status == 404 and (h.deleted or h.domain_deleted) else a)


THEME["state.recreated"] = {
    "recreated-as-it-was: What is made again is what it was first.": reads(
        lambda h, a: h.answers[0] if a.status == 200 and h.deleted and h.answers else a
    ),
    "recreated-not-found: What was deleted cannot be made again.": loses(lambda h: h.deleted),
}
THEME["state.update.isolated state.deleted state.recreated response.status"] = {
    "deletion-takes-others-along: It takes all others of its domain along.": loses(
        lambda h: any(domain == h.request.domain for domain, _ in h.past.deleted)
    )
}
THEME["state.deleted-domain"] = {
    "integration-outlives-domain: It can still be read.": revives(lambda h: h.domain_deleted),
    "integration-comes-back-with-domain: It is there again once its domain holds another.": revives(
        lambda h: h.domain_deleted and any(d == h.request.domain for d, _ in h.past.alive)
    ),
}
THEME["state.deleted"] = {
    "deletion-without-effect: A deleted integration can still be read.": revives(lambda h: h.deleted),
    "deletion-as-a-mark: It is only marked.": revives(lambda h: h.deleted, lambda a: a.edited(Deleted=True)),
}
THEME[_DELETED] = {
    "deleted-is-410: What was deleted is answered 410 GoneException.": _gone(error(410, "GoneException")),
    "deleted-crashes: What was deleted is answered 500.": _gone(CRASH),
}


@THEME.mutant(
    "overwrites-others", "state.update.isolated state.update.visible state.put-get.ObjectTypeName", edits
)
def _overwritten(history: History, _: Document) -> Document:
    """A write changes the ObjectTypeName of all integrations of the domain."""
    puts = reversed(history.past.put.items())
    latest = next((docs[-1] for (domain, _), docs in puts if domain == history.request.domain), {})
    return {"ObjectTypeName": latest["ObjectTypeName"]} if latest.get("ObjectTypeName") else {}


@THEME.mutant("overwrites-other-domains", "state.update.isolated state.put-get.Tags", edits)
def _overwritten_across(history: History, _: Document) -> Document:
    """A write changes the tags of the integrations of all domains."""
    latest = list(history.past.put.values())[-1][-1] if history.past.put else {}
    return {"Tags": latest["Tags"]} if latest.get("Tags") else {}


@THEME.mutant("role-of-the-same-uri", "state.update.isolated", edits)
def _role_across(history: History, _: Document) -> Document:
    """A write changes RoleArn of the integrations of the same Uri in all domains."""
    puts = [docs[-1] for (_, uri), docs in history.past.put.items() if uri == history.request.text]
    roles = [document["RoleArn"] for document in puts if document.get("RoleArn")]
    return {"RoleArn": roles[-1]} if roles else {}


@THEME.mutant("third-update-lost", "state.update.visible", edits)
def _third_lost(history: History, document: Document) -> Document:
    """The third update of an integration changes LastUpdatedAt and nothing else."""
    second = history.alive[2] if len(history.alive) > 3 else {}
    return {name: value for name, value in second.items() if name in document}


@THEME.mutant("absence-remembered", "state.recreated state.put-get.Uri response.status", observes(set))
def _remembers_absence(absent: set[object], request: Request, answer: Response) -> Answer:
    """What once did not exist is not found for ever."""
    if not refused(answer) and answer.status == 404:
        absent.add(whole_key(request))
    return NOT_FOUND if answer.status == 200 and whole_key(request) in absent else answer


@THEME.mutant("reading-consumes", "state.read-only response.status", observes(set))
def _reading_consumes(last: set[object], request: Request, answer: Response) -> Answer:
    """A second reading in a row finds nothing."""
    if answer.status != 200:
        return answer
    again = whole_key(request) in last
    last.clear()
    if not again:
        last.add(whole_key(request))
    return NOT_FOUND if again else answer


@THEME.mutant("workflow-of-each-reading", "state.read-only", observes(from_one))
def _counting(numbers: Iterator[int], request: Request, answer: Response) -> Answer:
    """WorkflowId is another on every reading."""
    return answer.edited(WorkflowId=f"Reading_{next(numbers)}") if answer.status == 200 else answer
