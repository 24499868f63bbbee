"""The judge: an exchange and what was due -> checks, each crediting or violating one clause.

It knows nothing of pytest, of targets, or of who made the request.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from getintegration_contract.clause import SchemaClause, observe
from getintegration_contract.contract import Contract
from getintegration_contract.exchange import Exchange, Response, bare
from getintegration_contract.text import shown

#: Epoch seconds from the year 1 to the year 5138; beyond it they are milliseconds.
SECONDS = range(-62_135_596_800, 100_000_000_000)

#: Types that other official pages or tools have for invalid input; a ruling of the description decides.
_OVERRULED = {"ValidationException", "ValidationError", "MalformedHttpRequestException"}
_JSON_MEDIA_TYPE = re.compile(r"\s*application/(json|[\w.+-]+\+json|x-amz-json-1\.[01])\s*(;.*)?", re.I)


class Check(NamedTuple):
    """One clause, checked once."""

    clause: str
    ok: bool
    expected: str = ""
    actual: str = ""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A lawful answer: some statuses and the error types that may come with them (None: any, or none)."""

    statuses: frozenset[int]
    types: frozenset[str] | None = None

    def __str__(self) -> str:
        low, high = min(self.statuses), max(self.statuses)
        status = " or ".join(map(str, sorted(self.statuses)))
        if high - low > 50:
            status = " to ".join(dict.fromkeys(f"{each // 100}xx" for each in (low, high)))
        if self.types is None or len(self.types) > 4:
            return status
        return f"{status} {' or '.join(sorted(self.types))}"


def answer(status: int, *types: str) -> Allowed:
    """One status, with any of the types where types are given."""
    return Allowed(frozenset({status}), frozenset(types) or None)


OK = answer(200)
NOT_FOUND = answer(404, "ResourceNotFoundException")
INVALID = answer(400, "BadRequestException")
UNREADABLE = answer(400, "BadRequestException", "SerializationException")
DENIED = answer(403, "AccessDeniedException")
THROTTLED = answer(429, "ThrottlingException")
CLIENT_ERROR = Allowed(frozenset(range(400, 500)))
NO_CRASH = Allowed(frozenset(range(200, 500)))
#: That it is rejected is protocol, and gates; with which status and type is observed, and only reported.
UNAUTHENTICATED = Allowed(frozenset({400, 401, 403}))


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is due for one request.

    Attributes:
        clause: The clause that the request exercises.
        answers: The lawful answers.
        domain, uri: What a 200 must echo; None where it does not matter.
        shape: How far the answer's form is judged: ``service`` (everything) or ``none`` (a front end may
            have made it).
    """

    clause: str
    answers: tuple[Allowed, ...] = (OK,)
    domain: str | None = None
    uri: str | None = None
    shape: str = "service"


@dataclass(frozen=True)
class Judge:
    """Judges exchanges by the contract."""

    contract: Contract

    def judge(self, exchange: Exchange, expectation: Expectation) -> list[Check]:
        """All checks that an exchange allows, the expected answer first."""
        response = exchange.response
        checks = list(self._answered(response, expectation))
        if expectation.shape == "service" and response.status:
            request_id = response.header("x-amzn-requestid")
            checks.append(
                Check("response.request-id", bool(request_id), "x-amzn-RequestId", "no such header")
            )
            if response.status == 200 and checks[0].ok:  # where it is wrong, its form is beside the point
                checks += self._success(response, expectation)
            elif response.status >= 500 and not checks[0].ok:
                # A crash where something else was due is not one more violation of every error rule.
                checks += self.status(response)
            elif response.status >= 400:
                checks += self.error_form(response)
        return checks

    def _answered(self, response: Response, expectation: Expectation) -> Iterator[Check]:
        """Whether one of the lawful answers came, and if not, what is wrong: status, type or both."""
        clause = expectation.clause
        status, error_type = response.status, response.error_type
        same_status = [lawful for lawful in expectation.answers if status in lawful.statuses]
        if any(
            lawful.types is None or error_type is None or error_type in lawful.types for lawful in same_status
        ):
            yield Check(clause, True)
            return
        expected = ", or ".join(map(str, expectation.answers))
        if error_type in _OVERRULED and "BadRequestException" in expected:
            expected += f" ({error_type} stands on other pages; the operation's own page wins)"
        actual = f"{status} {error_type or ''}".strip() if status else f"no answer: {response.reason}"
        right_type = any(error_type in (lawful.types or ()) for lawful in expectation.answers)
        is_own = expectation.shape == "service"
        is_declared = error_type in self.contract.errors
        # With the right status or the right type the request was understood; what is wrong is the other.
        misplaced = right_type and is_declared and is_own and 400 <= status < 500
        yield Check(clause, bool(same_status) or misplaced, expected, actual)
        # Of the service's own errors, error_form names a declared type that does not fit.
        if same_status and not (is_declared and is_own):
            declared = {code: name for name, code in self.contract.errors.items()}
            yield Check(f"error.{declared[status]}.type", False, expected, actual)

    def _media_type(self, clause: str, response: Response) -> Check:
        media_type = response.header("content-type")
        ok = bool(media_type and _JSON_MEDIA_TYPE.fullmatch(media_type))
        actual = "no Content-Type" if media_type is None else f"Content-Type: {media_type}"
        return Check(clause, ok, "Content-Type: application/json", actual)

    def _success(self, response: Response, expectation: Expectation) -> Iterator[Check]:
        yield self._media_type("response.content-type", response)
        document, fault, repeated = response.json
        yield Check("response.body.json", fault is None, "a JSON document", fault or "")
        if fault is not None:
            return
        yield Check("response.body.unique-keys", not repeated, "each name once", "a name twice in one object")
        yield from _derived(self.contract.response_clauses, document)
        if isinstance(document, dict):
            yield from self._relations(document, expectation)

    def _relations(self, document: dict[str, Any], expectation: Expectation) -> Iterator[Check]:
        """What no schema keyword says: the echo, the timestamps, members nobody knows."""
        for member, asked in (("DomainName", expectation.domain), ("Uri", expectation.uri)):
            if asked is not None and member in document:
                got = document[member]
                yield Check(f"response.echo.{member}", got == asked, shown(asked), shown(got))
        times = [document.get("CreatedAt"), document.get("LastUpdatedAt")]
        numbers = [time for time in times if isinstance(time, (int, float)) and not isinstance(time, bool)]
        for time in numbers:
            is_seconds = SECONDS.start <= time < SECONDS.stop
            yield Check("response.timestamps.unit", is_seconds, "epoch seconds", str(time))
        if len(numbers) == 2:
            created, updated = numbers
            yield Check(
                "response.timestamps.order",
                created <= updated,
                "CreatedAt <= LastUpdatedAt",
                f"CreatedAt {created}, LastUpdatedAt {updated}",
            )
        null = sorted(name for name, value in document.items() if value is None)
        yield Check("response.null-members", not null, "no member that is null", ", ".join(null))
        unknown = sorted(document.keys() - self.contract.members)
        yield Check("response.unknown-members", not unknown, "known members", ", ".join(unknown))

    def error_form(self, response: Response) -> Iterator[Check]:
        """The checks of an error's form."""
        yield self._media_type("error.content-type", response)
        document, fault, _ = response.json
        yield Check("error.body.json", fault is None, "a JSON document", fault or "")
        if fault is None:
            yield from _derived(self.contract.error_clauses, document)
        error_type = response.error_type
        due = "a type in X-Amzn-ErrorType, or in the body as code or __type"
        yield Check("error.type", error_type is not None, due, "no type anywhere")
        if error_type is not None:
            named = response.error_types
            agree = all(isinstance(each, str) and bare(each) == error_type for each in named.values())
            places = ", ".join(f"{place}: {value}" for place, value in named.items())
            yield Check("error.type.agreement", agree, "one type, as text", places)
        yield from self.status(response)

    def status(self, response: Response) -> Iterator[Check]:
        """Whether a declared error type comes with its status."""
        error_type = response.error_type
        if error_type in self.contract.errors:
            due = self.contract.errors[error_type]
            ok = response.status == due
            expected, actual = f"{due} {error_type}", f"{response.status} {error_type}"
            yield Check(f"error.{error_type}.status", ok, expected, actual)
            if ok and response.status < 500:
                yield Check(f"error.{error_type}.type", True)


def _derived(clauses: Iterable[SchemaClause], document: Any) -> Iterator[Check]:
    """The checks of clauses that follow from a schema, for each value that could violate them."""
    for derived, actual in observe(clauses, document):
        if actual is None:
            yield Check(derived.clause.id, True)
        else:
            yield Check(derived.clause.id, False, derived.expected, actual)
