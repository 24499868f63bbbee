"""Files: an error of the system names the file, and what is written is there whole or not at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from getintegration_contract.errors import UsageError


@contextmanager
def naming(verb: str, path: Path) -> Iterator[None]:
    """Say of what the system refuses which file it is about.

    Raises:
        UsageError: The system refuses something.
    """
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot {verb} {path}: {error.strerror or error}") from None


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of another once it is written, so that no reader sees half of it.

    Raises:
        UsageError: It cannot be written.
    """
    with naming("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with fresh.open("wb") as file:
                yield file
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


def check_folder(folder: Path) -> None:
    """Make a folder that files will go to, or say that it cannot be: before a run, not after it.

    Raises:
        UsageError: It cannot be made or written.
    """
    with naming("write to", folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def check_file(option: str, path: Path) -> None:
    """Make sure, before a run, that an option names a file that can be written.

    Raises:
        UsageError: It does not.
    """
    if path.exists() and not path.is_file():
        wrong = "a folder: give a file" if path.is_dir() else "no regular file"
        raise UsageError(f"{option}: {path} is {wrong}")
    check_folder(path.parent)
