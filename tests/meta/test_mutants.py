"""The mutants are complete, each of them is one, and a sample of them is caught; tox -e mutants runs them all."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from getintegration_contract.contract import Contract

from .mutants.bases import ROOT, BaseServer
from .mutants.battery import unchanged_by
from .mutants.catalogue import INVIOLABLE, MUTANTS
from .mutants.kit import Mutant
from .mutants.lawful import LAWFUL

#: Themes whose mutants show only where several ask at once; the sample and the full run see to them.
NEED_A_CROWD = ("concurrency",)
#: Mutants that differ in what the proxy does before it hands a request over.
NEED_A_SOCKET = {"transport.expect-waited-for"}
SHARDS = 8


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.load(ROOT / "openapi" / "get-integration.yaml")


@pytest.fixture(scope="module")
def emulator() -> Iterator[BaseServer]:
    with BaseServer("emulator") as server:
        yield server


def test_names_are_unique_and_there_are_many() -> None:
    names = Counter(mutant.name for mutant in (*MUTANTS, *LAWFUL))
    assert [name for name, count in names.items() if count > 1] == []
    assert len(MUTANTS) >= 220
    assert len(LAWFUL) >= 40


def test_every_named_clause_exists_and_gates(contract: Contract) -> None:
    named = {clause for mutant in MUTANTS for clause in mutant.expected} | INVIOLABLE.keys()
    assert sorted(named - contract.clauses.keys()) == []
    assert sorted(clause for clause in named if not contract.clauses[clause].gates()) == []


def test_every_gating_clause_has_a_mutant(contract: Contract) -> None:
    violated = {clause for mutant in MUTANTS for clause in mutant.expected}
    gating = {name for name, clause in contract.clauses.items() if clause.gates()}
    assert sorted(gating - violated - INVIOLABLE.keys()) == []
    assert sorted(violated & INVIOLABLE.keys()) == []


def test_a_mutant_breaks_something_and_a_lawful_variant_nothing() -> None:
    assert [mutant.name for mutant in MUTANTS if not mutant.expected] == []
    assert [mutant.name for mutant in LAWFUL if mutant.expected] == []


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_mutant_changes_something(emulator: BaseServer, shard: int) -> None:
    def is_visible(mutant: Mutant) -> bool:
        return mutant.theme not in NEED_A_CROWD and mutant.name not in NEED_A_SOCKET

    mutants = [mutant for mutant in MUTANTS[shard::SHARDS] if is_visible(mutant)]
    assert [mutant.name for mutant in mutants if unchanged_by(mutant, emulator)] == []


def test_a_sample_is_caught() -> None:
    command = [sys.executable, "tests/meta/mutants/run.py", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
