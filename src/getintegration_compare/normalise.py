"""What of an answer is compared, and the normalisations: each a named step that can be left out.

Nothing else is ignored. A normalisation replaces what lawfully differs from answer to answer by a word that
says what stood there, so that its absence or another kind still shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, TypeGuard

from getintegration_compare.names import Names, map_strings
from getintegration_contract.exchange import Exchange, bare
from getintegration_contract.judging.judge import SECONDS

#: Levels of nesting beyond which a body is compared as text.
_DEEPEST = 100
#: Seconds by which clocks may differ.
_CLOCKS = 300
_IDS = re.compile(r"x-amzn?-(request-?id|id-2|trace-id|apigw-id|cf-id)", re.IGNORECASE)
_DATES = re.compile("date|last-modified", re.IGNORECASE)
_ARN = re.compile(r"\barn:(aws[\w-]*):([\w-]*):([\w-]*):(\d{12}|)(?=:)")
_FRAMING = frozenset({"content-length", "transfer-encoding", "content-encoding", "connection", "keep-alive"})
_SOFTWARE = frozenset({"server", "via", "x-powered-by", "x-aspnet-version"})
_MESSAGES = ("Message", "message")


@dataclass(frozen=True)
class Moment:
    """Stands for a timestamp that is a number: its unit, and what is wrong with it."""

    description: str

    def __str__(self) -> str:
        return f"<{self.description}>"


class Answer:
    """An answer as it is compared; nothing is normalised yet.

    Attributes:
        headers: Name and value, in the order of the wire.
        document: Its JSON; None where it has none (``is_json`` is False) or where it is null.
        text: Its body as it came, where the layout counts.
        type_in, message_in: Where the error's type and its message stand.
        started: Epoch seconds when it was asked for.
    """

    def __init__(self, exchange: Exchange, names: Names) -> None:
        response = replace(exchange.response)  # what is read of it is not kept
        types = {place: text for place, text in response.error_types.items() if isinstance(text, str)}
        self.names = names
        self.status = response.status
        self.seconds, self.started = exchange.seconds, exchange.started
        self.headers = list(response.headers)
        self.text: str | None = response.body.decode("utf-8", "backslashreplace")
        self.is_json = response.json.fault is None and not _is_deep(response.body)
        self.document: Any = response.document if self.is_json else None
        self.error_type = next(iter(types.values()), None)
        self.type_in = tuple(types)
        members = self.document if response.status >= 400 and isinstance(self.document, dict) else {}
        self.message_in = tuple(place for place in _MESSAGES if place in members)


def _is_deep(body: bytes) -> bool:
    """Whether JSON nests too deeply to be walked; brackets in strings count, which does no harm."""
    if body.count(b"[") + body.count(b"{") <= _DEEPEST:
        return False
    depth = deepest = 0
    for char in body:
        depth += (char in b"[{") - (char in b"]}")
        deepest = max(deepest, depth)
    return deepest > _DEEPEST


class Step(NamedTuple):
    """A normalisation: its name, what it does in words, and how."""

    name: str
    description: str
    apply: Callable[[Answer], None]


def _names(answer: Answer) -> None:
    answer.document = answer.names.hide_value(answer.document)


def _replace(pattern: re.Pattern[str], text: str, answer: Answer) -> None:
    """Put a text in place of the values of headers, but not of empty ones."""
    answer.headers = [
        (name, text if value and pattern.fullmatch(name) else value) for name, value in answer.headers
    ]


def _remove(names: frozenset[str], answer: Answer) -> None:
    answer.headers = [(name, value) for name, value in answer.headers if name.lower() not in names]


def _generated_ids(answer: Answer) -> None:
    document = answer.document
    if isinstance(document, dict) and isinstance(document.get("WorkflowId"), str) and document["WorkflowId"]:
        answer.document = {**document, "WorkflowId": "<an id>"}


def _times(answer: Answer) -> None:
    answer.document = _moments(answer.document, answer.started)


def _moments(value: Any, started: float) -> Any:
    """A value with its times as moments, also those of the items of a list."""
    if isinstance(value, list):
        return [_moments(entry, started) for entry in value]
    if not isinstance(value, dict):
        return value
    created, updated = value.get("CreatedAt"), value.get("LastUpdatedAt")
    moments = {}
    if _is_number(created):
        late = _is_number(updated) and created > updated
        moments["CreatedAt"] = Moment(_unit(created) + (", after LastUpdatedAt" if late else ""))
    if _is_number(updated):
        future = _unit(updated) == "seconds" and updated > started + _CLOCKS
        moments["LastUpdatedAt"] = Moment(_unit(updated) + (", in the future" if future else ""))
    return {name: _moments(entry, started) for name, entry in value.items()} | moments


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unit(value: float) -> str:
    if value < 0:
        return "before 1970"
    if value < SECONDS.stop:
        return "seconds"
    return "milliseconds" if value < SECONDS.stop * 1000 else "no time"


def _arns(answer: Answer) -> None:
    def replaced(match: re.Match[str]) -> str:
        partition, service, region, account = match.groups()
        return f"arn:{partition}:{service}:{'<region>' * bool(region)}:{'<account>' * bool(account)}"

    answer.document = map_strings(answer.document, lambda text: _ARN.sub(replaced, text))


def _header_case(answer: Answer) -> None:
    answer.headers = [(name.lower(), value) for name, value in answer.headers]


def _header_order(answer: Answer) -> None:
    answer.headers = sorted(answer.headers, key=lambda header: header[0].lower())


def _json_layout(answer: Answer) -> None:
    if answer.is_json:
        answer.text = None


def _message_texts(answer: Answer) -> None:
    if isinstance(answer.document, dict):
        texts = {name: "<a text>" for name in _MESSAGES if isinstance(answer.document.get(name), str)}
        answer.document = {**answer.document, **texts}


def _type_decoration(answer: Answer) -> None:
    if answer.error_type is not None:
        answer.error_type = bare(answer.error_type)


#: All normalisations, in the order in which they are applied.
NORMALISATIONS = (
    Step("names", "names of domains and Uris are mapped to the other side's", _names),
    Step("request-ids", "the values of request ids are ignored", partial(_replace, _IDS, "<an id>")),
    Step("generated-ids", "the value of WorkflowId is ignored", _generated_ids),
    Step("dates", "the values of Date and Last-Modified are ignored", partial(_replace, _DATES, "<a date>")),
    Step("timestamps", "of timestamps only unit, order and not lying in the future are compared", _times),
    Step("arns", "account ids and regions inside ARNs are ignored", _arns),
    Step("header-case", "the case of header names is ignored", _header_case),
    Step("header-order", "the order of headers is ignored", _header_order),
    Step(
        "framing",
        "how a body travels (length, chunks, compression, connection) is ignored",
        partial(_remove, _FRAMING),
    ),
    Step(
        "software",
        "headers that name the software (Server, Via, X-Powered-By) are ignored",
        partial(_remove, _SOFTWARE),
    ),
    Step("json-layout", "white space, escapes and order of members are ignored", _json_layout),
    Step("message-texts", "the text of messages is ignored", _message_texts),
    Step("type-decoration", "prefix and suffix of an error type are ignored", _type_decoration),
)
NAMES = tuple(step.name for step in NORMALISATIONS)


def normalise(exchange: Exchange, names: Names, without: Iterable[str] = ()) -> Answer:
    """The answer of an exchange, with all normalisations but those named."""
    answer = Answer(exchange, names)
    for step in NORMALISATIONS:
        if step.name not in without:
            step.apply(answer)
    return answer
