"""The fixtures that every scenario may use.

They depend on none, since pytest walks through what a fixture depends on for each test anew.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.sending.client import Client
from getintegration_contract.state.state import State
from getintegration_contract.target.target import Target

if TYPE_CHECKING:
    from getintegration_contract.plugin.worker import Worker


def fixtures(worker: Worker) -> ModuleType:
    """A plugin of fixtures that belong to one worker."""

    @pytest.fixture(scope="session", name="worker")
    def this_worker() -> Worker:
        """This process: its target, client, contract and seed."""
        return worker

    @pytest.fixture(scope="session")
    def target() -> Target:
        """The target under test."""
        return worker.target

    @pytest.fixture(scope="session")
    def state() -> State:
        """What exists on the target."""
        return worker.state

    @pytest.fixture(scope="session")
    def client() -> Client:
        """Sends requests, kept-alive, one for the worker."""
        return worker.client

    @pytest.fixture(scope="session")
    def caller() -> Identity:
        """The identity that may read the integration."""
        return worker.target.caller

    @pytest.fixture
    def check() -> Checker:
        """Judges the exchanges of a test; the test fails at its end if a gating clause was violated."""
        return worker.test.checker

    plugin = ModuleType("contract-fixtures")  # pytest takes fixtures that are no methods from modules alone
    vars(plugin).update(
        worker=this_worker, target=target, state=state, client=client, caller=caller, check=check
    )
    return plugin
