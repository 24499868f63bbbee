"""Runs the suite against every mutant and every lawful variant, and says what was missed."""

import argparse
import fnmatch
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from getintegration_contract.contract import Contract

from . import emulator_code
from .bases import NAMES, ROOT, BaseServer
from .catalogue import LAWFUL, MUTANTS, UNCATCHABLE
from .jobs import CRASHED, TIMED_OUT, Job, Outcome, preload
from .kit import Mutant
from .pairs import pairs, sample

#: Unrelated clauses beyond which a mutant is listed as one that drags others along.
_DRAGGED = 3

_ENDS = {
    TIMED_OUT: "timed out",
    CRASHED: "no report",
    3: "internal error",
    5: "nothing ran",
    6: "indeterminate",
}

Plan = list[tuple[Mutant, str]]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/meta/mutants/run.py", description=__doc__)
    add = parser.add_argument
    add("--base", choices=(*NAMES, "both"), default="both", help="the correct server behind the proxy")
    add("-k", dest="pattern", default="*", metavar="PATTERN", help="names, with * and ?, or a part of one")
    add("--pairs", action="store_true", help="mutants of every theme under each of many lawful habits")
    add("--quick", action="store_true", help="a fixed sample of every theme, each on one base")
    add(
        "--whole",
        action="store_true",
        help="go on when a mutant is caught: slower, and tells all that it breaks",
    )
    add(
        "--without",
        action="append",
        default=[],
        metavar="FILE",
        help="leave out files of the suite, as test_sdk.py: what is missed then, only they catch; repeatable",
    )
    add("--json", type=Path, metavar="FILE", help="write the outcomes here")
    add("--jobs", type=int, default=2, metavar="N", help="runs at a time (default: %(default)s)")
    add("--list", action="store_true", help="print the names, and what cannot be caught, and stop")
    return parser.parse_args(arguments)


def _lacking(mutant: Mutant) -> bool:
    """Whether an official client is needed that is not installed."""
    return any(not _CLIENTS[need]() for need in mutant.needs)


def _has_aws_cli() -> bool:
    beside = Path(sys.executable).parent / "aws"
    return beside.exists() or shutil.which("aws") is not None


def _has_javascript() -> bool:
    modules = Path(os.environ.get("CONTRACT_NODE_MODULES", "/nowhere"))
    return shutil.which("node") is not None and (modules / "@aws-sdk" / "client-customer-profiles").is_dir()


_CLIENTS: dict[str, Callable[[], bool]] = {"aws-cli": _has_aws_cli, "javascript": _has_javascript}


def plan(options: argparse.Namespace) -> Plan:
    """What is run, on which base."""
    if options.quick:
        everywhere = [mutant for mutant in MUTANTS if not mutant.needs]
        chosen = [*sample(everywhere), *sample(LAWFUL, 2), *pairs()[::90]]
        return [(mutant, NAMES[index % len(NAMES)]) for index, mutant in enumerate(chosen)]
    pattern = options.pattern if any(c in options.pattern for c in "*?") else f"*{options.pattern}*"
    everything = pairs() if options.pairs else (*MUTANTS, *LAWFUL)
    chosen = [mutant for mutant in everything if fnmatch.fnmatchcase(mutant.name, pattern)]
    chosen = [mutant for mutant in chosen if not _lacking(mutant)]
    bases = NAMES if options.base == "both" else (options.base,)
    return [(mutant, base) for base in bases for mutant in chosen]


def outcomes(todo: Plan, jobs: int, *, fast: bool, without: Sequence[str] = ()) -> Iterator[Outcome]:
    """Run all, some at a time, each slot with servers of its own; yields each outcome as it comes."""
    with ExitStack() as stack:
        slots: list[dict[str, BaseServer]] = [{} for _ in range(jobs)]
        under_way: dict[int, Job] = {}
        queue = list(reversed(todo))
        while queue or under_way:
            for index in range(jobs):
                if index not in under_way and queue:
                    mutant, name = queue.pop()
                    if name not in slots[index]:
                        slots[index][name] = stack.enter_context(BaseServer(name))
                    under_way[index] = Job(mutant, slots[index][name], fast=fast, without=without)
            time.sleep(0.01)
            for index, job in tuple(under_way.items()):
                if (outcome := job.outcome()) is not None:
                    del under_way[index]
                    yield outcome


def is_right(outcome: Outcome) -> bool:
    """Whether a mutant was caught, or a lawful variant passed; a pair counts only if both of it showed."""
    right = outcome.caught if outcome.expected else outcome.status == 0
    return right and not outcome.faults and not (outcome.paired and not outcome.changed)


def line(outcome: Outcome) -> str:
    """One row of the table."""
    if not outcome.expected:
        verdict = "passed" if outcome.status == 0 else "ALARM"
    elif outcome.paired and not outcome.changed:
        verdict = "NEVER SHOWN"
    elif outcome.caught:
        verdict = "caught"
    elif outcome.status == 1:
        verdict = "WRONG CLAUSE"
    else:
        verdict = "MISSED"
    if outcome.status not in (0, 1):
        verdict += f" ({_ENDS.get(outcome.status, f'status {outcome.status}')})"
    clauses = outcome.caught_by or list(outcome.violated)
    shown = ", ".join(clauses[:3]) + (f" +{len(clauses) - 3}" if len(clauses) > 3 else "")
    first = outcome.first.rpartition("/")[2]
    notes = "" if outcome.changed or not outcome.expected else "  never triggered"
    notes += f"  ITS OWN CODE FAILED {outcome.faults} TIMES" if outcome.faults else ""
    return (
        f"{verdict:<13} {outcome.name:<52} {outcome.base:<9} {outcome.requests:>5} {outcome.seconds:>5.1f}s"
        f"  {shown}  {first}{notes}"
    )


def summary(results: Sequence[Outcome]) -> list[str]:
    """What matters when all is done."""
    mutants = [outcome for outcome in results if outcome.expected]
    variants = [outcome for outcome in results if not outcome.expected]
    lines = ["", f"Mutants that drag along more than {_DRAGGED} unrelated clauses:"]
    for outcome in mutants:
        if len(outcome.unrelated) > _DRAGGED:
            lines.append(f"  {outcome.name} ({outcome.base}): {len(outcome.unrelated)}")
    for outcome in results:
        if not is_right(outcome):
            lines += [
                "",
                line(outcome),
                f"  expected {', '.join(sorted(outcome.expected)) or 'no violation'}",
            ]
            lines += [f"  {text}" for text in outcome.output.splitlines()[-15:]]
    caught = sum(is_right(outcome) for outcome in mutants)
    passed = sum(is_right(outcome) for outcome in variants)
    seconds = sum(outcome.seconds for outcome in results)
    lines += [
        "",
        f"{caught} of {len(mutants)} mutants caught ({caught / max(1, len(mutants)):.1%});"
        f" {len(variants) - passed} alarms on {len(variants)} lawful variants; {seconds:.0f} s of runs",
    ]
    return lines


def unshown(results: Sequence[Outcome]) -> list[str]:
    """Gating clauses that no mutant was seen to violate, in a run of all of them."""
    shown = {clause for outcome in results for clause in outcome.caught_by}
    wanting = {clause for mutant in MUTANTS if _lacking(mutant) for clause in mutant.expected}
    contract = Contract.load(ROOT / "openapi" / "get-integration.yaml")
    gating = {name for name, clause in contract.clauses.items() if clause.gates()}
    return sorted(gating - shown - wanting)


def _table(results: Sequence[Outcome]) -> list[dict[str, object]]:
    return [
        {**vars(outcome), "expected": sorted(outcome.expected), "right": is_right(outcome)}
        for outcome in results
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; 1 if a mutant was missed, a lawful one alarmed, or a clause has no mutant."""
    options = _options(arguments)
    todo = plan(options)
    if options.list:
        print("\n".join(dict.fromkeys(mutant.name for mutant, _ in todo)))
        print("\nCannot be caught from outside:")
        print("\n".join(f"  {fault}: {reason}" for fault, reason in UNCATCHABLE.items()))
        return 0
    if not preload():
        print("the suite does not pass against the shipped emulator: nothing can be said of mutants")
        return 1
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
    missing = unshown(results) if everything else []
    if missing:
        print(f"{len(missing)} gating clauses that no mutant was seen to violate: {', '.join(missing)}")
    print(f"{len(results)} runs in {time.monotonic() - started:.0f} s")
    if options.json:
        options.json.write_text(json.dumps(_table(results), indent=1) + "\n", encoding="utf-8")
    right = bool(results) and all(map(is_right, results)) and not missing
    if everything:
        right = emulator_code.survey(emulator_code.MINUTES, emulator_code.RESULTS) == 0 and right
    return 0 if right else 1
