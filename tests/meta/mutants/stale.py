"""Servers whose answers are stale, or survive what was deleted, or change by being read."""

from __future__ import annotations

from collections.abc import Callable

from .kit import Build, Theme, is_get
from .messages import DELETE, DELETE_DOMAIN, PUT, Answer, Forward, Handler, Request, Response, error
from .signing import key_of, refused
from .writes import Writes, edited, key, reads, whole_key

THEME = Theme("stale")
_add = THEME.add_stateful

# --- Answers that are stale ---------------------------------------------------------------------------------


def _cached(cache_key: Callable[[Request], object], forgets: Callable[[Request], bool]) -> Build:
    """A cache of 200 answers that some writes empty."""

    def build() -> Handler:
        cache: dict[object, Response] = {}

        def handler(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            if forgets(request):
                cache.clear()
            if not is_get(request) or refused(answer):
                return answer
            if answer.status == 200:
                return cache.setdefault(cache_key(request), answer)
            return cache.get(cache_key(request), answer) if answer.status == 404 else answer

        return handler

    return build


_ECHO = "response.echo.Uri response.echo.DomainName"
for _name, _description, _clauses, _by, _forgets in (
    (
        "cached-for-ever",
        "The first answer is kept for ever.",
        "state.update.visible state.deleted state.deleted-domain",
        whole_key,
        lambda request: False,
    ),
    (
        "cached-until-deletion",
        "An update does not empty the cache.",
        "state.update.visible",
        whole_key,
        lambda request: request.operation in (DELETE, DELETE_DOMAIN),
    ),
    (
        "cached-until-update",
        "A deletion does not empty the cache.",
        "state.deleted state.deleted-domain",
        whole_key,
        lambda request: request.operation == PUT,
    ),
    (
        "cached-until-write-to-it",
        "The deletion of a domain does not empty the cache.",
        "state.deleted-domain",
        whole_key,
        lambda request: request.operation in (PUT, DELETE),
    ),
    (
        "cached-by-domain",
        "The cache knows domains only.",
        f"{_ECHO} missing.integration",
        lambda request: (key_of(request), request.domain),
        lambda request: request.operation in (PUT, DELETE, DELETE_DOMAIN),
    ),
    (
        "cached-by-uri",
        "The cache knows Uris only.",
        f"{_ECHO} missing.other-domain missing.domain",
        lambda request: (key_of(request), request.text),
        lambda request: request.operation in (PUT, DELETE, DELETE_DOMAIN),
    ),
    (
        "cached-by-length",
        "The key of the cache is the length of the Uri.",
        f"{_ECHO} missing.uri.case missing.integration",
        lambda request: (key_of(request), request.domain, len(request.text)),
        lambda request: request.operation in (PUT, DELETE, DELETE_DOMAIN),
    ),
):
    _add(_name, _description, _clauses, _cached(_by, _forgets))


def _each_its_cache() -> Handler:
    caches: dict[int, dict[object, Response]] = {}

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        cache = caches.setdefault(request.connection, {})
        if not is_get(request):
            cache.clear()
        return (
            cache.setdefault(whole_key(request), answer)
            if is_get(request) and answer.status == 200
            else answer
        )

    return handler


_add(
    "cached-by-connection",
    "Each connection has a cache, which only writes on that connection empty.",
    "state.update.visible",
    _each_its_cache,
)


def _remembers_absence() -> Handler:
    absent: set[object] = set()

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if not is_get(request) or refused(answer):
            return answer
        if answer.status == 404:
            absent.add(whole_key(request))
        elif answer.status == 200 and whole_key(request) in absent:
            return error(404, "ResourceNotFoundException")
        return answer

    return handler


def _previous(self: Writes, request: Request, answer: Response) -> Answer:
    """The first reading after an update sees what was there before."""
    writes, before = self.put.get(key(request), []), self.answers.get(key(request), [])
    if answer.status != 200 or len(writes) < 2 or not before or before[-1].content == answer.content:
        return answer
    return before[-1]


def _first_version(self: Writes, request: Request, answer: Response) -> Answer:
    """What was deleted once comes back as it was first."""
    first = self.answers.get(key(request), [])
    return first[0] if answer.status == 200 and key(request) in self.deleted and first else answer


def _stays_deleted(self: Writes, request: Request, answer: Response) -> Answer:
    gone = answer.status == 200 and key(request) in self.deleted
    return error(404, "ResourceNotFoundException") if gone else answer


def _takes_others_along(self: Writes, request: Request, answer: Response) -> Answer:
    gone = any(domain == request.domain for domain, _ in self.deleted)
    return error(404, "ResourceNotFoundException") if gone and answer.status == 200 else answer


def _outlives_domain(self: Writes, request: Request, answer: Response) -> Answer:
    known = self.answers.get(key(request), [])
    return known[-1] if answer.status == 404 and known and request.domain in self.deleted_domains else answer


def _comes_back(self: Writes, request: Request, answer: Response) -> Answer:
    """A domain that is made again has its old integrations from the first write on."""
    known = self.answers.get(key(request), [])
    revived = request.domain in self.deleted_domains and any(d == request.domain for d, _ in self.alive)
    return known[-1] if answer.status == 404 and known and revived else answer


def _outlives_deletion(self: Writes, request: Request, answer: Response) -> Answer:
    known = self.answers.get(key(request), [])
    return known[-1] if answer.status == 404 and known and key(request) in self.deleted else answer


def _marked_deleted(self: Writes, request: Request, answer: Response) -> Answer:
    known = self.answers.get(key(request), [])
    gone = answer.status == 404 and known and key(request) in self.deleted
    return edited(known[-1], Deleted=True) if gone else answer


def _gone(status: int, error_type: str) -> Callable[[Writes, Request, Response], Answer]:
    def read(self: Writes, request: Request, answer: Response) -> Answer:
        gone = answer.status == 404 and (
            key(request) in self.deleted or request.domain in self.deleted_domains
        )
        return error(status, error_type) if gone else answer

    return read


def _overwritten(self: Writes, request: Request, answer: Response) -> Answer:
    """All integrations of a domain share the members that were written last."""
    latest = next((docs[-1] for key, docs in reversed(self.put.items()) if key[0] == request.domain), {})
    name = latest.get("ObjectTypeName")
    return edited(answer, ObjectTypeName=name) if answer.status == 200 and name else answer


def _overwritten_across(self: Writes, request: Request, answer: Response) -> Answer:
    """All integrations of all domains share the tags that were written last."""
    latest = list(self.put.values())[-1][-1] if self.put else {}
    return edited(answer, Tags=latest["Tags"]) if answer.status == 200 and latest.get("Tags") else answer


def _first_update_only(self: Writes, request: Request, answer: Response) -> Answer:
    """Only the members of the first write are kept; later ones only move LastUpdatedAt."""
    writes = self.alive.get(key(request), [])
    if answer.status != 200 or len(writes) < 2:
        return answer
    members = {key: value for key, value in writes[0].items() if key in answer.document}
    return edited(answer, **members)


for _name, _description, _clauses, _read in (
    (
        "update-seen-late",
        "The first reading after an update sees what was there before.",
        "state.update.visible",
        _previous,
    ),
    (
        "update-not-kept",
        "An update changes LastUpdatedAt and nothing else.",
        "state.update.visible",
        _first_update_only,
    ),
    ("recreated-as-it-was", "What is made again is what it was first.", "state.recreated", _first_version),
    ("recreated-not-found", "What was deleted cannot be made again.", "state.recreated", _stays_deleted),
    (
        "deletion-takes-others-along",
        "The deletion of an integration takes all others of its domain along.",
        "state.update.isolated state.deleted state.recreated response.status",
        _takes_others_along,
    ),
    (
        "integration-outlives-domain",
        "The integrations of a deleted domain can still be read.",
        "state.deleted-domain",
        _outlives_domain,
    ),
    (
        "integration-comes-back-with-domain",
        "The integrations of a deleted domain come back when something is put into one made again.",
        "state.deleted-domain",
        _comes_back,
    ),
    (
        "deletion-without-effect",
        "A deleted integration can still be read.",
        "state.deleted",
        _outlives_deletion,
    ),
    (
        "deletion-as-a-mark",
        "A deleted integration is answered 200, marked as deleted.",
        "state.deleted",
        _marked_deleted,
    ),
    (
        "deleted-is-410",
        "What was deleted is answered 410 GoneException.",
        "state.deleted state.deleted-domain",
        _gone(410, "GoneException"),
    ),
    (
        "deleted-crashes",
        "What was deleted is answered 500.",
        "state.deleted state.deleted-domain",
        _gone(500, "InternalServerException"),
    ),
    (
        "overwrites-others",
        "A write changes the ObjectTypeName of all integrations of the domain.",
        "state.update.isolated state.update.visible state.put-get.ObjectTypeName",
        _overwritten,
    ),
    (
        "overwrites-other-domains",
        "A write changes the tags of the integrations of all domains.",
        "state.update.isolated state.put-get.Tags",
        _overwritten_across,
    ),
):
    _add(_name, _description, _clauses, reads(_read))
_add(
    "absence-remembered",
    "What once did not exist is not found for ever.",
    "state.recreated state.put-get.Uri response.status",
    _remembers_absence,
)


def _reading_consumes() -> Handler:
    """Every second reading in a row finds nothing."""
    last: dict[str, object] = {"key": None}

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if not is_get(request) or answer.status != 200:
            return answer
        again = last["key"] == whole_key(request)
        last["key"] = None if again else whole_key(request)
        return error(404, "ResourceNotFoundException") if again else answer

    return handler


def _counting(member: str) -> Build:
    """A member that counts readings."""

    def build() -> Handler:
        count = {"reads": 0}

        def handler(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            if not is_get(request) or answer.status != 200:
                return answer
            count["reads"] += 1
            return edited(answer, **{member: f"Reading_{count['reads']}"})

        return handler

    return build


_add(
    "reading-consumes",
    "A second reading in a row finds nothing.",
    "state.read-only response.status",
    _reading_consumes,
)
_add(
    "workflow-of-each-reading",
    "WorkflowId is another on every reading.",
    "state.read-only",
    _counting("WorkflowId"),
)
