"""The suite as a plugin of pytest: its hooks.

A checkout's ``conftest.py`` loads it, and so does the installed command. It acts on no run of other tests.

PYTEST_DONT_REWRITE
"""

import argparse
import os
import pickle
import sys
from pathlib import Path

import pytest

from getintegration_contract import command, paths
from getintegration_contract.contract import Contract
from getintegration_contract.errors import UsageError
from getintegration_contract.plugin import options, progress
from getintegration_contract.plugin.controller import Controller
from getintegration_contract.plugin.worker import Worker


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(progress)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    try:
        options.add(parser)
    except (ValueError, argparse.ArgumentError) as error:
        raise pytest.UsageError(options.collision(str(error), pluginmanager)) from None


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    command.tolerate()
    if config.option.list_clauses:
        from getintegration_contract.report.markdown import clauses

        print(clauses(_contract(), config.option.list_clauses), end="", flush=True)
        return 0
    return None


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "clauses(*ids): the clauses that a scenario is tied to")
    config.addinivalue_line("markers", "crowded: requests wait for one another, as they are meant to")
    if hasattr(config, "workerinput"):
        if "contract" in config.workerinput:
            Worker(config, pickle.loads(config.workerinput["contract"]), _contract())
        return
    if config.option.collectonly or config.option.help or not _runs_suite(config):
        return
    os.environ.pop("SCHEMATHESIS_HOOKS", None)  # another project's
    if config.option.report_dir and not config.option.xmlpath:
        config.option.xmlpath = str(Path(config.option.report_dir) / "junit.xml")
    try:
        config.pluginmanager.register(Controller(config), "contract-controller")
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_unconfigure(config: pytest.Config) -> None:
    if capturing := config.pluginmanager.getplugin("capturemanager"):
        capturing.stop_global_capturing()  # which brings back streams that were closed
    command.tolerate()
    sys.stdout.flush()  # while it may still fail


def _contract() -> Contract:
    try:
        return Contract.load(paths.description())
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def _runs_suite(config: pytest.Config) -> bool:
    """Whether any argument names the suite, something in it, or a folder above it."""
    suite, here = paths.suite(), config.invocation_params.dir
    named = ((here / argument.partition("::")[0]).resolve() for argument in config.args)
    return any(path.is_relative_to(suite) or suite.is_relative_to(path) for path in named)
