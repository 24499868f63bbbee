"""The judge never fails a lawful choice, and names exactly what is wrong with an unlawful one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from getintegration_contract.contract import Contract
from getintegration_contract.exchange import Exchange, Request, Response
from getintegration_contract.judging import oracle
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import (
    CLIENT_ERROR,
    DENIED,
    INVALID,
    NOT_FOUND,
    OK,
    UNAUTHENTICATED,
    UNREADABLE,
    Allowed,
    Expectation,
    Judge,
    answer,
)
from getintegration_contract.judging.ledger import Entry
from getintegration_contract.redact import Redactor

from .support import DESCRIPTION

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
CONTRACT = Contract.load(DESCRIPTION)
JSON, ID = ("Content-Type", "application/json"), ("x-amzn-RequestId", "1")
FOUND = Expectation("response.status", (OK,), DOMAIN, URI)
UNKNOWN = Expectation("missing.domain", (NOT_FOUND,))

Headers = tuple[tuple[str, str], ...]


def exchange(status: int, body: object, *headers: tuple[str, str]) -> Exchange:
    """An exchange with this response; a body that is no bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Exchange("http://target", Request("POST", "/"), Response(status, "", headers or (JSON, ID), raw))


def found(**members: object) -> Exchange:
    """A 200 with some members changed, or removed where Ellipsis."""
    document = {key: value for key, value in {**INTEGRATION, **members}.items() if value is not ...}
    return exchange(200, document)


def error(status: int, kind: str | None, body: object = None, *headers: tuple[str, str]) -> Exchange:
    """An error of the declared shape with one type in the header."""
    typed = (("X-Amzn-ErrorType", kind),) if kind else ()
    return exchange(status, {"Message": "m"} if body is None else body, *typed, *(headers or (JSON, ID)))


def violated(given: Exchange, expectation: Expectation = FOUND, *, gating: bool = True) -> set[str]:
    """The clauses that an exchange violates, by default those that can fail a target."""
    checks = Judge(CONTRACT).judge(given, expectation)
    return {
        check.clause
        for check in checks
        if not check.ok and (not gating or CONTRACT.clauses[check.clause].gates())
    }


def credited(given: Exchange, expectation: Expectation = FOUND) -> set[str]:
    """The clauses that an exchange upholds."""
    return {check.clause for check in Judge(CONTRACT).judge(given, expectation) if check.ok}


# --- Lawful choices -----------------------------------------------------------------------------------------

LAWFUL_ANSWERS = {
    "all members": found(),
    "unknown members": found(Owner="me", ResourceVersion=7, nested={"a": [None]}),
    "optional members absent": found(
        **dict.fromkeys(INTEGRATION.keys() - {"DomainName", "Uri", "CreatedAt", "LastUpdatedAt"}, ...)
    ),
    "optional members null": found(
        **dict.fromkeys(INTEGRATION.keys() - {"DomainName", "Uri", "CreatedAt", "LastUpdatedAt"})
    ),
    "empty tags": found(Tags={}),
    "empty event triggers": found(EventTriggerNames=[]),
    "50 tags": found(Tags={f"k{number}": "v" * 256 for number in range(50)}),
    "whole seconds": found(CreatedAt=1_700_000_000, LastUpdatedAt=1_700_000_000),
    "seconds with an exponent": exchange(
        200, json.dumps(INTEGRATION).replace("1700000000.25", "1.7E+9").encode()
    ),
    "many decimals": found(CreatedAt=1_700_000_000.123456),
    "created long before": found(CreatedAt=0),
    "255 emoji": found(WorkflowId="\U0001f600" * 255),
    "escaped text": exchange(200, json.dumps(INTEGRATION).encode()),
    "indented": exchange(200, json.dumps(INTEGRATION, indent=4).encode()),
    "spaces around": exchange(200, b" \n" + json.dumps(INTEGRATION).encode() + b"\r\n"),
    "charset": exchange(200, INTEGRATION, ("Content-Type", 'application/json; charset="UTF-8"'), ID),
    "media type in capitals": exchange(
        200, INTEGRATION, ("Content-Type", "Application/JSON;charset=utf-8"), ID
    ),
    "another JSON media type": exchange(200, INTEGRATION, ("Content-Type", "application/x-amz-json-1.1"), ID),
    "a suffixed media type": exchange(200, INTEGRATION, ("Content-Type", "application/hal+json"), ID),
    "headers in lower case": exchange(
        200, INTEGRATION, ("content-type", "application/json"), ("x-amzn-requestid", "1")
    ),
    "headers in capitals": exchange(
        200, INTEGRATION, ("CONTENT-TYPE", "application/json"), ("X-AMZN-REQUESTID", "1")
    ),
    "extra headers": exchange(
        200, INTEGRATION, JSON, ID, ("Via", "gateway"), ("Set-Cookie", "a=b"), ("X-Amzn-Trace-Id", "t")
    ),
    "half a surrogate": exchange(
        200, json.dumps({**INTEGRATION, "Tags": {"k": "\ud800"}, "\udc00": ["\ud800"]}).encode()
    ),
    "a number of 5,000 digits": exchange(
        200, json.dumps(INTEGRATION).encode()[:-1] + b', "n": [%b, 1e999, -1e999]}' % (b"9" * 5000)
    ),
    "a role of another partition": found(RoleArn="arn:aws-us-gov:iam::123456789012:role/x"),
    "created in the year 1": found(CreatedAt=-62_135_596_800),
    "a chunked or compressed body": exchange(
        200, INTEGRATION, JSON, ID, ("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")
    ),
}


@pytest.mark.parametrize("given", LAWFUL_ANSWERS.values(), ids=LAWFUL_ANSWERS.keys())
def test_lawful_answer(given: Exchange) -> None:
    assert violated(given) == set()
    assert {
        "response.status",
        "response.echo.DomainName",
        "response.echo.Uri",
        "response.body.json",
    } <= credited(given)


@pytest.mark.parametrize(
    ("given", "clause"),
    [
        (LAWFUL_ANSWERS["unknown members"], "response.unknown-members"),
        (LAWFUL_ANSWERS["optional members null"], "response.null-members"),
        (
            exchange(200, json.dumps(INTEGRATION).encode()[:-1] + b', "Uri": "s3://bucket/caf\xc3\xa9"}'),
            "response.body.unique-keys",
        ),
    ],
    ids=["unknown members", "null members", "a name twice"],
)
def test_what_no_source_forbids_is_reported_and_fails_nobody(given: Exchange, clause: str) -> None:
    assert violated(given) == set()
    assert violated(given, gating=False) == {clause}


@pytest.mark.parametrize(
    ("header", "body", "agrees"),
    [
        ("ResourceNotFoundException", {"__type": "a#ResourceNotFoundException:http://b"}, True),
        ("ResourceNotFoundException", {"code": "NotFound"}, False),
        ("ResourceNotFoundException", {"code": 404}, False),
        (None, {"code": "ResourceNotFoundException", "__type": "https://errors"}, False),
        (None, {"code": 404, "__type": "ResourceNotFoundException"}, False),
    ],
)
def test_types_that_disagree_are_reported(header: str | None, body: dict[str, Any], agrees: bool) -> None:
    given = error(404, header, body)
    assert violated(given, UNKNOWN) == set()
    assert violated(given, UNKNOWN, gating=False) == (set() if agrees else {"error.type.agreement"})


def test_clients_read_code_before_dunder_type() -> None:
    given = error(404, None, {"__type": "BadRequestException", "code": TYPE})
    assert given.response.error_type == TYPE


TYPE = "ResourceNotFoundException"
LAWFUL_ERRORS = {
    "type in the header": error(404, TYPE),
    "header in lower case": exchange(404, {}, ("x-amzn-errortype", TYPE), JSON, ID),
    "type with a suffix": error(404, f"{TYPE}:http://internal.amazon.com/coral/com.amazon.coral.service/"),
    "type with a prefix": error(404, f"com.amazonaws.customerprofiles#{TYPE}"),
    "type with both": error(404, f"aws.profile#{TYPE}:http://x/y#z"),
    "type in the body as __type": error(404, None, {"__type": TYPE, "message": "m"}),
    "type in the body with a prefix": error(404, None, {"__type": f"com.amazonaws.customerprofiles#{TYPE}"}),
    "type in the body as code": error(404, None, {"code": TYPE}),
    "type in both": error(404, TYPE, {"__type": TYPE, "Message": "m"}),
    "an empty header, type in the body": error(404, "", {"__type": TYPE}),
    "Message": error(404, TYPE, {"Message": "m"}),
    "message": error(404, TYPE, {"message": "m"}),
    "both spellings": error(404, TYPE, {"Message": "m", "message": "m"}),
    "null message": error(404, TYPE, {"Message": None}),
    "no message": error(404, TYPE, {}),
    "further members": error(404, TYPE, {"message": "m", "fault": "client", "resource": {"a": 1}}),
    "charset": error(404, TYPE, {}, ("Content-Type", "application/json; charset=utf-8"), ID),
    "another JSON media type": error(404, TYPE, {}, ("Content-Type", "application/x-amz-json-1.1"), ID),
}


@pytest.mark.parametrize("given", LAWFUL_ERRORS.values(), ids=LAWFUL_ERRORS.keys())
def test_lawful_error(given: Exchange) -> None:
    assert violated(given, UNKNOWN) == set()
    assert {"missing.domain", "error.type", f"error.{TYPE}.status", f"error.{TYPE}.type"} <= credited(
        given, UNKNOWN
    )


@pytest.mark.parametrize("kind", ["SerializationException", "BadRequestException"])
def test_either_type_is_lawful_for_unreadable_json(kind: str) -> None:
    assert violated(error(400, kind), Expectation("request.json", (UNREADABLE,))) == set()


def test_only_bad_request_is_lawful_for_a_broken_constraint() -> None:
    given, due = error(400, "SerializationException"), Expectation("request.Uri.maxLength", (INVALID,))
    assert violated(given, due) == {"error.BadRequestException.type"}


@pytest.mark.parametrize(
    "kind",
    [
        "MissingAuthenticationTokenException",
        "MissingAuthenticationToken",
        "IncompleteSignatureException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403])
def test_either_family_of_authentication_errors_is_a_rejection(status: int, kind: str) -> None:
    clause = "sigv4.wrong-secret"
    assert violated(error(status, kind, {"message": "m"}), Expectation(clause, (UNAUTHENTICATED,))) == set()


def test_status_and_type_of_a_rejected_signature_are_reported_but_fail_nobody() -> None:
    entry = Entry("t")
    checker = Checker(Judge(CONTRACT), entry, Redactor(), lambda clause: CONTRACT.clauses[clause].gates())
    assert checker.unauthenticated(
        error(401, "Unauthorized"), "sigv4.wrong-secret", "InvalidSignatureException"
    )
    checker.raise_if_violated()
    assert set(entry.findings) == {"sigv4.wrong-secret.type"}


@pytest.mark.parametrize("status", [403, 404])
def test_an_integration_may_be_hidden_instead_of_denied(status: int) -> None:
    kind = {403: "AccessDeniedException", 404: TYPE}[status]
    assert violated(error(status, kind), Expectation("access.unauthorized", (DENIED, NOT_FOUND))) == set()


@pytest.mark.parametrize(
    ("given", "reported"),
    [
        (error(404, "UnknownOperationException"), set()),
        (exchange(405, {"message": "Method Not Allowed"}, JSON), {"routing.method.form"}),
        (exchange(405, b"<html>", ("Content-Type", "text/html")), {"routing.method.form"}),
        (exchange(405, b""), {"routing.method.form"}),
        (found(), {"routing.method"}),
        (error(500, "InternalServerException"), {"routing.method"}),
    ],
    ids=["typed", "untyped", "HTML", "empty", "found", "crash"],
)
def test_what_has_no_route_need_only_be_rejected(given: Exchange, reported: set[str]) -> None:
    entry = Entry("t")
    checker = Checker(Judge(CONTRACT), entry, Redactor(), lambda clause: CONTRACT.clauses[clause].gates())
    checker.no_route(given, "routing.method")
    assert set(entry.findings) - {"response.request-id"} == reported


# --- What exactly is wrong with an error --------------------------------------------------------------------

HTML = ("Content-Type", "text/html")

WRONG_ERRORS: dict[str, tuple[Exchange, set[str]]] = {
    "right status, type of another status": (
        error(404, "BadRequestException"),
        {"error.BadRequestException.status"},
    ),
    "right status, undeclared type": (error(404, "NotFound"), {f"error.{TYPE}.type"}),
    "right status, type in another case": (error(404, TYPE.lower()), {f"error.{TYPE}.type"}),
    "right type, status of another type": (error(400, TYPE), {f"error.{TYPE}.status"}),
    "right type, undeclared status": (error(410, TYPE), {f"error.{TYPE}.status"}),
    "right type, status of a crash": (error(500, TYPE), {"missing.domain", f"error.{TYPE}.status"}),
    "both wrong, and fitting": (error(403, "AccessDeniedException"), {"missing.domain"}),
    "both wrong, undeclared": (error(422, "ValidationException"), {"missing.domain"}),
    "no type": (error(404, None), {"error.type"}),
    "type of no text": (error(404, None, {"__type": 7}), {"error.type"}),
    "a number as code": (error(404, None, {"code": 404}), {"error.type"}),
    "a crash with its type": (error(500, "InternalServerException"), {"missing.domain"}),
    "a crash without a type": (error(503, None), {"missing.domain"}),
    "a crash of a gateway": (exchange(502, b"<html>Bad Gateway</html>", HTML), {"missing.domain"}),
    "an HTML error": (
        error(404, TYPE, b"<html>Not Found</html>", HTML, ID),
        {"error.content-type", "error.body.json"},
    ),
    "an HTML error without a type": (
        exchange(404, b"<html>Not Found</html>", HTML, ID),
        {"error.content-type", "error.body.json", "error.type"},
    ),
    "JSON that is called text": (
        error(404, TYPE, {}, ("Content-Type", "text/plain"), ID),
        {"error.content-type"},
    ),
    "JSON without a media type": (error(404, TYPE, {}, ID), {"error.content-type"}),
    "an empty body": (error(404, TYPE, b""), {"error.body.json"}),
    "a body that is no object": (error(404, TYPE, ["m"]), {"error.body.type"}),
    "a message that is no text": (error(404, TYPE, {"Message": {"a": 1}}), {"error.Message.type"}),
    "found instead": (found(), {"missing.domain"}),
    "a redirect": (exchange(302, b""), {"missing.domain"}),
    "no answer": (
        Exchange("http://target", Request("POST", "/"), Response(0, "reset", (), b"")),
        {"missing.domain"},
    ),
}


@pytest.mark.parametrize(("given", "clauses"), WRONG_ERRORS.values(), ids=WRONG_ERRORS.keys())
def test_wrong_error(given: Exchange, clauses: set[str]) -> None:
    assert violated(given, UNKNOWN) == clauses


@pytest.mark.parametrize("shape", ["service", "json", "none"])
def test_a_crash_is_never_a_correct_rejection_whatever_its_type(shape: str) -> None:
    crash = error(500, TYPE)
    assert "missing.domain" in violated(crash, replace(UNKNOWN, shape=shape))
    assert "missing.domain" not in credited(crash, replace(UNKNOWN, shape=shape))


@pytest.mark.parametrize(
    "name", ["right status, undeclared type", "right type, undeclared status", "no type", "an HTML error"]
)
def test_a_flaw_in_form_still_credits_what_was_understood(name: str) -> None:
    assert "missing.domain" in credited(WRONG_ERRORS[name][0], UNKNOWN)


def test_no_answer_says_nothing_of_headers() -> None:
    assert violated(WRONG_ERRORS["no answer"][0], UNKNOWN, gating=False) == {"missing.domain"}


def test_not_found_where_something_exists_violates_that_alone() -> None:
    assert violated(error(404, TYPE)) == {"response.status"}


def test_no_answer_at_all_violates_the_clause_of_transport_too() -> None:
    entry = Entry("t")
    checker = Checker(Judge(CONTRACT), entry, Redactor(), lambda _: True)
    checker.expect(WRONG_ERRORS["no answer"][0], UNKNOWN)
    assert set(entry.findings) == {"missing.domain", "transport.answers"}


# --- What exactly is wrong with a success -------------------------------------------------------------------

WRONG_ANSWERS: dict[str, tuple[Exchange, set[str]]] = {
    "required member absent": (found(CreatedAt=...), {"response.CreatedAt.required"}),
    "required member null": (found(Uri=None), {"response.Uri.required", "response.echo.Uri"}),
    "another domain": (found(DomainName="Other"), {"response.echo.DomainName"}),
    "domain in another case": (found(DomainName=DOMAIN.lower()), {"response.echo.DomainName"}),
    "Uri in another form of Unicode": (found(Uri="s3://bucket/cafe\u0301"), {"response.echo.Uri"}),
    "milliseconds": (
        found(CreatedAt=1_700_000_000_250, LastUpdatedAt=1_700_000_001_500),
        {"response.timestamps.unit"},
    ),
    "times as text": (found(CreatedAt="2023-11-14T22:13:20Z"), {"response.CreatedAt.type"}),
    "times in the wrong order": (found(CreatedAt=1_700_000_009), {"response.timestamps.order"}),
    "true as a time": (found(CreatedAt=True), {"response.CreatedAt.type"}),
    "a name with a newline": (found(EventTriggerNames=["a\n"]), {"response.EventTriggerNames.items.pattern"}),
    "two event triggers": (found(EventTriggerNames=["a", "b"]), {"response.EventTriggerNames.maxItems"}),
    "a null event trigger": (found(EventTriggerNames=[None]), {"response.EventTriggerNames.items.type"}),
    "51 tags": (found(Tags={f"k{number}": "" for number in range(51)}), {"response.Tags.maxProperties"}),
    "a tag of AWS": (found(Tags={"aws:x": ""}), {"response.Tags.keys.pattern"}),
    "a tag without a name": (
        found(Tags={"": ""}),
        {"response.Tags.keys.minLength", "response.Tags.keys.pattern"},
    ),
    "a long value of a tag": (found(Tags={"k": "v" * 257}), {"response.Tags.values.maxLength"}),
    "a null value of a tag": (found(Tags={"k": None}), {"response.Tags.values.type"}),
    "tags as a list": (found(Tags=[{"Key": "k", "Value": "v"}]), {"response.Tags.type"}),
    "a scope of its own": (found(Scope="GLOBAL"), {"response.Scope.enum"}),
    "256 characters": (found(WorkflowId="w" * 256), {"response.WorkflowId.maxLength"}),
    "text instead of a boolean": (found(IsUnstructured="false"), {"response.IsUnstructured.type"}),
    "a role that is none": (found(RoleArn="role/x"), {"response.RoleArn.pattern"}),
    "a list": (exchange(200, [INTEGRATION]), {"response.body.type"}),
    "no JSON": (exchange(200, b"{'DomainName': 1}"), {"response.body.json"}),
    "NaN": (exchange(200, b'{"CreatedAt": NaN}'), {"response.body.json"}),
    "not UTF-8": (
        exchange(200, json.dumps(INTEGRATION, ensure_ascii=False).encode("latin-1")),
        {"response.body.json"},
    ),
    "a time that no float holds": (
        exchange(200, json.dumps(INTEGRATION).replace("1700000001.5", "1e999").encode()),
        {"response.timestamps.unit"},
    ),
    "times before the year 1": (found(CreatedAt=-1e15), {"response.timestamps.unit"}),
    "half a surrogate for the Uri": (
        exchange(200, json.dumps({**INTEGRATION, "Uri": "s3://\ud800"}).encode()),
        {"response.echo.Uri"},
    ),
    "two documents": (exchange(200, b"{}{}"), {"response.body.json"}),
    "an empty body": (exchange(200, b""), {"response.body.json"}),
    "called text": (
        exchange(200, INTEGRATION, ("Content-Type", "text/plain"), ID),
        {"response.content-type"},
    ),
    "called nothing": (exchange(200, INTEGRATION, ID), {"response.content-type"}),
    "another success": (exchange(201, INTEGRATION), {"response.status"}),
    "a crash": (error(500, "InternalServerException"), {"response.status"}),
}


@pytest.mark.parametrize(("given", "clauses"), WRONG_ANSWERS.values(), ids=WRONG_ANSWERS.keys())
def test_wrong_answer(given: Exchange, clauses: set[str]) -> None:
    assert violated(given) == clauses


def test_a_finding_shows_what_was_due_and_what_came() -> None:
    (check,) = (each for each in Judge(CONTRACT).judge(found(Scope="GLOBAL"), FOUND) if not each.ok)
    assert check == ("response.Scope.enum", False, "Scope: enum PROFILE or DOMAIN", '"GLOBAL"')


def test_the_text_of_a_message_is_never_judged() -> None:
    clauses = CONTRACT.clauses.keys()
    assert [name for name in clauses if "essage" in name] == ["error.Message.type", "error.message.type"]
    for text in ("", "x" * 10_000, "Success", "\u202e"):
        assert violated(error(404, TYPE, {"Message": text}), UNKNOWN, gating=False) == set()


# --- The oracle ---------------------------------------------------------------------------------------------


def due(target: str, body: object = None, content_type: str | None = "application/json") -> Expectation:
    """What the oracle expects of a request; a body that is no bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps({"Uri": URI} if body is None else body).encode()
    headers = (("Content-Type", content_type),) if content_type else ()
    return oracle.expectation(CONTRACT, Request("POST", target, headers, raw), (DOMAIN, URI))


def path(segment: str, query: str = "") -> str:
    """The path of the operation."""
    return f"/domains/{segment}/integrations{query}"


ORACLE: dict[str, tuple[Expectation, str, tuple[Allowed, ...]]] = {
    "what exists": (due(path(DOMAIN)), "response.status", (OK,)),
    "what exists, with a query": (due(path(DOMAIN, "?a=b")), "response.status", (OK,)),
    "what exists, name encoded": (due(path(DOMAIN.replace("_", "%5F"))), "response.status", (OK,)),
    "what exists, unknown member": (
        due(path(DOMAIN), {"Uri": URI, "X": [1]}),
        "request.valid",
        (OK, UNREADABLE),
    ),
    "another domain": (due(path("other")), "request.valid", (OK, NOT_FOUND)),
    "another Uri": (due(path(DOMAIN), {"Uri": "s3://other"}), "request.valid", (OK, NOT_FOUND)),
    "the longest": (due(path("x" * 64), {"Uri": "\U0001f600" * 255}), "request.valid", (OK, NOT_FOUND)),
    "name too long": (due(path("x" * 65)), "request.DomainName.maxLength", (INVALID,)),
    "name with a space": (due(path("a%20b")), "request.DomainName.pattern", (INVALID,)),
    "name with an accent": (due(path("caf%C3%A9")), "request.DomainName.pattern", (INVALID,)),
    "name of dots, encoded twice": (due(path("%252e%252e")), "request.DomainName.pattern", (INVALID,)),
    "empty name": (due(path("")), "request.DomainName.minLength", (CLIENT_ERROR,)),
    "one dot": (due(path(".")), "request.DomainName.pattern", (CLIENT_ERROR,)),
    "two dots, encoded": (due(path("%2e%2E")), "request.DomainName.pattern", (CLIENT_ERROR,)),
    "an encoded slash": (due(path("a%2Fb")), "request.DomainName.pattern", (CLIENT_ERROR,)),
    "a slash": (due(path("a/b")), "request.DomainName.pattern", (CLIENT_ERROR,)),
    "a NUL": (due(path("a%00")), "request.DomainName.pattern", (CLIENT_ERROR,)),
    "not UTF-8": (due(path("%ff")), "request.DomainName.pattern", (CLIENT_ERROR,)),
    "broken percent-encoding": (due(path("a%zz")), "request.DomainName.pattern", (CLIENT_ERROR,)),
    "Uri too long": (due(path(DOMAIN), {"Uri": "u" * 256}), "request.Uri.maxLength", (INVALID,)),
    "Uri too long in code points only": (
        due(path("x"), {"Uri": "\u00e9" * 255}),
        "request.valid",
        (OK, NOT_FOUND),
    ),
    "Uri empty": (due(path(DOMAIN), {"Uri": ""}), "request.Uri.minLength", (INVALID,)),
    "Uri null": (due(path(DOMAIN), {"Uri": None}), "request.Uri.required", (UNREADABLE,)),
    "Uri absent": (due(path(DOMAIN), {"uri": URI}), "request.Uri.required", (UNREADABLE,)),
    "Uri a number": (due(path(DOMAIN), {"Uri": 1}), "request.Uri.type", (UNREADABLE,)),
    "body an array": (due(path(DOMAIN), [URI]), "request.body.type", (UNREADABLE,)),
    "body null": (due(path(DOMAIN), b"null"), "request.body.type", (UNREADABLE,)),
    "no body": (due(path(DOMAIN), b""), "request.Uri.required", (UNREADABLE,)),
    "no JSON": (due(path(DOMAIN), b"{'Uri': 1}"), "request.json", (UNREADABLE,)),
    "NaN": (due(path(DOMAIN), b'{"Uri": NaN}'), "request.json", (UNREADABLE,)),
    "body not UTF-8": (due(path(DOMAIN), b'{"Uri": "\xff"}'), "request.json", (UNREADABLE,)),
    "duplicate keys": (
        due(path(DOMAIN), b'{"Uri": "a", "Uri": "b"}'),
        "request.json.robust",
        (OK, NOT_FOUND, CLIENT_ERROR),
    ),
    "byte order mark": (
        due(path(DOMAIN), b'\xef\xbb\xbf{"Uri": "a"}'),
        "request.json.robust",
        (OK, NOT_FOUND, CLIENT_ERROR),
    ),
    "half a surrogate": (
        due(path(DOMAIN), b'{"Uri": "\\ud800"}'),
        "request.json.robust",
        (OK, NOT_FOUND, CLIENT_ERROR),
    ),
    "deep nesting": (
        due(path(DOMAIN), b'{"Uri": "a", "b": ' + b"[" * 9999 + b"]" * 9999 + b"}"),
        "request.json.robust",
        (OK, NOT_FOUND, CLIENT_ERROR),
    ),
    "a number of many digits": (
        due(path(DOMAIN), b'{"Uri": "a", "b": ' + b"9" * 9999 + b"}"),
        "request.json.robust",
        (OK, NOT_FOUND, CLIENT_ERROR),
    ),
    "a huge exponent": (
        due(path(DOMAIN), b'{"Uri": "a", "b": 1e999}'),
        "request.json.robust",
        (OK, NOT_FOUND, CLIENT_ERROR),
    ),
    "numbers": (due(path(DOMAIN), {"Uri": URI, "b": [0, -1.5e3]}), "request.valid", (OK, UNREADABLE)),
    "another, unknown member": (
        due(path("other"), {"Uri": URI, "b": 1}),
        "request.valid",
        (OK, NOT_FOUND, UNREADABLE),
    ),
    "name and Uri broken": (due(path("a%20b"), {"Uri": 1}), "request.DomainName.pattern", (UNREADABLE,)),
    "no content type": (
        due(path(DOMAIN), content_type=None),
        "request.content-type",
        (OK, NOT_FOUND, answer(400), answer(415)),
    ),
    "another content type": (
        due(path(DOMAIN), content_type="text/plain"),
        "request.content-type",
        (OK, NOT_FOUND, answer(400), answer(415)),
    ),
    "content type with a charset": (
        due(path(DOMAIN), content_type="Application/JSON; charset=utf-8"),
        "response.status",
        (OK,),
    ),
}


@pytest.mark.parametrize(("expectation", "clause", "answers"), ORACLE.values(), ids=ORACLE.keys())
def test_oracle(expectation: Expectation, clause: str, answers: tuple[Allowed, ...]) -> None:
    assert (expectation.clause, expectation.answers) == (clause, answers)


def test_oracle_asks_for_the_echo_of_what_was_asked() -> None:
    expectation = due(path("%41"), {"Uri": "caf\u00e9"})
    assert (expectation.domain, expectation.uri) == ("A", "caf\u00e9")


def test_oracle_lets_a_gateway_answer_only_what_routing_can_see() -> None:
    shapes: dict[str, Any] = {name: expectation.shape for name, (expectation, _, _) in ORACLE.items()}
    lenient = {name for name, shape in shapes.items() if shape == "none" and "content type" not in name}
    assert lenient == {
        "empty name",
        "one dot",
        "two dots, encoded",
        "an encoded slash",
        "a slash",
        "a NUL",
        "not UTF-8",
        "broken percent-encoding",
    }
