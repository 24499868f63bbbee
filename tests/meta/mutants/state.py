"""Servers that do not keep what was written, or date it wrongly."""

import re
import time
from collections.abc import Callable
from typing import Any

from .kit import Theme, alters, drops, on_document
from .writes import Document, History, edits, loses

THEME = Theme("state")

# --- Members that are not read as they were put -------------------------------------------------------------

_MEMBERS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "EventTriggerNames": {"lower-case": lambda v: [v[0].lower()] if v else v, "emptied": lambda v: []},
    "ObjectTypeName": {"lower-case": str.lower, "cut": lambda v: v[:4], "constant": lambda v: "Constant"},
    "ObjectTypeNames": {
        "first-only": lambda v: dict(list(v.items())[:1]),
        "keys-that-objects-have": lambda v: {
            k: t for k, t in v.items() if k not in ("__proto__", "constructor")
        },
        "cut-keys": lambda v: {key.encode()[:255].decode("utf-8", "ignore"): t for key, t in v.items()},
        "turned-round": lambda v: {value.strip("-") or "a": key for key, value in v.items()},
        "lower-case-keys": lambda v: {key.lower(): value for key, value in v.items()},
    },
    "RoleArn": {
        "lower-case": str.lower,
        "other-role": lambda v: "arn:aws:iam::123456789012:role/AWSServiceRoleForProfile",
        "masked": lambda v: v.replace("123456789012", "000000000000"),
        "account-as-a-number": lambda v: re.sub("::0+", "::", v),
    },
    "Scope": {"constant": lambda v: "PROFILE" if v == "DOMAIN" else "DOMAIN"},
    "Tags": {
        "emptied": lambda v: {},
        "first-only": lambda v: dict(list(v.items())[:1]),
        "lower-case-values": lambda v: {key: value.lower() + "x" for key, value in v.items()},
        "ascii-only": lambda v: {key: value.encode("ascii", "ignore").decode() for key, value in v.items()},
        "system-added": lambda v: {**v, "team2": "contract"},
        "digits-lost": lambda v: {key: value for key, value in v.items() if not key.isdigit()},
        "lines-joined": lambda v: {key: " ".join(value.splitlines()) for key, value in v.items()},
        "until-nul": lambda v: {key: value.partition("\0")[0] for key, value in v.items()},
        "trimmed-wide": lambda v: {key: value.strip("\u00a0\u3000") for key, value in v.items()},
        "stripped-keys": lambda v: {key.replace(":", ""): value for key, value in v.items()},
    },
}
for _member, _changes in _MEMBERS.items():
    THEME[f"state.put-get.{_member} state.update.visible"] = {
        f"{_member}-lost: {_member} is not kept.": on_document(drops(_member)),
        **{
            f"{_member}-{name}: {_member} is read otherwise than it was put: {name}.": alters(_member, change)
            for name, change in _changes.items()
        },
    }


@THEME.mutant("Tags-pile-up", "state.put-get.Tags state.update.visible", edits)
def _merged_tags(history: History, _: Document) -> Document:
    """The tags of an update are added to those that were there."""
    tags: Document = {}
    for document in history.alive:
        tags |= document.get("Tags") or {}
    return {"Tags": tags} if tags else {}


@THEME.mutant("Tags-of-another", "state.put-get.Tags state.update.isolated state.read-only", edits)
def _tags_of_the_last(history: History, _: Document) -> Document:
    """The tags are those of the integration that was made last."""
    documents = list(history.past.put.values())
    return {"Tags": documents[-1][-1].get("Tags") or {}} if documents else {}


for _name, _description, _when in (
    ("astral", "characters beyond the basic plane", lambda uri: any(c > "\uffff" for c in uri)),
    ("quotes", "quotes", lambda uri: '"' in uri or "'" in uri),
    ("backslashes", "backslashes", lambda uri: "\\" in uri),
    ("controls", "control characters", lambda uri: any(c < " " for c in uri)),
    ("spaces-around", "white space around it", lambda uri: uri != uri.strip()),
    ("length-over-200", "more than 200 code points", lambda uri: len(uri) > 200),
    ("plus", "a plus sign", lambda uri: "+" in uri),
    ("question-mark", "a question mark", lambda uri: "?" in uri),
    ("bar", "a vertical bar", lambda uri: "|" in uri),
    ("soft-hyphen", "a soft hyphen", lambda uri: "\u00ad" in uri),
    ("wide-spaces-around", "wide spaces around it", lambda uri: uri != uri.strip("\u00a0\u3000")),
):
    _text = f"uri-with-{_name}-lost: An integration whose Uri has {_description} cannot be read again."
    THEME["state.put-get.Uri"] = {_text: loses(lambda h, when=_when: when(h.request.text))}

# --- Times --------------------------------------------------------------------------------------------------


def _latest(history: History) -> float:
    return max((times[-1] for times in history.past.times.values()), default=0.0)


def _made_now(history: History) -> Document:
    return dict.fromkeys(("CreatedAt", "LastUpdatedAt"), history.times[-1])


THEME["state.CreatedAt.stable"] = {
    "created-moves: An update renews it.": edits(lambda h, _: _made_now(h) if len(h.times) > 1 else {}),
    "created-moves-with-role: An update that changes RoleArn makes CreatedAt the present.": edits(
        lambda h, _: (
            _made_now(h) if h.updated and h.alive[-1].get("RoleArn") != h.alive[-2].get("RoleArn") else {}
        )
    ),
    "created-moves-without-change: An update that changes nothing makes CreatedAt the present.": edits(
        lambda h, _: _made_now(h) if h.updated and h.alive[-1] == h.alive[-2] else {}
    ),
    "created-goes-back: An update moves CreatedAt back a minute.": edits(
        lambda h, d: {"CreatedAt": d["CreatedAt"] - 60 * len(h.times)} if len(h.times) > 1 else {}
    ),
}


@THEME.mutant("updated-goes-back", "state.LastUpdatedAt.moves state.CreatedAt.stable", edits)
def _updated_goes_back(history: History, document: Document) -> Document:
    """An update moves both times back an hour."""
    past = document["LastUpdatedAt"] - 3600
    both = {"LastUpdatedAt": past, "CreatedAt": min(past, document["CreatedAt"])}
    return both if len(history.times) > 1 else {}


def _unmoved(document: Document) -> Document:
    created = document.get("CreatedAt")
    return {"LastUpdatedAt": created} if isinstance(created, int | float) else {}


THEME["state.LastUpdatedAt.moves"] = {
    "updated-stays: No update moves LastUpdatedAt.": edits(lambda _, d: _unmoved(d)),
    "updated-stays-in-whole-seconds: No update moves LastUpdatedAt, which tells whole seconds.": edits(
        lambda _, d: {n: int({**d, **_unmoved(d)}[n]) for n in ("CreatedAt", "LastUpdatedAt")}
    ),
}
THEME["state.read-only"] = {
    "created-on-reading: Both times are those of the reading.": edits(
        lambda *_: dict.fromkeys(("CreatedAt", "LastUpdatedAt"), time.time())
    ),
    "updated-on-reading: It is the time of the reading.": edits(lambda *_: {"LastUpdatedAt": time.time()}),
}
THEME["state.update.isolated state.read-only"] = {
    "updated-by-others: LastUpdatedAt is that of the last write to any integration.": edits(
        lambda h, _: {"LastUpdatedAt": _latest(h)} if _latest(h) else {}
    )
}
