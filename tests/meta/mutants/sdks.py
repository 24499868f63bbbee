"""Servers that are wrong only for official clients."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from .kit import Theme, changed, drops, instead, on_answer, sets, timed
from .messages import Answer, Handler, Request, Response, error

THEME = Theme("sdk")

Change = Callable[[Response], Answer]


def _agent(*names: str) -> Callable[[Request], bool]:
    return lambda request: any(name in (request.header("user-agent") or "").lower() for name in names)


def _to(client: Callable[[Request], bool], change: Callable[[Response], Answer]) -> Handler:
    return on_answer(lambda request, answer: change(answer) if client(request) else answer)


def _document(change: Callable[[dict[str, Any]], Any]) -> Callable[[Response], Answer]:
    return lambda answer: changed(answer, change) if answer.status == 200 else answer


def _local_iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds + 3600, UTC).strftime("%Y-%m-%dT%H:%M:%S")


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
    ("gets-milliseconds", "gets milliseconds", _document(timed(lambda time: time * 1000))),
    ("gets-another-hour", "gets times that are an hour late", _document(timed(lambda time: time + 3600))),
    ("gets-local-iso", "gets local times in ISO 8601", _document(timed(_local_iso))),
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
        THEME.add(
            f"{_client}-{_name}",
            f"{_client} {_description}.",
            f"sdk.{_client}",
            _to(_is, _change),
            **_ASKED[_client],
        )
for _client, _clause in (("boto3", "sdk.boto3.typed-errors"), ("javascript", "sdk.javascript")):
    for _name, _description, _change in _TYPES:
        THEME.add(
            f"{_client}-errors-{_name}",
            f"{_client} gets errors {_description}.",
            _clause,
            _to(_CLIENTS[_client], _change),
            **_ASKED[_client],
        )
THEME.add(
    "content-hash-required",
    "A request without x-amz-content-sha256, which SDKs do not send here, is rejected.",
    "sdk.boto3 sdk.boto3.typed-errors",
    instead(
        error(400, "BadRequestException"),
        lambda request, answer: not request.header("x-amz-content-sha256") and answer.status < 400,
    ),
)
THEME.add(
    "retry-header-crashes",
    "A request with the SDKs' retry headers is answered 500.",
    "sdk.boto3",
    instead(
        error(500, "InternalServerException"), lambda request, _: bool(request.header("amz-sdk-request"))
    ),
)
