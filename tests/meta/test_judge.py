"""The judge never fails a lawful choice, and names exactly what is wrong with an unlawful one.

What a mutant or a lawful variant shows for a single clause is not repeated here.
"""

import json
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest

from getintegration_contract.exchange import Exchange, Response
from getintegration_contract.judging.judge import (
    DENIED,
    INVALID,
    NOT_FOUND,
    OK,
    UNAUTHENTICATED,
    UNREADABLE,
    Allowed,
    Expectation,
    Judge,
)

from .exchanges import HEADERS, TYPE, checking, error, exchange
from .support import CONTRACT

DOMAIN, URI = "My-Domain_1", "s3://bucket/caf\u00e9"
INTEGRATION = {
    "DomainName": DOMAIN,
    "Uri": URI,
    "CreatedAt": 1_700_000_000.25,
    "LastUpdatedAt": 1_700_000_001.5,
    "ObjectTypeName": "Contract_Type-1",
    "ObjectTypeNames": {"ShopifyCreateOrders": "_Orders"},
    "RoleArn": "arn:aws:iam::123456789012:role/x",
    "EventTriggerNames": ["Trigger-1"],
    "IsUnstructured": False,
    "Scope": "DOMAIN",
    "Tags": {"team": "contract", "a+b,c-d./:;<=_9": ""},
    "WorkflowId": "w",
}
OPTIONAL = INTEGRATION.keys() - {"DomainName", "Uri", "CreatedAt", "LastUpdatedAt"}
TEXT = json.dumps(INTEGRATION)
JSON, ID = HEADERS
HTML, PLAIN = (("Content-Type", f"text/{kind}") for kind in ("html", "plain"))
FOUND = Expectation("response.status", (OK,), DOMAIN, URI)
UNKNOWN = Expectation("missing.domain", (NOT_FOUND,))


def found(**members: object) -> Exchange:
    """A 200 with some members changed, or removed where Ellipsis."""
    document = {key: value for key, value in {**INTEGRATION, **members}.items() if value is not ...}
    return exchange(200, document)


def raw(old: str, new: str) -> Exchange:
    """A 200 with some text of its body replaced."""
    assert old in TEXT
    return exchange(200, TEXT.replace(old, new).encode("utf-8", "surrogatepass"))


NO_ANSWER = replace(found(), response=Response(0, "reset", (), b""))


def violated(given: Exchange, expectation: Expectation = FOUND, *, gating: bool = True) -> set[str]:
    """The clauses that an exchange violates, by default those that can fail a target."""
    checks = [check.clause for check in Judge(CONTRACT).judge(given, expectation) if not check.ok]
    return {clause for clause in checks if not gating or CONTRACT.clauses[clause].gates()}


def credited(given: Exchange, expectation: Expectation = FOUND) -> set[str]:
    """The clauses that an exchange upholds."""
    return {check.clause for check in Judge(CONTRACT).judge(given, expectation) if check.ok}


# --- Lawful choices -----------------------------------------------------------------------------------------

_UNKNOWN = {"response.unknown-members"}
#: Answers, and what is reported of each: what no source forbids, and yet is worth a word.
LAWFUL: dict[str, tuple[Exchange, set[str]]] = {
    "all members": (found(), set()),
    "no optional members": (found(**dict.fromkeys(OPTIONAL, ...)), set()),
    "255 emoji": (found(WorkflowId="\U0001f600" * 255), set()),
    "created at the epoch": (found(CreatedAt=0), set()),
    "created in the year 1": (found(CreatedAt=-62_135_596_800), set()),
    "spaces around": (exchange(200, b" \n" + TEXT.encode() + b"\r\n"), set()),
    "half a surrogate": (raw('"w"', '"w", "\\udc00": ["\\ud800"]'), _UNKNOWN),
    "endless numbers": (raw('"w"', f'"w", "n": [{"9" * 5000}, 1e999, -1e999]'), _UNKNOWN),
    "charset": (exchange(200, INTEGRATION, ("CONTENT-type", 'Application/JSON; charset="UTF-8"'), ID), set()),
    "unknown members": (found(Owner="me", nested={"a": [None]}), _UNKNOWN),
    "null members": (found(**dict.fromkeys(OPTIONAL)), {"response.null-members"}),
    "a name twice": (raw('"w"', '"w", "WorkflowId": "w"'), {"response.body.unique-keys"}),
}


@pytest.mark.parametrize(("given", "reported"), LAWFUL.values(), ids=LAWFUL)
def test_lawful_answer(given: Exchange, reported: set[str]) -> None:
    assert violated(given) == set()
    assert violated(given, gating=False) == reported
    echo = {"response.echo.DomainName", "response.echo.Uri"}
    assert {"response.status", "response.body.json", *echo} <= credited(given)


@pytest.mark.parametrize(
    "written", ["{}", "{}:http://a.b/c", "com.amazonaws#{}", "aws.profile#{}:http://x/y#z"]
)
@pytest.mark.parametrize("place", ["X-Amzn-ErrorType", "x-amzn-errortype", "code", "__type"])
def test_a_type_is_understood_wherever_and_however_it_stands(place: str, written: str) -> None:
    kind = written.format(TYPE)
    given = error(404, "", {place: kind}) if "-" not in place else exchange(404, {}, (place, kind), JSON, ID)
    assert violated(given, UNKNOWN) == set()
    assert {"missing.domain", "error.type", f"error.{TYPE}.status", f"error.{TYPE}.type"} <= credited(
        given, UNKNOWN
    )


@pytest.mark.parametrize(
    ("header", "body", "agrees"),
    [
        (TYPE, {"__type": f"a#{TYPE}:http://b"}, True),
        (TYPE, {"code": "NotFound"}, False),
        (TYPE, {"code": 404}, False),
        (None, {"code": TYPE, "__type": "BadRequestException"}, False),
        (None, {"code": 404, "__type": TYPE}, False),
    ],
)
def test_types_that_disagree_are_reported(header: str | None, body: dict[str, Any], agrees: bool) -> None:
    given = error(404, header, body)
    assert (given.response.error_type, violated(given, UNKNOWN)) == (TYPE, set())
    assert violated(given, UNKNOWN, gating=False) == (set() if agrees else {"error.type.agreement"})


@pytest.mark.parametrize(
    ("status", "kind", "clause", "answers", "due"),
    [
        (400, "SerializationException", "request.json", (UNREADABLE,), set()),
        (400, "SerializationException", "request.valid", (INVALID,), {"error.BadRequestException.type"}),
        (403, "AccessDeniedException", "access.unauthorized", (DENIED, NOT_FOUND), set()),
        (404, TYPE, "access.unauthorized", (DENIED, NOT_FOUND), set()),
        (400, "IncompleteSignature", "sigv4.wrong-secret", (UNAUTHENTICATED,), set()),
        (401, "InvalidClientTokenId", "sigv4.wrong-secret", (UNAUTHENTICATED,), set()),
    ],
)
def test_which_of_several_answers_are_lawful(
    status: int, kind: str, clause: str, answers: tuple[Allowed, ...], due: set[str]
) -> None:
    assert violated(error(status, kind), Expectation(clause, answers)) == due


def rejected(given: Exchange, clause: str, *types: str) -> set[str]:
    """What is reported of a signature that is rejected so, which fails nobody."""
    checker, entry = checking()
    assert checker.unauthenticated(given, clause, *types)
    checker.raise_if_violated()
    return set(entry.findings)


@pytest.mark.parametrize("reported", [c for c in CONTRACT.clauses if fnmatchcase(c, "sigv4.*.type")])
def test_status_and_type_of_a_rejected_signature_are_reported_but_fail_nobody(reported: str) -> None:
    clause = reported.removesuffix(".type")
    assert rejected(error(401, "Unauthorized"), clause, "InvalidSignatureException") == {reported}
    # As AWS's Common Errors has it.
    for status, due in ((400, set()), (403, set()), (401, {reported})):
        given = error(status, "RequestExpired")
        assert rejected(given, clause, "InvalidSignatureException", "RequestExpired") == due


@pytest.mark.parametrize(
    ("given", "reported"),
    [
        pytest.param(error(404, "UnknownOperationException"), set(), id="typed"),
        pytest.param(exchange(405, {"message": "no"}, JSON), {"routing.method.form"}, id="untyped"),
        pytest.param(exchange(405, b"<html>", HTML), {"routing.method.form"}, id="HTML"),
        pytest.param(exchange(405, b""), {"routing.method.form"}, id="empty"),
        pytest.param(found(), {"routing.method"}, id="found"),
        pytest.param(error(500, "InternalServerException"), {"routing.method"}, id="crash"),
    ],
)
def test_what_has_no_route_need_only_be_rejected(given: Exchange, reported: set[str]) -> None:
    checker, entry = checking()
    checker.no_route(given, "routing.method")
    assert set(entry.findings) - {"response.request-id"} == reported


def test_the_text_of_a_message_is_never_judged() -> None:
    for text in ("", "x" * 10_000, "Success", "\u202e"):
        assert violated(error(404, TYPE, {"Message": text}), UNKNOWN, gating=False) == set()


# --- What exactly is wrong ----------------------------------------------------------------------------------

BAD_TYPE = "error.BadRequestException"
#: Answers where the integration is due, or that it is not found, and the clauses that each violates.
WRONG: dict[str, tuple[Exchange, str]] = {
    "required member null": (found(Uri=None), "response.Uri.required response.echo.Uri"),
    "domain in another case": (found(DomainName=DOMAIN.lower()), "response.echo.DomainName"),
    "Uri in another form of Unicode": (found(Uri="s3://bucket/cafe\u0301"), "response.echo.Uri"),
    "half a surrogate for the Uri": (raw("caf\\u00e9", "\\ud800"), "response.echo.Uri"),
    "milliseconds": (found(CreatedAt=1.7e12, LastUpdatedAt=1.7e12), "response.timestamps.unit"),
    "times before the year 1": (found(CreatedAt=-1e15), "response.timestamps.unit"),
    "a time that no float holds": (raw("1700000001.5", "1e999"), "response.timestamps.unit"),
    "times in the wrong order": (found(CreatedAt=1_700_000_009), "response.timestamps.order"),
    "true as a time": (found(CreatedAt=True), "response.CreatedAt.type"),
    "a name with a newline": (found(EventTriggerNames=["a\n"]), "response.EventTriggerNames.items.pattern"),
    "a null event trigger": (found(EventTriggerNames=[None]), "response.EventTriggerNames.items.type"),
    "NaN": (exchange(200, b'{"CreatedAt": NaN}'), "response.body.json"),
    "not UTF-8": (exchange(200, b'{"Uri": "\xe9"}'), "response.body.json"),
    "not found": (error(404, TYPE), "response.status"),
    "a crash": (error(500, "InternalServerException"), "response.status"),
}
WRONG_ERRORS: dict[str, tuple[Exchange, str]] = {
    "type of another status": (error(404, "BadRequestException"), f"{BAD_TYPE}.status"),
    "undeclared type": (error(404, "NotFound"), f"error.{TYPE}.type"),
    "type in another case": (error(404, TYPE.lower()), f"error.{TYPE}.type"),
    "undeclared status": (error(410, TYPE), f"error.{TYPE}.status"),
    "status of a crash": (error(500, TYPE), f"missing.domain error.{TYPE}.status"),
    "both wrong, and fitting": (error(403, "AccessDeniedException"), "missing.domain"),
    "no type": (error(404, None), "error.type"),
    "type of no text": (error(404, None, {"__type": 7, "code": 404}), "error.type"),
    "a crash with its type": (error(500, "InternalServerException"), "missing.domain"),
    "HTML": (error(404, TYPE, b"<html>", HTML, ID), "error.content-type error.body.json"),
    "untyped HTML": (exchange(404, b"<html>", HTML, ID), "error.content-type error.body.json error.type"),
    "JSON that is called text": (error(404, TYPE, {}, PLAIN, ID), "error.content-type"),
    "an empty body": (error(404, TYPE, b""), "error.body.json"),
    "a body that is no object": (error(404, TYPE, ["m"]), "error.body.type"),
    "found instead": (found(), "missing.domain"),
    "no answer": (NO_ANSWER, "missing.domain"),
}
ROWS = [(FOUND, *row) for row in WRONG.values()] + [(UNKNOWN, *row) for row in WRONG_ERRORS.values()]


@pytest.mark.parametrize(("due", "given", "clauses"), ROWS, ids=[*WRONG, *WRONG_ERRORS])
def test_wrong_answer(due: Expectation, given: Exchange, clauses: str) -> None:
    assert violated(given, due) == set(clauses.split())
    # A flaw in its form still credits what was understood.
    assert (due.clause in credited(given, due)) == (due.clause not in clauses.split())
    if given.response.status in (0, 500):  # never a correct rejection, whatever its type or its form
        assert due.clause in violated(given, replace(due, shape="none"), gating=False)


def test_no_answer_violates_the_clause_of_transport_and_says_nothing_of_headers() -> None:
    checker, entry = checking()
    checker.expect(NO_ANSWER, UNKNOWN)
    assert set(entry.findings) == {"missing.domain", "transport.answers"}


def test_a_finding_shows_what_was_due_and_what_came() -> None:
    (check,) = (each for each in Judge(CONTRACT).judge(found(Scope="GLOBAL"), FOUND) if not each.ok)
    assert check == ("response.Scope.enum", False, "Scope: enum PROFILE or DOMAIN", '"GLOBAL"')
