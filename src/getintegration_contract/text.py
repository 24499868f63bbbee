"""Text that may come from a server, made safe to show."""

import json
from typing import Any

_JSON = json.JSONEncoder(ensure_ascii=False, default=str)


def visible(text: str, keep: str = "") -> str:
    """The text with everything that has no glyph of its own (control, format, surrogate) as an escape.

    Nothing that a server sends can then move a cursor, colour a terminal, turn text around, or break a line.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode-escape").decode("ascii")
        for char in text
    )


def shown(value: Any) -> str:
    """A value as JSON, or that it is absent; whole, since what is shortened can no longer be redacted."""
    return "absent" if value is None else _JSON.encode(value)


def shorten(text: str, limit: int, length: int | None = None) -> str:
    """At most ``limit`` characters of a text, with how long it is where that is not all and there is room.

    Args:
        length: How long it is, where only its beginning is given.
    """
    length = length or len(text)
    if length <= limit:
        return text
    note = f"... ({length:,} characters)" if limit > 160 else "..."
    return text[: max(limit - len(note), 0)] + note


def duration(seconds: float) -> str:
    """A time of seconds or minutes, in words."""
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"
