"""The mutants are complete, and a sample of them is caught; tox -e mutants runs them all."""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from fnmatch import filter as filter_names
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from getintegration_contract.target.file import read_file

from .mutants import alterations, emulator_code
from .mutants.catalogue import KINDS, LAWFUL, MUTANTS
from .mutants.jobs import Outcome, target_file
from .mutants.kit import always, chain, from_one, on_answer, remembers
from .mutants.messages import Answer, Forward, Handler, Raw, Request, ok
from .mutants.proxy import Proxy
from .mutants.runner import line
from .support import CONTRACT, call


def test_names_are_unique_and_there_are_many() -> None:
    names = Counter(mutant.name for mutant in (*MUTANTS, *LAWFUL))
    assert [name for name, count in names.items() if count > 1] == []
    assert len(MUTANTS) >= 220
    assert len(LAWFUL) >= 40


def test_every_named_clause_exists_and_gates() -> None:
    named = {
        (clause, "--fail-on-should" in mutant.options) for mutant in MUTANTS for clause in mutant.expected
    }
    assert sorted({clause for clause, _ in named} - CONTRACT.clauses.keys()) == []
    assert sorted(clause for clause, strict in named if not CONTRACT.clauses[clause].gates(strict)) == []


def test_every_gating_clause_has_a_mutant() -> None:
    violated = {clause for mutant in MUTANTS for clause in mutant.expected}
    gating = {name for name, clause in CONTRACT.clauses.items() if clause.gates()}
    assert sorted(gating - violated) == []


def test_a_mutant_breaks_something_and_a_lawful_variant_nothing() -> None:
    assert [mutant.name for mutant in MUTANTS if not mutant.expected] == []
    assert [mutant.name for mutant in LAWFUL if mutant.expected] == []


def test_every_handler_can_be_made() -> None:
    assert all(callable(mutant.handler) for mutant in (*MUTANTS, *LAWFUL))


def test_their_target_files_are_valid(tmp_path: Path) -> None:
    for text in {target_file(mutant) for mutant in (*MUTANTS, *LAWFUL)}:
        path = tmp_path / "target.toml"
        path.write_text(text, encoding="utf-8")
        assert "identities" in read_file(path)


_other_body = on_answer(lambda _, answer: answer.with_body(b"[]"), always)
_other_header = on_answer(lambda _, answer: answer.with_header("X-Note", "1"), always)


def _of_its_own(request: Request, forward: Forward) -> Answer:
    return ok([])


@pytest.mark.parametrize(
    ("fault", "habit", "shown"),
    [
        (_other_body, _other_header, 1),
        (_of_its_own, _other_header, 1),
        (_other_body, chain(), 0),
        (chain(), _other_header, 0),
        (_of_its_own, chain(), 0),
    ],
)
def test_a_pair_counts_only_where_fault_and_habit_both_show(
    fault: Handler, habit: Handler, shown: int
) -> None:
    with Proxy("http://127.0.0.1:1", lambda request, forward: ok({})) as base:
        with Proxy(base.url, fault, habit=habit) as proxy, urlopen(proxy.url) as answer:
            assert (answer.headers["X-Note"] == "1") == (habit is _other_header)
        assert proxy.changed == shown
    outcome = Outcome("name", "base", frozenset("a"), True, 1, violated={"a": "test"})
    outcome.changed = proxy.changed
    assert outcome.right == bool(shown)
    assert line(outcome).startswith("caught" if shown else "NEVER SHOWN")


@pytest.mark.parametrize(("habit", "shown"), [(_other_header, 1), (chain(), 0)])
def test_a_connection_without_an_answer_counts_once_the_habit_has_shown(habit: Handler, shown: int) -> None:
    def resets_the_second(numbers: Iterator[int], request: Request, forward: Forward) -> Answer:
        return forward(request) if next(numbers) == 1 else Raw(b"", "reset")

    fault = remembers(from_one)(resets_the_second)
    base = Proxy("http://127.0.0.1:1", lambda request, forward: ok({}))
    with base, Proxy(base.url, fault, habit=habit) as proxy:
        with urlopen(proxy.url):
            assert proxy.changed == 0
        with pytest.raises((ConnectionError, URLError)):
            urlopen(proxy.url)
    assert proxy.changed == shown


def test_every_pattern_of_pairs_means_a_mutant() -> None:
    names = [mutant.name for mutant in MUTANTS]
    patterns = {pattern for _, faults, hidden in KINDS for pattern in (*faults, *hidden)}
    assert [pattern for pattern in patterns if not filter_names(names, pattern)] == []


def test_a_sample_is_caught() -> None:
    call(sys.executable, "tests/meta/mutants/run.py", "--quick", timeout=240, status=0)


def test_places_of_the_emulators_code_have_names_and_reasons_have_places() -> None:
    names = [place.name for place in alterations.places()]
    assert len(names) > 1400
    assert len(set(names)) == len(names)
    assert emulator_code.obsolete(alterations.places(), emulator_code.reasons()) == []


def test_every_alteration_of_the_emulator_is_python_and_another_program() -> None:
    for place in alterations.places()[::25]:
        before = ast.parse((alterations.SOURCE / f"{place.module}.py").read_text(encoding="utf-8"))
        altered = place.source()
        compile(altered, place.name, "exec")
        assert ast.dump(ast.parse(altered)) != ast.dump(before), place.name


def test_what_is_not_noticed_as_it_must_be_is_named_and_results_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unexplained, untested = "errors.(module): 404 -> 405", "errors.ApiError: False -> True"
    tested = "state._page: 'Items' -> 'Itemsx'"
    tried: list[str] = []

    def attempt(place: alterations.Place, own: bool | None) -> int:
        tried.append(place.name)
        return 0 if place.name in (unexplained, untested, tested) else 1

    monkeypatch.setattr(emulator_code, "reachable", lambda found: found)
    monkeypatch.setattr(emulator_code, "attempt", attempt)
    known = {untested: False, f"{tested.partition(':')[0]}: *": True}
    monkeypatch.setattr(emulator_code, "reasons", lambda: known)
    monkeypatch.setattr("os.nice", lambda _: 0)
    for name, told in (
        (unexplained, "not noticed by the gate"),
        (untested, ""),
        (tested, "not noticed by the emulator's own tests, against its reason"),
    ):
        results = tmp_path / name[:6]
        pattern = f"{name.partition(':')[0]}: *"
        assert emulator_code.survey(1, results, pattern, reasoned=True) == bool(told)
        assert (f"  {told}: {name}\n" in capsys.readouterr().out) == bool(told)
        before = len(tried)
        assert emulator_code.survey(1, results, pattern, reasoned=True) == bool(told)
        assert len(tried) == before, "what was tried is not tried again"
        capsys.readouterr()
    assert {unexplained, untested, tested} <= set(tried)
    known["gone.*"] = False
    assert emulator_code.survey(1, results, untested) == 1
    assert "reason without a place: gone.*" in capsys.readouterr().out


def test_the_gate_notices_an_alteration_of_the_emulator(tmp_path: Path) -> None:
    options = ["emulator-code", "--results", str(tmp_path / "results"), "-k", "errors.(module): 404 -> 405"]
    done = call(sys.executable, "tests/meta/mutants/run.py", *options, timeout=240, status=0)
    assert "1 altered: 1 noticed, 0 not" in done.stdout
