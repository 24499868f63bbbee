"""Servers that are wrong only now and then, only at first, only for some, or only for official clients."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from .kit import Build, Theme, bind, changed, drops, is_get, on_answer, sets, valid
from .messages import Answer, Forward, Handler, Request, Response, error

THEME = Theme("habit")
_add = THEME.add

Change = Callable[[Response], Answer]

# --- Now and then -------------------------------------------------------------------------------------------


def _counted(due: Callable[[int], bool], change: Change, statuses: range = range(200, 201)) -> Build:
    """Changes some answers, chosen by how many there were."""

    def build() -> Handler:
        numbers = itertools.count(1)

        def handler(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            if is_get(request) and answer.status in statuses and due(next(numbers)):
                return change(answer)
            return answer

        return handler

    return build


def _without_updated(answer: Response) -> Response:
    return changed(answer, drops("LastUpdatedAt"))


def _untyped(answer: Response) -> Response:
    return answer.with_type(None)


_ERRORS = range(400, 405)
_REQUIRED = "response.LastUpdatedAt.required"
for _every in (2, 3, 7, 20):
    THEME.add_stateful(
        f"member-missing-every-{_every}",
        f"Every {_every}th integration lacks LastUpdatedAt.",
        _REQUIRED,
        _counted(bind(_every, lambda every, number: number % every == 0), _without_updated),
    )
    THEME.add_stateful(
        f"type-missing-every-{_every}",
        f"Every {_every}th error lacks its type.",
        "error.type",
        _counted(bind(_every, lambda every, number: number % every == 0), _untyped, _ERRORS),
    )
THEME.add_stateful(
    "right-at-first",
    "Only the first integration is right.",
    _REQUIRED,
    _counted(lambda n: n > 1, _without_updated),
)
THEME.add_stateful(
    "wrong-at-first",
    "The first three integrations are wrong.",
    _REQUIRED,
    _counted(lambda number: number <= 3, _without_updated),
)
THEME.add_stateful(
    "worn-out",
    "After a hundred errors they lose their type.",
    "error.type",
    _counted(lambda number: number > 100, _untyped, _ERRORS),
)
THEME.add_stateful(
    "content-type-every-5",
    "Every fifth integration is declared as HTML.",
    "response.content-type",
    _counted(lambda number: number % 5 == 0, lambda answer: answer.with_header("Content-Type", "text/html")),
)
THEME.add_stateful(
    "fails-in-fours",
    "Of forty integrations four in a row are answered 500, whoever asks again.",
    "response.status request.valid response.echo.Uri",
    _counted(lambda number: number % 40 < 4, lambda _: error(500, "InternalServerException")),
)

# --- Only for some ------------------------------------------------------------------------------------------


def _for(when: Callable[[Request], bool], change: Change) -> Handler:
    return on_answer(lambda request, answer: change(answer) if valid(request) and when(request) else answer)


def _hash(request: Request) -> int:
    return zlib.crc32(request.domain.encode() + request.text.encode("utf-8", "surrogatepass"))


def _crash(answer: Response) -> Answer:
    return error(500, "InternalServerException")


for _share in (5, 10):
    _add(
        f"one-in-{_share}-crashes",
        f"One in {_share} keys is answered 500, always.",
        "request.valid request.Uri.maxLength missing.integration missing.domain request.DomainName.pattern",
        _for(bind(_share, lambda share, request: _hash(request) % share == 0), _crash),
    )
for _name, _description, _clauses, _when in (
    ("one-character", "a Uri of one code point", "request.Uri.minLength", lambda r: len(r.text) == 1),
    ("longest-uri", "a Uri of 255 code points", "request.Uri.maxLength", lambda r: len(r.text) == 255),
    (
        "longest-name",
        "a domain name of 64 code points",
        "request.DomainName.maxLength",
        lambda r: len(r.domain) == 64,
    ),
    (
        "shortest-name",
        "a domain name of one code point",
        "request.DomainName.minLength",
        lambda r: len(r.domain) == 1,
    ),
    ("arn", "a Uri that is an ARN", "request.valid missing.integration", lambda r: r.text.startswith("arn:")),
    ("emoji", "a Uri with an emoji", "request.valid request.Uri.minLength", lambda r: "\U0001f600" in r.text),
):
    _add(f"crashes-for-{_name}", f"The answer to {_description} is 500.", _clauses, _for(_when, _crash))
    _add(
        f"untyped-for-{_name}",
        f"The error for {_description} has no type.",
        "error.type",
        _for(_when, lambda answer: _untyped(answer) if answer.status >= 400 else answer),
    )

# --- Only for official clients ------------------------------------------------------------------------------

_sdk = Theme("sdk")


def _agent(*names: str) -> Callable[[Request], bool]:
    return lambda request: any(name in (request.header("user-agent") or "").lower() for name in names)


def _to(client: Callable[[Request], bool], change: Callable[[Response], Answer]) -> Handler:
    return on_answer(lambda request, answer: change(answer) if client(request) else answer)


def _document(change: Callable[[dict[str, Any]], Any]) -> Callable[[Response], Answer]:
    return lambda answer: changed(answer, change) if answer.status == 200 else answer


def _milliseconds(document: dict[str, Any]) -> None:
    for member in ("CreatedAt", "LastUpdatedAt"):
        sets(member, document[member] * 1000)(document)


def _later(document: dict[str, Any]) -> None:
    for member in ("CreatedAt", "LastUpdatedAt"):
        sets(member, document[member] + 3600)(document)


def _local_iso(document: dict[str, Any]) -> None:
    for member in ("CreatedAt", "LastUpdatedAt"):
        moment = datetime.fromtimestamp(document[member] + 3600, UTC)
        sets(member, moment.strftime("%Y-%m-%dT%H:%M:%S"))(document)


def _type_in(header: str) -> Callable[[Response], Answer]:
    def change(answer: Response) -> Answer:
        if answer.status < 400:
            return answer
        return answer.with_type(None).with_header(header, answer.error_type)

    return change


_CLIENTS = {
    "boto3": _agent("boto3", "botocore"),
    "aws-cli": _agent("aws-cli"),
    "javascript": _agent("aws-sdk-js"),
}
#: The slow clients are asked at nightly depth only, and by one test each.
_ASKED: dict[str, dict[str, Any]] = {
    "boto3": {},
    "aws-cli": {"options": ("--depth", "nightly", "-k", "test_aws_cli"), "needs": ("aws-cli",)},
    "javascript": {"options": ("--depth", "nightly", "-k", "test_javascript"), "needs": ("javascript",)},
}
_READINGS: tuple[tuple[str, str, Change], ...] = (
    ("fails", "is answered 500", lambda answer: error(500, "InternalServerException")),
    ("gets-milliseconds", "gets milliseconds", _document(_milliseconds)),
    ("gets-another-hour", "gets times that are an hour late", _document(_later)),
    ("gets-local-iso", "gets local times in ISO 8601", _document(_local_iso)),
    ("gets-no-role", "gets no RoleArn", _document(drops("RoleArn"))),
    ("gets-no-tags", "gets no Tags", _document(drops("Tags"))),
    ("gets-another-uri", "gets another Uri", _document(sets("Uri", "s3://another"))),
)
_TYPES: tuple[tuple[str, str, Change], ...] = (
    ("untyped", "without a type", lambda answer: answer.with_type(None) if answer.status >= 400 else answer),
    ("misplaced", "with their types in another header", _type_in("X-Error-Type")),
    (
        "misspelt",
        "with types that lack Exception",
        lambda answer: (
            answer.with_type((answer.error_type or "").removesuffix("Exception"))
            if answer.status >= 400
            else answer
        ),
    ),
)
for _client, _is in _CLIENTS.items():
    for _name, _description, _change in _READINGS:
        _sdk.add(
            f"{_client}-{_name}",
            f"{_client} {_description}.",
            f"sdk.{_client}",
            _to(_is, _change),
            **_ASKED[_client],
        )
for _client, _clause in (("boto3", "sdk.boto3.typed-errors"), ("javascript", "sdk.javascript")):
    for _name, _description, _change in _TYPES:
        _sdk.add(
            f"{_client}-errors-{_name}",
            f"{_client} gets errors {_description}.",
            _clause,
            _to(_CLIENTS[_client], _change),
            **_ASKED[_client],
        )
_sdk.add(
    "content-hash-required",
    "A request without x-amz-content-sha256, which SDKs do not send here, is rejected.",
    "sdk.boto3 sdk.boto3.typed-errors",
    on_answer(
        lambda request, answer: (
            answer
            if request.header("x-amz-content-sha256") or answer.status >= 400
            else error(400, "BadRequestException")
        )
    ),
)
_sdk.add(
    "retry-header-crashes",
    "A request with the SDKs' retry headers is answered 500.",
    "sdk.boto3",
    on_answer(
        lambda request, answer: (
            error(500, "InternalServerException") if request.header("amz-sdk-request") else answer
        )
    ),
)

THEMES = (THEME, _sdk)
