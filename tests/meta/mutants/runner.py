"""Runs the suite against every mutant and every lawful variant, and says what was missed.

``emulator-code`` alters the emulator's own code in their place: see emulator_code.py.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from getintegration_contract.contract import Contract

from .alterations import places
from .bases import NAMES, ROOT, BaseServer
from .catalogue import LAWFUL, MUTANTS, UNCATCHABLE, pairs, sample
from .emulator_code import survey
from .jobs import CRASHED, FORKS, TIMED_OUT, Outcome, preload, run
from .kit import Mutant

_ENDS = {TIMED_OUT: "timed out", CRASHED: "no report"}

Plan = list[tuple[Mutant, str]]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/meta/mutants/run.py", description=__doc__)
    add = parser.add_argument
    add("what", nargs="?", choices=("mutants", "emulator-code"), default="mutants")
    add("--base", choices=(*NAMES, "both"), default="both", help="the correct server behind the proxy")
    add("-k", dest="pattern", default="*", metavar="PATTERN", help="names, with * and ?, or a part of one")
    add("--pairs", action="store_true", help="mutants of every theme under each of many lawful habits")
    add("--quick", action="store_true", help="a fixed sample of every theme, each on one base")
    add("--whole", action="store_true", help="go on when a mutant is caught: slower, tells all it breaks")
    text = "leave out files of the suite, as test_sdk.py: what is missed then, only they catch; repeatable"
    add("--without", action="append", default=[], metavar="FILE", help=text)
    add("--json", type=Path, metavar="FILE", help="write the outcomes here")
    add("--jobs", type=int, default=2, metavar="N", help="runs at a time (default: %(default)s)")
    add("--list", action="store_true", help="print the names, and what cannot be caught, and stop")
    code = parser.add_argument_group("emulator-code, whose names take * alone")
    add = code.add_argument
    add("--minutes", type=float, default=60, help="stop after this time (default: %(default)g)")
    kept = Path(".emulator-code.jsonl")
    add("--results", type=Path, default=kept, metavar="FILE", help="kept here (default: %(default)s)")
    add("--reasoned", action="store_true", help="try those too that nothing need notice")
    return parser.parse_args(arguments)


@cache
def _installed(client: str) -> bool:
    """Whether an official client is there."""
    if client == "aws-cli":
        return (Path(sys.executable).parent / "aws").exists() or shutil.which("aws") is not None
    modules = Path(os.environ.get("CONTRACT_NODE_MODULES", "/nowhere"))
    return shutil.which("node") is not None and (modules / "@aws-sdk" / "client-customer-profiles").is_dir()


def _lacking(mutant: Mutant) -> bool:
    """Whether an official client is needed that is not installed."""
    return not all(map(_installed, mutant.needs))


def plan(options: argparse.Namespace) -> Plan:
    """What is run, on which base."""
    if options.quick:
        everywhere = [mutant for mutant in MUTANTS if not mutant.needs]
        chosen = [*sample(everywhere), *sample(LAWFUL, 2), *pairs()[::90]]
        return [(mutant, NAMES[index % len(NAMES)]) for index, mutant in enumerate(chosen)]
    pattern = options.pattern if any(c in options.pattern for c in "*?") else f"*{options.pattern}*"
    everything = pairs() if options.pairs else (*MUTANTS, *LAWFUL)
    chosen = [each for each in everything if fnmatchcase(each.name, pattern) and not _lacking(each)]
    bases = NAMES if options.base == "both" else (options.base,)
    return [(mutant, base) for base in bases for mutant in chosen]


#: What a worker does: it is forked off with it, since handlers cannot be sent to it.
_work: list[Callable[[int], Outcome]] = []


def _outcome(number: int) -> Outcome:
    return _work[0](number)


def outcomes(todo: Plan, jobs: int, *, fast: bool, without: Sequence[str] = ()) -> Iterator[Outcome]:
    """Run all, some at a time, each worker with servers of its own; yields each outcome as it comes."""
    server = cache(BaseServer)  # which ends with its worker

    def work(number: int) -> Outcome:
        mutant, base = todo[number]
        return run(mutant, server(base), fast=fast, without=without)

    with ProcessPoolExecutor(jobs, FORKS, _work.append, (work,)) as pool:
        for done in as_completed(pool.submit(_outcome, number) for number in range(len(todo))):
            yield done.result()


def line(outcome: Outcome) -> str:
    """One row of the table."""
    if not outcome.expected:
        verdict = "passed" if outcome.status == 0 else "ALARM"
    elif outcome.paired and not outcome.changed:
        verdict = "NEVER SHOWN"
    elif outcome.caught:
        verdict = "caught"
    else:
        verdict = "WRONG CLAUSE" if outcome.status == 1 else "MISSED"
    if outcome.status not in (0, 1):
        verdict += f" ({_ENDS.get(outcome.status, f'status {outcome.status}')})"
    clauses = outcome.caught_by or list(outcome.violated)
    shown = ", ".join(clauses[:3]) + (f" +{len(clauses) - 3}" if len(clauses) > 3 else "")
    first = outcome.violated[clauses[0]].rpartition("/")[2] if clauses else ""
    notes = "" if outcome.changed or not outcome.expected else "  never triggered"
    notes += f"  ITS OWN CODE FAILED {outcome.faults} TIMES" if outcome.faults else ""
    return (
        f"{verdict:<13} {outcome.name:<52} {outcome.base:<9} {outcome.requests:>5} {outcome.seconds:>5.1f}s"
        f"  {shown}  {first}{notes}"
    )


def summary(results: Sequence[Outcome]) -> list[str]:
    """What matters when all is done."""
    lines = [""]
    for outcome in results:
        if not outcome.right:
            expected = ", ".join(sorted(outcome.expected)) or "no violation"
            said = outcome.output.splitlines()[-15:]
            lines += [line(outcome), f"  expected {expected}", *(f"  {text}" for text in said), ""]
    mutants = [outcome.right for outcome in results if outcome.expected]
    variants = [outcome.right for outcome in results if not outcome.expected]
    return [
        *lines,
        f"{sum(mutants)} of {len(mutants)} mutants caught ({sum(mutants) / max(1, len(mutants)):.1%});"
        f" {variants.count(False)} alarms on {len(variants)} lawful variants;"
        f" {sum(outcome.seconds for outcome in results):.0f} s of runs",
    ]


def unshown(results: Sequence[Outcome]) -> list[str]:
    """Gating clauses that no mutant was seen to violate, in a run of all of them."""
    shown = {clause for outcome in results for clause in outcome.caught_by}
    wanting = {clause for mutant in MUTANTS if _lacking(mutant) for clause in mutant.expected}
    contract = Contract.load(ROOT / "openapi" / "get-integration.yaml")
    gating = {name for name, clause in contract.clauses.items() if clause.gates()}
    return sorted(gating - shown - wanting)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; 1 if a mutant was missed, a lawful one alarmed, or a clause has no mutant."""
    options = _options(arguments)
    altered, todo = options.what == "emulator-code", plan(options)
    if options.list:
        names = [place.name for place in places()] if altered else [mutant.name for mutant, _ in todo]
        print("\n".join(dict.fromkeys(names)))
        if not altered:
            print("\nCannot be caught from outside:")
            print("\n".join(f"  {fault}: {reason}" for fault, reason in UNCATCHABLE.items()))
        return 0
    if not preload():
        return 1
    if altered:
        return survey(options.minutes, options.results, options.pattern, reasoned=options.reasoned)
    started = time.monotonic()
    if lacking := [mutant.name for mutant in MUTANTS if _lacking(mutant)]:
        print(f"not run, for want of the clients they need: {len(lacking)}, {', '.join(lacking[:3])}…")
    results = []
    for outcome in outcomes(todo, options.jobs, fast=not options.whole, without=options.without):
        results.append(outcome)
        print(line(outcome), flush=True)
    print("\n".join(summary(results)))
    narrowed = options.quick or options.without or options.pairs
    everything = options.pattern == "*" and options.base == "both" and not narrowed
    if missing := unshown(results) if everything else []:
        print(f"{len(missing)} gating clauses that no mutant was seen to violate: {', '.join(missing)}")
    print(f"{len(results)} runs in {time.monotonic() - started:.0f} s")
    if options.json:
        table = [{**vars(each), "expected": sorted(each.expected), "right": each.right} for each in results]
        options.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    right = bool(results) and all(outcome.right for outcome in results) and not missing
    if everything:
        right = survey(options.minutes, options.results) == 0 and right
    return 0 if right else 1
