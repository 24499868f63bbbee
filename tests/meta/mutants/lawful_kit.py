"""What lawful variants are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .kit import Theme, always, chain, on_answer
from .messages import MISSING, Answer, Handler, Response

#: Where a run finds its integration if it may not make one: a domain and a Uri.
STOCK = ("ContractStock", "s3://Contract-Stock/Caf\u00e9/a%20b")
GIVEN = ("--domain-name", STOCK[0], "--integration-uri", STOCK[1])


class Lawful(Theme):
    """Gathers servers that break nothing."""

    def variant(self, name: str, description: str, *handlers: Handler, **more: Any) -> None:
        """Add a variant made of some handlers, the first nearest to the client."""
        self.add(name, description, "", chain(*handlers), **more)


def every(change: Callable[[Response], Answer]) -> Handler:
    """Changes every answer, of whatever operation."""
    return on_answer(lambda request, answer: change(answer), always)


def on_errors(change: Callable[[Response], Answer]) -> Handler:
    """Changes every error."""
    return every(lambda answer: change(answer) if answer.status >= 400 else answer)


def rewritten(change: Callable[[Any], bytes]) -> Handler:
    """Writes every JSON body in another way."""
    return every(
        lambda answer: answer if answer.document is MISSING else answer.with_body(change(answer.document))
    )
