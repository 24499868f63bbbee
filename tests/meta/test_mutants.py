"""The mutants are complete, each is one, and a sample of them is caught; tox -e mutants runs them all."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from fnmatch import fnmatch

import pytest

from getintegration_contract.contract import Contract

from .mutants.bases import NAMES, ROOT, BaseServer
from .mutants.battery import record, unchanged_by
from .mutants.catalogue import INVIOLABLE, MUTANTS
from .mutants.lawful import LAWFUL

#: Mutants that a replay in memory cannot show, because it is slow, alone, or without a socket.
NOT_IN_MEMORY = ("concurrency.*", "signature.date-not-covered", "transport.expect-waited-for")


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.load(ROOT / "openapi" / "get-integration.yaml")


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


@pytest.mark.parametrize("base", NAMES)
def test_every_mutant_changes_something(base: str) -> None:
    with BaseServer(base) as server:
        recording = record(server)
    unchanged = [mutant.name for mutant in MUTANTS if unchanged_by(mutant, recording)]
    seen_elsewhere = [name for name in unchanged if any(fnmatch(name, shape) for shape in NOT_IN_MEMORY)]
    assert sorted(set(unchanged) - set(seen_elsewhere)) == []


def test_a_sample_is_caught() -> None:
    command = [sys.executable, "tests/meta/mutants/run.py", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
