"""Servers that do not keep what was written, or date it wrongly."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .kit import Build, Theme, drops, on_document
from .messages import Answer, Handler, Request, Response, error
from .writes import Document, Writes, edited, key, reads

THEME = Theme("state")
_add = THEME.add_stateful

# --- Members that are not read as they were put -------------------------------------------------------------

_MEMBERS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "EventTriggerNames": {"lower-case": lambda v: [v[0].lower()] if v else v, "emptied": lambda v: []},
    "ObjectTypeName": {
        "lower-case": str.lower,
        "cut": lambda v: v[:4],
        "constant": lambda v: "MyCustomObject",
    },
    "ObjectTypeNames": {
        "first-only": lambda v: dict(list(v.items())[:1]),
        "turned-round": lambda v: {value.strip("-") or "a": key for key, value in v.items()},
        "lower-case-keys": lambda v: {key.lower(): value for key, value in v.items()},
    },
    "RoleArn": {
        "lower-case": str.lower,
        "other-role": lambda v: "arn:aws:iam::123456789012:role/AWSServiceRoleForProfile",
        "masked": lambda v: v.replace("123456789012", "000000000000"),
    },
    "Scope": {"constant": lambda v: "PROFILE" if v == "DOMAIN" else "DOMAIN"},
    "Tags": {
        "emptied": lambda v: {},
        "first-only": lambda v: dict(list(v.items())[:1]),
        "lower-case-values": lambda v: {key: value.lower() + "x" for key, value in v.items()},
        "ascii-only": lambda v: {key: value.encode("ascii", "ignore").decode() for key, value in v.items()},
        "system-added": lambda v: {**v, "team2": "contract"},
        "stripped-keys": lambda v: {key.replace(":", ""): value for key, value in v.items()},
    },
}


def _otherwise(member: str, change: Callable[[Any], Any]) -> Handler:
    return on_document(
        lambda document: {**document, member: change(document[member])} if document.get(member) else document
    )


for _member, _changes in _MEMBERS.items():
    _clause = f"state.put-get.{_member}"
    THEME.add(
        f"{_member}-lost",
        f"{_member} is not kept.",
        f"{_clause} state.update.visible",
        on_document(drops(_member)),
    )
    for _name, _change in _changes.items():
        THEME.add(
            f"{_member}-{_name}",
            f"{_member} is read otherwise than it was put: {_name}.",
            f"{_clause} state.update.visible",
            _otherwise(_member, _change),
        )


def _merged_tags(self: Writes, request: Request, answer: Response) -> Answer:
    tags: Document = {}
    for document in self.alive.get(key(request), []):
        tags |= document.get("Tags") or {}
    return edited(answer, Tags=tags) if answer.status == 200 and tags else answer


def _tags_of_the_last(self: Writes, request: Request, answer: Response) -> Answer:
    documents = list(self.put.values())
    if answer.status != 200 or not documents:
        return answer
    return edited(answer, Tags=documents[-1][-1].get("Tags") or {})


_add(
    "Tags-pile-up",
    "The tags of an update are added to those that were there.",
    "state.put-get.Tags state.update.visible",
    reads(_merged_tags),
)
_add(
    "Tags-of-another",
    "The tags are those of the integration that was made last.",
    "state.put-get.Tags state.update.isolated state.read-only",
    reads(_tags_of_the_last),
)


def _not_found_if(when: Callable[[str], bool]) -> Build:
    """Integrations whose Uri has something special are lost."""

    def read(self: Writes, request: Request, answer: Response) -> Answer:
        lost = answer.status == 200 and when(request.text)
        return error(404, "ResourceNotFoundException") if lost else answer

    return reads(read)


for _name, _description, _when in (
    ("astral", "characters beyond the basic plane", lambda uri: any(c > "\uffff" for c in uri)),
    ("quotes", "quotes", lambda uri: '"' in uri or "'" in uri),
    ("backslashes", "backslashes", lambda uri: "\\" in uri),
    ("controls", "control characters", lambda uri: any(c < " " for c in uri)),
    ("spaces-around", "white space around it", lambda uri: uri != uri.strip()),
    ("length-over-200", "more than 200 code points", lambda uri: len(uri) > 200),
    ("plus", "a plus sign", lambda uri: "+" in uri),
    ("question-mark", "a question mark", lambda uri: "?" in uri),
):
    _add(
        f"uri-with-{_name}-lost",
        f"An integration whose Uri has {_description} cannot be read again.",
        "state.put-get.Uri",
        _not_found_if(_when),
    )

# --- Times --------------------------------------------------------------------------------------------------


def _created_moves(self: Writes, request: Request, answer: Response) -> Answer:
    if answer.status != 200 or len(self.times.get(key(request), [])) < 2:
        return answer
    now = self.times[key(request)][-1]
    return edited(answer, CreatedAt=now, LastUpdatedAt=now)


def _created_goes_back(self: Writes, request: Request, answer: Response) -> Answer:
    updates = len(self.times.get(key(request), []))
    if answer.status != 200 or updates < 2:
        return answer
    return edited(answer, CreatedAt=answer.document["CreatedAt"] - 60 * updates)


def _updated_goes_back(self: Writes, request: Request, answer: Response) -> Answer:
    if answer.status != 200 or len(self.times.get(key(request), [])) < 2:
        return answer
    past = answer.document["LastUpdatedAt"] - 3600
    return edited(answer, LastUpdatedAt=past, CreatedAt=min(past, answer.document["CreatedAt"]))


def _updated_stays(self: Writes, request: Request, answer: Response) -> Answer:
    if answer.status != 200 or not isinstance(answer.document.get("CreatedAt"), int | float):
        return answer
    created = answer.document["CreatedAt"]
    return edited(answer, LastUpdatedAt=created)


def _updated_stays_whole(self: Writes, request: Request, answer: Response) -> Answer:
    answer = _updated_stays(self, request, answer)
    if answer.status != 200:
        return answer
    return edited(answer, **{name: int(answer.document[name]) for name in ("CreatedAt", "LastUpdatedAt")})


def _created_is_reading(self: Writes, request: Request, answer: Response) -> Answer:
    now = time.time()
    return edited(answer, CreatedAt=now, LastUpdatedAt=now) if answer.status == 200 else answer


def _updated_is_reading(self: Writes, request: Request, answer: Response) -> Answer:
    return edited(answer, LastUpdatedAt=time.time()) if answer.status == 200 else answer


def _updated_by_others(self: Writes, request: Request, answer: Response) -> Answer:
    latest = max((times[-1] for times in self.times.values()), default=0.0)
    return edited(answer, LastUpdatedAt=latest) if answer.status == 200 and latest else answer


for _name, _description, _clauses, _read in (
    ("created-moves", "An update makes CreatedAt the present.", "state.CreatedAt.stable", _created_moves),
    (
        "created-goes-back",
        "An update moves CreatedAt back a minute.",
        "state.CreatedAt.stable",
        _created_goes_back,
    ),
    (
        "updated-goes-back",
        "An update moves both times back an hour.",
        "state.LastUpdatedAt.moves state.CreatedAt.stable",
        _updated_goes_back,
    ),
    ("updated-stays", "No update moves LastUpdatedAt.", "state.LastUpdatedAt.moves", _updated_stays),
    (
        "updated-stays-in-whole-seconds",
        "No update moves LastUpdatedAt, which tells whole seconds.",
        "state.LastUpdatedAt.moves",
        _updated_stays_whole,
    ),
    ("created-on-reading", "Both times are those of the reading.", "state.read-only", _created_is_reading),
    (
        "updated-on-reading",
        "LastUpdatedAt is the time of the reading.",
        "state.read-only",
        _updated_is_reading,
    ),
    (
        "updated-by-others",
        "LastUpdatedAt is that of the last write to any integration.",
        "state.update.isolated state.read-only",
        _updated_by_others,
    ),
):
    _add(_name, _description, _clauses, reads(_read))
