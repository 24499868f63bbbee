"""Servers that are wrong only for official clients."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from .errors import untyped
from .fates import BAD_REQUEST, CRASH
from .kit import Theme, changed, drops, for_some, instead, sets, timed
from .messages import Answer, Handler, Response

THEME = Theme("sdk")

Change = Callable[[Response], Answer]


def _to(agents: str, change: Change) -> Handler:
    """Changes what clients get that name one of these as what they are."""
    return for_some(
        lambda r: any(agent in (r.header("user-agent") or "").lower() for agent in agents.split()), change
    )


def _document(change: Callable[[dict[str, Any]], Any]) -> Change:
    return lambda answer: changed(answer, change) if answer.status == 200 else answer


def _error(change: Callable[[Response], Response]) -> Change:
    return lambda answer: change(answer) if answer.status >= 400 else answer


def _local_iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds + 3600, UTC).strftime("%Y-%m-%dT%H:%M:%S")


#: How each client names itself; the slow ones are asked at nightly depth only, and by one test each.
_CLIENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "boto3": ("boto3 botocore", {}),
    "aws-cli": ("aws-cli", {"options": ("--depth", "nightly", "-k", "test_aws_cli"), "needs": ("aws-cli",)}),
    "javascript": (
        "aws-sdk-js",
        {"options": ("--depth", "nightly", "-k", "test_javascript"), "needs": ("javascript",)},
    ),
}
_READINGS: tuple[tuple[str, str, Change], ...] = (
    ("fails", "is answered 500", lambda a: CRASH),
    ("gets-milliseconds", "gets milliseconds", _document(timed(lambda time: time * 1000))),
    ("gets-another-hour", "gets times that are an hour late", _document(timed(lambda time: time + 3600))),
    ("gets-local-iso", "gets local times in ISO 8601", _document(timed(_local_iso))),
    ("gets-no-role", "gets no RoleArn", _document(drops("RoleArn"))),
    ("gets-no-tags", "gets no Tags", _document(drops("Tags"))),
    ("gets-another-uri", "gets another Uri", _document(sets("Uri", "s3://another"))),
)
_TYPES: tuple[tuple[str, str, Change], ...] = (
    ("untyped", "without a type", _error(untyped)),
    (
        "misplaced",
        "with their types in another header",
        _error(lambda a: untyped(a).with_header("X-Error-Type", a.error_type)),
    ),
    (
        "misspelt",
        "with types that lack Exception",
        _error(lambda a: a.with_type((a.error_type or "").removesuffix("Exception"))),
    ),
)
for _client, (_agents, _asked) in _CLIENTS.items():
    THEME.with_(**_asked)[f"sdk.{_client}"] = {
        f"{_client}-{name}: {_client} {description}.": _to(_agents, change)
        for name, description, change in _READINGS
    }
for _client, _clause in (("boto3", "sdk.boto3.typed-errors"), ("javascript", "sdk.javascript")):
    _agents, _asked = _CLIENTS[_client]
    THEME.with_(**_asked)[_clause] = {
        f"{_client}-errors-{name}: {_client} gets errors {description}.": _to(_agents, change)
        for name, description, change in _TYPES
    }
THEME["sdk.boto3 sdk.boto3.typed-errors"] = {
    "content-hash-required: SDKs do not send it here, and are rejected.": instead(
        BAD_REQUEST, lambda r, a: not r.header("x-amz-content-sha256") and a.status < 400
    )
}
THEME["sdk.boto3"] = {
    "retry-header-crashes: A request with the SDKs' retry headers is answered 500.": instead(
        CRASH, lambda r, _: bool(r.header("amz-sdk-request"))
    )
}
