"""How many mutants other tools catch, side by side with the suite: ``python benchmarks/peers.py``.

Other tools do not sign. So each gets the description without its security scheme, and a mutant over the
emulator that verifies no signatures and holds the description's example, for a tool to see a 200. Some tools
fail against the correct emulator already: caught is a mutant in which one finds what it does not find there.
"""

import argparse
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "meta"))

from mutants.bases import BaseServer
from mutants.catalogue import MUTANTS
from mutants.jobs import FORKS, preload
from mutants.kit import Mutant, chain
from mutants.proxy import Proxy
from mutants.runner import outcomes

DESCRIPTION = ROOT / "openapi" / "get-integration.yaml"
UNSIGNED = "unsigned.yaml"
EXAMPLE = ("ExampleDomainName", "arn:aws:flow:us-east-1:123456789012:URIOfIntegration1")
CORRECT = Mutant("correct", frozenset(), chain())  # the emulator as it is
LIMIT = 120  # seconds that a tool may take

Findings = frozenset[str]


def st_run(url: str, folder: str) -> Findings:
    """The kinds of failures that Schemathesis' own command tells, with what was invalid in the request."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", UNSIGNED, "--url", url, "--seed", "1"]
    found = set()
    for failure in re.split(r"^ *- (?=ST\d)", _output(command, folder), flags=re.M)[1:]:
        invalid = re.search(r"Invalid component: .*", failure)
        found.add(failure.partition("\n")[0] + (f" ({invalid[0]})" if invalid else ""))
    return frozenset(found)


def specmatic(command: list[str], url: str, folder: str) -> Findings:
    """The scenarios that Specmatic's contract tests, with generated ones, tell as failed."""
    host, _, port = url.partition("://")[2].partition(":")
    whole = [*command, "test", UNSIGNED, "--host", host, "--port", port]
    failed = re.findall(r'^ *"(.*) FAILED"$', _output(whole, folder), re.M)
    return frozenset(f"{name} #{failed[:index].count(name)}" for index, name in enumerate(failed))


def _output(command: list[str], folder: str) -> str:
    """What a command prints; one that takes too long finds just that."""
    description = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    (operation,) = (item["post"] for item in description["paths"].values())
    for place in (description, operation):
        place.pop("security", None)
    (Path(folder) / UNSIGNED).write_text(yaml.safe_dump(description), encoding="utf-8")
    try:
        done = subprocess.run(
            ["env", "SPECMATIC_GENERATIVE_TESTS=true", *command],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return '- ST0 timed out\n"timed out FAILED"\n'
    return done.stdout


def findings(tool: Callable[[str, str], Findings], mutant: Mutant) -> tuple[Findings, float]:
    """What a tool finds in a mutant, and the seconds it takes."""
    with (
        BaseServer("emulator", "--no-signatures") as base,
        tempfile.TemporaryDirectory() as folder,
        Proxy(base.url, mutant.handler, continues=mutant.continues) as proxy,
    ):
        base.stock(*EXAMPLE)
        started = time.perf_counter()
        return tool(proxy.url, folder), time.perf_counter() - started


def _findings(tool: Callable[[str, str], Findings], name: str) -> tuple[Findings, float]:
    """The same, of a mutant by name."""
    return findings(tool, next(mutant for mutant in MUTANTS if mutant.name == name))


def _by_peer(name: str, tool: Callable[[str, str], Findings], sample: list[Mutant]) -> set[str]:
    """The mutants of a sample that a tool catches."""
    always, _ = findings(tool, CORRECT)
    print(f"{name} on the correct emulator: {', '.join(sorted(always)) or 'no failures'}", flush=True)
    # In processes forked off this one, in which no mutant has seen anything to remember.
    with ProcessPoolExecutor(2, FORKS) as pool:
        found = list(pool.map(partial(_findings, tool), [mutant.name for mutant in sample]))
    print(f"{name}: median {statistics.median(seconds for _, seconds in found):.1f} s", flush=True)
    return {mutant.name for mutant, (told, _) in zip(sample, found, strict=True) if told - always}


def _by_suite(sample: list[Mutant]) -> set[str]:
    """The mutants of a sample that the suite catches."""
    if not preload():
        raise SystemExit("the suite does not pass against the shipped emulator")
    found = list(outcomes([(mutant, "emulator") for mutant in sample], 2, fast=True))
    print(f"suite: median {statistics.median(outcome.seconds for outcome in found):.1f} s", flush=True)
    return {outcome.name for outcome in found if outcome.caught}


def main() -> None:
    """Print a table: theme, mutants, and how many of them each tool catches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="take every Nth mutant (default: %(default)s)"
    )
    parser.add_argument(
        "--specmatic", metavar="COMMAND", help="how Specmatic is called, as 'java -jar specmatic.jar'"
    )
    options = parser.parse_args()
    sample = [mutant for mutant in MUTANTS if not mutant.needs][:: options.every]
    caught = {"suite": _by_suite(sample), "st run": _by_peer("st run", st_run, sample)}
    if options.specmatic:
        tool = partial(specmatic, shlex.split(options.specmatic))
        caught["specmatic"] = _by_peer("specmatic", tool, sample)
    themes: dict[str, list[str]] = defaultdict(list)
    for mutant in sample:
        themes[mutant.theme].append(mutant.name)
    themes["all"] = [mutant.name for mutant in sample]
    print(f"{'theme':<14}{'mutants':>8}" + "".join(f"{name:>12}" for name in caught))
    for theme, names in themes.items():
        counts = [len(found.intersection(names)) for found in caught.values()]
        print(f"{theme:<14}{len(names):>8}" + "".join(f"{count:>12}" for count in counts))


if __name__ == "__main__":
    main()
