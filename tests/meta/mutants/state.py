"""Servers that do not keep what was written, or date it wrongly."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .kit import Build, Theme, alters, drops, on_document
from .messages import Answer, Request, Response, error
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
            alters(_member, _change),
        )


@THEME.mutant("Tags-pile-up", "state.put-get.Tags state.update.visible", reads)
def _merged_tags(self: Writes, request: Request, answer: Response) -> Answer:
    """The tags of an update are added to those that were there."""
    tags: Document = {}
    for document in self.alive.get(key(request), []):
        tags |= document.get("Tags") or {}
    return edited(answer, Tags=tags) if answer.status == 200 and tags else answer


@THEME.mutant("Tags-of-another", "state.put-get.Tags state.update.isolated state.read-only", reads)
def _tags_of_the_last(self: Writes, request: Request, answer: Response) -> Answer:
    """The tags are those of the integration that was made last."""
    documents = list(self.put.values())
    if answer.status != 200 or not documents:
        return answer
    return edited(answer, Tags=documents[-1][-1].get("Tags") or {})


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


@THEME.mutant("created-moves", "state.CreatedAt.stable", reads)
def _created_moves(self: Writes, request: Request, answer: Response) -> Answer:
    """An update makes CreatedAt the present."""
    if answer.status != 200 or len(self.times.get(key(request), [])) < 2:
        return answer
    now = self.times[key(request)][-1]
    return edited(answer, CreatedAt=now, LastUpdatedAt=now)


@THEME.mutant("created-goes-back", "state.CreatedAt.stable", reads)
def _created_goes_back(self: Writes, request: Request, answer: Response) -> Answer:
    """An update moves CreatedAt back a minute."""
    updates = len(self.times.get(key(request), []))
    if answer.status != 200 or updates < 2:
        return answer
    return edited(answer, CreatedAt=answer.document["CreatedAt"] - 60 * updates)


@THEME.mutant("updated-goes-back", "state.LastUpdatedAt.moves state.CreatedAt.stable", reads)
def _updated_goes_back(self: Writes, request: Request, answer: Response) -> Answer:
    """An update moves both times back an hour."""
    if answer.status != 200 or len(self.times.get(key(request), [])) < 2:
        return answer
    past = answer.document["LastUpdatedAt"] - 3600
    return edited(answer, LastUpdatedAt=past, CreatedAt=min(past, answer.document["CreatedAt"]))


@THEME.mutant("updated-stays", "state.LastUpdatedAt.moves", reads)
def _updated_stays(self: Writes, request: Request, answer: Response) -> Answer:
    """No update moves LastUpdatedAt."""
    if answer.status != 200 or not isinstance(answer.document.get("CreatedAt"), int | float):
        return answer
    created = answer.document["CreatedAt"]
    return edited(answer, LastUpdatedAt=created)


@THEME.mutant("updated-stays-in-whole-seconds", "state.LastUpdatedAt.moves", reads)
def _updated_stays_whole(self: Writes, request: Request, answer: Response) -> Answer:
    """No update moves LastUpdatedAt, which tells whole seconds."""
    answer = _updated_stays(self, request, answer)
    if answer.status != 200:
        return answer
    return edited(answer, **{name: int(answer.document[name]) for name in ("CreatedAt", "LastUpdatedAt")})


@THEME.mutant("created-on-reading", "state.read-only", reads)
def _created_is_reading(self: Writes, request: Request, answer: Response) -> Answer:
    """Both times are those of the reading."""
    now = time.time()
    return edited(answer, CreatedAt=now, LastUpdatedAt=now) if answer.status == 200 else answer


@THEME.mutant("updated-on-reading", "state.read-only", reads)
def _updated_is_reading(self: Writes, request: Request, answer: Response) -> Answer:
    """LastUpdatedAt is the time of the reading."""
    return edited(answer, LastUpdatedAt=time.time()) if answer.status == 200 else answer


@THEME.mutant("updated-by-others", "state.update.isolated state.read-only", reads)
def _updated_by_others(self: Writes, request: Request, answer: Response) -> Answer:
    """LastUpdatedAt is that of the last write to any integration."""
    latest = max((times[-1] for times in self.times.values()), default=0.0)
    return edited(answer, LastUpdatedAt=latest) if answer.status == 200 and latest else answer
