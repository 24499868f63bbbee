"""Alters the emulator's own code, one place at a time, and runs the gate against each alteration.

What the gate does not notice is a gap in the suite, or stands with its reason in ``emulator_code.toml``;
where that says that the emulator's own tests notice it, they are run, and have to.
Results are kept in a file: a run goes on where the one before ended, until emulator or tests change.
"""

import fnmatch
import hashlib
import json
import os
import pickle
import random
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from .alterations import PACKAGE, SOURCE, Place, places
from .bases import ROOT, Process, StartError
from .jobs import QUIETLY, ended, fork, judged
from .kit import Mutant, chain

#: The quickest tests first, since most alterations break something simple.
_FIRST = ("valid", "missing", "malformed", "access", "signatures", "state")


def gate(url: str, folder: Path) -> int:
    """Run the suite until something is violated; what it ends with."""
    first = (f"tests/contract/test_{name}.py" for name in _FIRST)
    return judged(Mutant("", frozenset(), chain()), url, folder, *first, "tests/contract", "-x")


def own_tests(source: str, folder: Path) -> int:
    """Run the emulator's own tests on an alteration until one fails; what they end with."""

    def run() -> int:
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]
        sys.path.insert(0, source)
        os.environ["PYTHONPATH"] = source
        return int(pytest.main(["tests/meta/emulator", *QUIETLY, "-x"]))

    return ended(fork(run, folder))


def reachable(found: Sequence[Place]) -> list[Place]:
    """The places that a run of the gate passes."""
    with TemporaryDirectory(prefix="emulator-") as name:
        folder, lines = Path(name), Path(name) / "lines"
        tracing = ("-m", "trace", "--count", "--file", lines, "--coverdir", folder, "--module", PACKAGE)
        emulator = Process(*tracing, "--region", "us-east-1", stderr=subprocess.DEVNULL)
        status = gate(emulator.url, folder)
        emulator.close()
        assert status == 0, (folder / "output").read_text("utf-8")
        counted = pickle.loads(lines.read_bytes())[0]
    executed = {(Path(file).stem, line) for file, line in counted if Path(file).parent == SOURCE}
    return [place for place in found if any((place.module, line) in executed for line in place.lines)]


def attempt(place: Place, tested: bool | None) -> int | str:
    """The exit status of the gate against an alteration, or of the emulator's own tests if it is tested."""
    with TemporaryDirectory(prefix="emulator-") as name:
        folder = Path(name)
        copy = shutil.copytree(SOURCE, folder / "src" / PACKAGE)
        (copy / f"{place.module}.py").write_text(place.source(), encoding="utf-8")
        source = str(copy.parent)
        if tested:
            return own_tests(source, folder)
        how = {"env": {**os.environ, "PYTHONPATH": source}, "stderr": subprocess.DEVNULL}
        try:
            emulator = Process("-m", PACKAGE, "--region", "us-east-1", **how)
        except StartError:
            return "does not start"
        try:
            return gate(emulator.url, folder)
        finally:
            emulator.kill()


def reasons() -> dict[str, bool]:
    """Patterns of places that the gate need not notice, each with whether the emulator's own tests must."""
    kinds = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        pattern: kind == "tested"
        for kind, texts in kinds.items()
        for patterns in texts.values()
        for pattern in patterns
    }


def fits(name: str, pattern: str) -> bool:
    """Whether a pattern means a place; only ``*`` is special in it."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]"))


def reason_for(name: str, known: Collection[str]) -> str | None:
    """The first pattern that means a place."""
    return next((pattern for pattern in known if fits(name, pattern)), None)


def obsolete(found: Sequence[Place], known: Collection[str]) -> list[str]:
    """Patterns of reasons that mean no place, or only places that patterns before them mean as well."""
    first = {reason_for(place.name, known) for place in found}
    return [pattern for pattern in known if pattern not in first]


def digest() -> str:
    """What results depend on: the code of emulator, suite and tests."""
    files = [
        path
        for folder in ("src", "openapi", "tests/contract", "tests/meta/emulator")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".yaml", ".json", ".toml")
    ]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def survey(minutes: float, results: Path, pattern: str = "*", *, reasoned: bool = False) -> int:
    """Alter what is still untried, until the time is over; 1 if something is not noticed as it must be.

    The suite must be preloaded. ``pattern`` chooses places; ``reasoned`` tries those, too, that nothing need
    notice.
    """
    os.nice(10)
    found, known = places(), reasons()
    # Whether the emulator's own tests must notice an alteration; None if the gate must.
    due = {p: known.get(reason_for(p.name, known) or "") for p in found if fits(p.name, pattern)}
    reached = set(reachable(found))
    chosen = [p for p, tested in due.items() if tested or (p in reached if tested is None else reasoned)]
    ends = _try({place: due[place] for place in chosen}, minutes, results)
    survivors = [place for place, status in ends.items() if status == 0]
    wrong = {
        "not noticed by the gate": [place.name for place in survivors if due[place] is None],
        "not noticed by the emulator's own tests, against its reason": [
            place.name for place in survivors if due[place]
        ],
        "reason without a place": obsolete(found, known),
    }
    needless = [place.name for place in ends if due[place] is False and ends[place]]
    print(
        f"{len(found)} places of the emulator's code: {len(found) - len(reached)} not reached by the gate,"
        f" {len(due) - len(chosen)} not to be tried, {len(chosen) - len(ends)} left to try.\n"
        f"{len(ends)} altered: {len(ends) - len(survivors)} noticed, {len(survivors)} not."
    )
    for words, names in (*wrong.items(), ("noticed, although it need not be", needless)):
        print("".join(f"  {words}: {name}\n" for name in names), end="")
    return 1 if any(wrong.values()) else 0


def _try(due: dict[Place, bool | None], minutes: float, results: Path) -> dict[Place, int | str]:
    """The exit statuses of all that was tried, now or in a run before of the same code."""
    code, end = digest(), time.monotonic() + minutes * 60
    kept = map(json.loads, results.read_text(encoding="utf-8").splitlines() if results.exists() else ())
    done: dict[tuple[str, ...], int | str] = {tuple(key): status for of, *key, status in kept if of == code}
    ends: dict[Place, int | str] = {}
    # In an order of chance, so that a part is a sample of all.
    for place in random.Random(1).sample(list(due), len(due)):
        key = place.name, "the emulator's own tests" if due[place] else "the gate"
        if key not in done and time.monotonic() < end:
            done[key] = attempt(place, due[place])
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps([code, *key, done[key]]) + "\n")
        if key in done:
            ends[place] = done[key]
    return ends
