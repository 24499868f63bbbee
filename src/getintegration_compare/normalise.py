"""What of an answer is compared, and the normalisations, each of which can be turned off.

A normalisation replaces what lawfully differs from answer to answer by a word that says what stood there, so
that its absence or another kind still shows. Nothing else is ignored.
"""

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any, TypeGuard

from getintegration_compare.names import Names
from getintegration_contract.exchange import Exchange, Headers, bare
from getintegration_contract.judging.judge import SECONDS

#: All normalisations, and what each does.
NORMALISATIONS = {
    "names": "names of domains and Uris are mapped to each other",
    "request-ids": "the values of request ids are ignored",
    "generated-ids": "the value of WorkflowId is ignored",
    "dates": "the values of Date and Last-Modified are ignored",
    "timestamps": "only unit and order of timestamps, and whether they lie in the future, are compared",
    "arns": "account ids and regions inside ARNs are ignored",
    "header-case": "the case of header names is ignored",
    "header-order": "the order of headers is ignored",
    "framing": "framing of bodies (length, chunks, compression, connection) is ignored",
    "software": "headers that name software (Server, Via, X-Powered-By) are ignored",
    "json-layout": "white space, escapes and order of members are ignored",
    "message-texts": "the text of messages is ignored",
    "type-decoration": "prefix and suffix of an error type are ignored",
}

#: Levels of nesting beyond which a body is compared as text.
_DEEPEST = 100
#: Seconds by which clocks may differ.
_CLOCKS = 300
_IDS = re.compile(r"x-amzn?-(request-?id|id-2|trace-id|apigw-id|cf-id)")
_ARN = re.compile(r"\barn:(aws[\w-]*):([\w-]*):([\w-]*):(\d{12}|)(?=:)")
_DATES = frozenset({"date", "last-modified"})
_FRAMING = frozenset({"content-length", "transfer-encoding", "content-encoding", "connection", "keep-alive"})
_SOFTWARE = frozenset({"server", "via", "x-powered-by", "x-aspnet-version"})


class Moment(str):
    """Stands for a timestamp that is a number: its unit, and what is wrong with it."""

    __slots__ = ()


class Answer:
    """An answer as it is compared.

    Attributes:
        envelope: Where the type and the message of an error stand.
        headers: The values of each, in the order in which names are compared.
        document: Its JSON; None where it has none (``is_json`` is False) or where it is null.
        text: Its body as it came, where the layout counts.
    """

    def __init__(self, exchange: Exchange, names: Names, steps: Collection[str]) -> None:
        self._names, self._steps, self._started = names, steps, exchange.started
        response = replace(exchange.response)  # what is read of it is not kept
        self.status, self.seconds = response.status, exchange.seconds
        types = {place: text for place, text in response.error_types.items() if isinstance(text, str)}
        self.error_type = next(iter(types.values()), None)
        if self.error_type is not None and "type-decoration" in steps:
            self.error_type = bare(self.error_type)
        self.headers = self._headers(response.headers)
        self.is_json = response.json.fault is None
        self.document: Any = None
        try:
            self.document = self._value(response.document, _DEEPEST)
        except RecursionError:
            self.is_json = False
        members = self.document if isinstance(self.document, dict) else {}
        if isinstance(members.get("WorkflowId"), str) and members["WorkflowId"] and "generated-ids" in steps:
            members["WorkflowId"] = "<an id>"
        messages = [name for name in ("Message", "message") if name in members]
        if "message-texts" in steps:
            members |= {name: "<a text>" for name in messages if isinstance(members[name], str)}
        messages = messages if self.status >= 400 else []
        self.envelope = {"place of the type": [*types], "name of the message": messages}
        self.text: str | None = None
        if not (self.is_json and "json-layout" in steps):
            self.text = response.body.decode("utf-8", "backslashreplace")

    def _headers(self, headers: Headers) -> dict[str, list[str]]:
        steps, found = self._steps, dict[str, list[str]]()
        if "header-order" in steps:
            headers = tuple(sorted(headers, key=lambda header: header[0].lower()))
        for name, value in headers:
            low = name.lower()
            if (low in _FRAMING and "framing" in steps) or (low in _SOFTWARE and "software" in steps):
                continue
            if value and low in _DATES and "dates" in steps:
                value = "<a date>"
            elif value and _IDS.fullmatch(low) and "request-ids" in steps:
                value = "<an id>"
            found.setdefault(low if "header-case" in steps else name, []).append(value)
        return found

    def _value(self, value: Any, levels: int) -> Any:
        """A JSON value with names, ARNs and times normalised.

        Raises:
            RecursionError: It nests more deeply than that.
        """
        if isinstance(value, str):
            if "names" in self._steps:
                value = self._names.hidden(value)
            return _ARN.sub(_arn, value) if "arns" in self._steps else value
        if not levels and isinstance(value, dict | list):
            raise RecursionError
        if isinstance(value, list):
            return [self._value(entry, levels - 1) for entry in value]
        if isinstance(value, dict):
            times = self._times(value) if "timestamps" in self._steps else {}
            return {name: self._value(entry, levels - 1) for name, entry in value.items()} | times
        return value

    def _times(self, members: dict[str, Any]) -> dict[str, Moment]:
        created, updated = members.get("CreatedAt"), members.get("LastUpdatedAt")
        times = {}
        if _is_number(created):
            late = _is_number(updated) and created > updated
            times["CreatedAt"] = Moment(f"<{_unit(created)}{', after LastUpdatedAt' * late}>")
        if _is_number(updated):
            future = _unit(updated) == "seconds" and updated > self._started + _CLOCKS
            times["LastUpdatedAt"] = Moment(f"<{_unit(updated)}{', in the future' * future}>")
        return times


def _arn(match: re.Match[str]) -> str:
    partition, service, region, account = match.groups()
    return f"arn:{partition}:{service}:{'<region>' * bool(region)}:{'<account>' * bool(account)}"


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unit(value: float) -> str:
    if value < 0:
        return "before 1970"
    if value < SECONDS.stop:
        return "seconds"
    return "milliseconds" if value < SECONDS.stop * 1000 else "no time"
