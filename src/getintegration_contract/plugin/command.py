"""``getintegration-contract run``: the suite from any folder, as a plugin of pytest.

PYTEST_DONT_REWRITE
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from getintegration_contract import paths

_PROGRAM = ("getintegration-contract", "run")


def main(arguments: Sequence[str]) -> int:
    """Run the suite with options of its own and of pytest; the exit status."""
    # Hypothesis keeps tables of Unicode, by default in the working directory.
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "getintegration-contract"
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(cache))
    return int(pytest.main([*_before(), *arguments]))


def _before() -> tuple[str, ...]:
    """What pytest is given before the arguments of the user."""
    root = str(paths.root())
    return (
        *("-c", f"{root}/pyproject.toml", "--rootdir", root),
        *("-p", "no:cacheprovider", "-p", __name__),
    )


def is_used(config: pytest.Config) -> bool:
    """Whether this command started pytest, and not the user."""
    return config.pluginmanager.has_plugin(__name__)


def typed(config: pytest.Config) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the user typed: the program and its arguments."""
    given = tuple(config.invocation_params.args)
    return (_PROGRAM, given[len(_before()) :]) if is_used(config) else (("pytest",), given)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.prog = " ".join(_PROGRAM)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    # After the plugins of others, as a conftest.py is, so that a collision of options is ours to report.
    early_config.pluginmanager.import_plugin("getintegration_contract.plugin.hooks")
    # Otherwise pytest would load the conftest.py of the working directory.
    early_config.known_args_namespace.file_or_dir = [str(paths.suite())]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    tests = getattr(config.option, "file_or_dir", ())  # there is none with --help
    config.args = [_located(config, test) for test in tests] or [str(paths.suite())]


def _located(config: pytest.Config, test: str) -> str:
    """A test of the suite, named as reports name it or by its path."""
    path, colons, name = test.partition("::")
    for folder in (config.invocation_params.dir, paths.root()):
        found = (folder / path).resolve()
        if found.exists() and found.is_relative_to(paths.suite().resolve()):
            return f"{found}{colons}{name}"
    raise pytest.UsageError(
        f"{test} is no test of the suite: name one as tests/contract/test_valid.py, or choose with -k"
    )
