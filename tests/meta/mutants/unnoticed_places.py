"""The faults of ``unnoticed.py`` that mix up owners, names of domains, or Uris."""

from __future__ import annotations

import fnmatch
import re
import threading
from collections import Counter
from collections.abc import Callable

from .fates import NOT_FOUND
from .kit import Stateful, Theme, accepts, always, bind, is_get, observes, remembers
from .lookup import Place, Same, equal, found_by, like, matches, near, same
from .messages import CREATE_DOMAIN, DELETE, DELETE_DOMAIN, PUT, Answer, Forward, Request, Response
from .signing import CALLER, is_by, resigned
from .writes import Past, key, knows

THEME = Theme("unnoticed")


def _hidden(gone: bool, request: Request, answer: Response) -> Answer:
    """What is gone is not found, although the base has it."""
    hidden = gone and is_get(request) and answer.status == 200
    return NOT_FOUND if hidden else answer


@THEME.mutant("deletes-by-pattern", "state.update.isolated", observes(dict, always))
def _deletes_by_pattern(there: dict[Place, bool], request: Request, answer: Response) -> Answer:
    """Deleting takes the Uri for a pattern of LIKE."""
    if answer.status == 200 and request.operation == PUT:
        there[key(request)] = True
    elif answer.status == 200 and request.operation == DELETE:
        for domain, uri in there:
            if domain == request.domain and like(request.text, uri):
                there[domain, uri] = False
    return _hidden(there.get(key(request)) is False, request, answer)


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


def _deletes_alike(matches: Callable[[str, str], bool]) -> Stateful:
    def deletes(there: dict[str, bool], request: Request, answer: Response) -> Answer:
        if answer.status == 200 and request.operation == CREATE_DOMAIN:
            there[request.domain] = True
        elif answer.status == 200 and request.operation == DELETE_DOMAIN:
            there.pop(request.domain, None)
            there.update({name: False for name in there if matches(request.domain, name)})
        return _hidden(there.get(request.domain) is False, request, answer)

    return observes(dict, always)(deletes)


THEME["state.update.isolated"] = {
    f"deletes-domains-{name}: Deleting a domain deletes others: {name}.": _deletes_alike(matches)
    for name, matches in (
        ("of-the-same-beginning", lambda name, other: other.startswith(name)),
        ("like-it", like),
    )
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
        bind(mark, lambda mark, asked, known: mark.join(asked) == mark.join(known))
    )
    for name, mark in (("underscore", "_"), ("hyphen", "-"), ("nothing", ""))
}


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
