r"""Patterns of the service model, compiled to match as they do in ECMAScript.

Smithy's ``pattern`` trait, from which the model was made, uses ECMA 262 regular expressions and
does not anchor them. Python's differ in four places: ``$`` also matches before a last line feed,
``.`` also matches CR, U+2028 and U+2029, and ``\d``, ``\w`` and ``\s`` mean other characters.
"""

from __future__ import annotations

import re
from functools import cache

_SPACE = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_ESCAPES_IN_CLASS = {r"\d": "0-9", r"\w": "A-Za-z0-9_", r"\s": _SPACE}
_ESCAPES_OUTSIDE = {
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": "[A-Za-z0-9_]",
    r"\W": "[^A-Za-z0-9_]",
    r"\s": f"[{_SPACE}]",
    r"\S": f"[^{_SPACE}]",
}
_TOKEN = re.compile(r"\\.|.", re.DOTALL)


@cache
def compile_ecma(pattern: str) -> re.Pattern[str]:
    """Compile an ECMAScript pattern; use it with ``search``, since it is not anchored.

    Raises ``re.error`` for a pattern that Python cannot read.
    """
    output: list[str] = []
    in_class = False
    for token in _TOKEN.findall(pattern):
        if in_class:
            in_class = token != "]"
            output.append(_ESCAPES_IN_CLASS.get(token, r"\[" if token == "[" else token))
        elif token == "[":
            in_class = True
            output.append(token)
        elif token == "$":
            output.append(r"\Z")
        elif token == ".":
            output.append(r"[^\n\r\u2028\u2029]")
        else:
            output.append(_ESCAPES_OUTSIDE.get(token, token))
    return re.compile("".join(output))
