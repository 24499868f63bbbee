"""A run goes on where standard output cannot be written: the pipe is closed, or the disk is full."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any


def tolerate() -> None:
    """Discard a standard stream once it cannot be written; standard error says why."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed before the run began
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (it stays open)
        _tolerate(getattr(sys, name))


def _tolerate(stream: Any) -> None:
    if getattr(stream, "is_tolerant", False):
        return

    def tolerant(act: Callable[..., Any]) -> Callable[..., Any]:
        def attempt(*arguments: Any) -> Any:
            try:
                return act(*arguments)
            except OSError as error:
                _give_up(stream, error)
                return act(*arguments)

        return attempt

    with suppress(AttributeError):  # what takes no attributes is no file
        stream.is_tolerant = True
        stream.write = tolerant(stream.write)
        stream.flush = tolerant(stream.flush)
        stream.reconfigure(errors="backslashreplace")


def _give_up(stream: Any, error: OSError) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    # pytest's capturing brings the file back: that it fails is said once.
    if stream is sys.stderr or isinstance(error, BrokenPipeError):
        return
    if not getattr(stream, "has_failed", False):
        stream.has_failed = True
        with suppress(OSError):
            print(f"contract: standard output cannot be written: {error.strerror}", file=sys.stderr)
