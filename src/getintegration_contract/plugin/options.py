"""The options of the suite, and the target and run that they describe."""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract import paths
from getintegration_contract.contract import Contract
from getintegration_contract.errors import TargetError
from getintegration_contract.plugin import command
from getintegration_contract.report import history
from getintegration_contract.report.files import check_file, check_writable
from getintegration_contract.run import Run, Settings
from getintegration_contract.target import target as targets
from getintegration_contract.target.capabilities import CAPABILITIES
from getintegration_contract.target.emulator import LocalEmulator
from getintegration_contract.target.file import KEYS
from getintegration_contract.target.target import Target
from getintegration_contract.target.waivers import read as read_waivers

#: Fuzzed requests, all shards together.
MAX_EXAMPLES = {"gate": 100, "nightly": 5000}
_LONGEST_SEED = 18

#: Options of a run that the command to repeat one test does without.
_NOT_TO_REPEAT = (
    "--waivers",
    "--report-dir",
    "--write-waivers",
    "--baseline",
    "--fail-on",
    "--require-exercised",
    "--record",
    "--resume",
    "--junitxml",
    "--junit-xml",
    "-n",
    "--numprocesses",
    "--dist",
)


def add(parser: pytest.Parser) -> None:
    """Register the options."""
    target = parser.getgroup("contract-target", "getintegration-contract: what is tested")
    option = target.addoption
    option("--endpoint-url", metavar="URL", help="endpoint under test; default: the shipped emulator")
    option("--region", metavar="NAME", help="region to sign for (default us-east-1, or what AWS_REGION says)")
    option("--profile", metavar="NAME", help="AWS profile of the caller")
    option("--target", metavar="FILE.toml", help="all about a target in one file; options win over it")
    option("--domain-name", metavar="NAME", help="use this domain; nothing is written")
    option("--integration-uri", metavar="URI", help="use this integration of --domain-name")
    option(
        "--allow-writes",
        action="store_const",
        const=True,
        help="let the run make and remove its own domains on AWS too",
    )
    option(
        "--no-writes",
        action="store_true",
        help="never write: use an integration that can be listed",
    )
    option(
        "--not-claimed",
        action="append",
        metavar="CAPABILITY",
        choices=CAPABILITIES,
        help="a capability that the target does not claim: " + ", ".join(CAPABILITIES),
    )
    option("--wait", type=float, metavar="SECONDS", help="seconds to wait for an endpoint that still starts")
    option("--rate", type=float, metavar="N", help="requests a second, all workers together (AWS: 5)")
    option(
        "--max-requests",
        type=int,
        metavar="N",
        help="requests at most, beside those that wait and clean up",
    )
    option("--record", metavar="FILE.har", help="keep every exchange, redacted, as HAR 1.2")
    option("--resume", action="store_true", help="continue a recording that was interrupted")
    option(
        "--request-timeout",
        type=float,
        metavar="SECONDS",
        help="seconds to wait for an answer (default 10)",
    )
    run = parser.getgroup("contract", "getintegration-contract: how it is tested")
    option = run.addoption
    option("--depth", choices=tuple(MAX_EXAMPLES), help="gate (default) or nightly")
    option("--max-examples", type=int, metavar="N", help="fuzzed requests (gate 100, nightly 5000)")
    option("--waivers", metavar="FILE.toml", help="violations that are accepted")
    option("--write-waivers", metavar="FILE.toml", help="write waivers for what is violated now")
    option(
        "--require-exercised",
        action="append",
        default=[],
        metavar="GLOB",
        help="status 1 unless every matching clause was exercised, e.g. 'request.*'",
    )
    option(
        "--report-dir",
        metavar="DIR",
        help="write report.html, report.json, junit.xml, summary.md and exchanges.har",
    )
    option("--baseline", metavar="REPORT.json", help="an earlier report: say what is new, mended, as it was")
    option("--fail-on", choices=("new",), help="new: status 1 only for violations that the baseline has not")
    option("--fail-on-should", action="store_true", help="SHOULD clauses gate as well")
    option("--redact-accounts", action="store_true", help="hide account ids in every output")
    option(
        "--list-clauses",
        nargs="?",
        const="text",
        choices=("text", "markdown", "json"),
        help="print the clauses and stop",
    )


class _Options:
    """Stands for a parser, and its groups, to learn which options a plugin adds."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def getgroup(self, *_: Any, **__: Any) -> _Options:
        return self

    def addoption(self, *names: str, **_: Any) -> None:
        self.names.update(names)

    def addini(self, *_: Any, **__: Any) -> None:
        """Settings in a file do not collide with options."""


def collision(error: str, plugins: pytest.PytestPluginManager) -> str:
    """Which option another plugin has too, and how to leave that plugin out."""
    found = re.search(r"--[\w-]+", error)
    option = found[0] if found else "an option"
    for implementation in plugins.hook.pytest_addoption.get_hookimpls():
        theirs = _Options()
        with suppress(Exception):  # only what it adds is of interest
            given = {"parser": theirs, "pluginmanager": plugins}
            implementation.function(*(given[name] for name in implementation.argnames))
        if option in theirs.names and implementation.function.__module__ != f"{__package__}.hooks":
            name = implementation.plugin_name
            return f"{option} is an option of the plugin {name} too: leave that out with -p no:{name}"
    return f"{option} is an option of another plugin too: {error}"


def check(option: argparse.Namespace) -> None:
    """Refuse options that contradict each other, and files that cannot be written, before the run starts.

    Raises:
        UsageError: One sentence says which.
    """
    if getattr(option, "dist", None) == "each":
        raise TargetError("--dist each runs each test in every worker, on the same state: use --dist load")
    if option.resume and not option.record:
        raise TargetError("--resume needs --record FILE.har: the recording to continue")
    if option.report_dir:
        check_writable(Path(option.report_dir))
    files = {"--write-waivers": option.write_waivers, "--record": option.record, "--junitxml": option.xmlpath}
    for name, given in files.items():
        if given:
            check_file(name, Path(given))


def make_run(config: pytest.Config) -> Run:
    """The run that the options ask for.

    Raises:
        ContractError: The description cannot be read.
        TargetError: An option or the target file is wrong.
        WaiverError: The waivers file is.
    """
    option = config.option
    target = target_of(config)
    emulator = None if target.endpoint else LocalEmulator("--region", target.region)
    contract = Contract.load(paths.description())  # while the emulator starts
    if target.domain_name is not None:
        broken = contract.violated_by(target.domain_name, {"Uri": target.integration_uri})
        if broken:
            raise TargetError(f"--domain-name and --integration-uri name what cannot exist: {broken[0]}")
    option.depth = target.depth  # scenarios and workers ask it
    seed = str(getattr(option, "hypothesis_seed", None) or 0)
    if not (seed.isascii() and seed.isdigit() and len(seed) <= _LONGEST_SEED):
        raise TargetError(f"--hypothesis-seed must be a whole number of at most {_LONGEST_SEED} digits")
    program, arguments = command.typed(config)
    repeat = (*program, *_options_to_repeat(config, arguments), *_from_environment(config, target))
    settings = Settings(
        depth=target.depth,
        seed=int(seed),
        max_examples=target.max_examples or MAX_EXAMPLES[target.depth],
        strict=option.fail_on_should,
        workers=int(getattr(option, "numprocesses", None) or 1),
        require_exercised=tuple(option.require_exercised),
        redact_accounts=option.redact_accounts,
        command=shlex.join([*program, *arguments]),
        repeat=shlex.join(repeat),
        fail_on_new=option.fail_on == "new",
        root=_root(config),
    )
    waivers = read_waivers(target.waivers) if target.waivers else []
    for waiver in waivers:
        _check_known(f"the waiver of {waiver.clause}", waiver.clause, contract)
    for pattern in settings.require_exercised:
        _check_known(f"--require-exercised {pattern}", pattern, contract)
    run = Run(contract, target, settings, waivers, lambda line: say(config, line), emulator)
    about = target.name or f"{target.endpoint or 'shipped emulator'}, {target.region}"
    run.baseline, run.notes = history.baseline(option.baseline, option.report_dir, about)
    if settings.fail_on_new and not run.baseline:
        if not (option.report_dir and (Path(option.report_dir) / "history").is_dir()):
            raise TargetError("--fail-on new needs --baseline REPORT.json, or history/ in --report-dir")
        run.notes.append("no earlier report of this target: every violation is new")
    return run


def _check_known(what: str, pattern: str, contract: Contract) -> None:
    """Make sure that a pattern of clauses matches one.

    Raises:
        TargetError: It does not; the message names the nearest clause.
    """
    if not fnmatch.filter(contract.clauses, pattern):
        near = difflib.get_close_matches(pattern[:100], contract.clauses, n=1, cutoff=0)[0]
        raise TargetError(f"{what[:200]} matches no clause; the nearest is {near}")


def _root(config: pytest.Config) -> str:
    """Path to where ids of tests begin, from where the run was started."""
    here = config.invocation_params.dir
    if command.is_used(config) or config.rootpath == here:
        return ""
    return f"{os.path.relpath(config.rootpath, here)}/"


def _options_to_repeat(config: pytest.Config, given: Iterable[str]) -> Iterator[str]:
    """The options of the command line, but those that name tests, write files or spread the work."""
    arguments = iter(given)
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name in _NOT_TO_REPEAT:
            if not value and name != "--resume":
                next(arguments, None)
        elif argument not in config.option.file_or_dir and not re.fullmatch(
            r"-n(\d+|auto|logical)|-[qxv]+|--quiet|--verbose|--exitfirst", argument
        ):
            yield argument


def _from_environment(config: pytest.Config, target: Target) -> tuple[str, ...]:
    """The endpoint, where only the environment of this run names it."""
    named = config.option.endpoint_url or config.option.target
    return () if named or not target.endpoint else ("--endpoint-url", target.endpoint)


def target_of(config: pytest.Config) -> Target:
    """The target that the options describe."""
    option = config.option
    given = {key: getattr(option, key.replace("-", "_"), None) for key in KEYS}
    given |= {"target": option.target, "profile": option.profile}
    if option.no_writes:
        if option.allow_writes:
            raise TargetError("--allow-writes and --no-writes contradict each other: give one of them")
        given["allow-writes"] = False
    return targets.resolve(given, os.environ) or targets.shipped(given, os.environ)


def say(config: pytest.Config, line: str) -> None:
    """Print a line for the user, outside tests."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    bar = getattr(config.pluginmanager.get_plugin("contract-progress"), "bar", None)
    if bar is not None:
        bar.console.print(f"contract: {line}", markup=False, highlight=False, soft_wrap=True)
    elif reporter is not None:
        reporter.ensure_newline()
        reporter.write_line(f"contract: {line}")
    else:
        print(f"contract: {line}", file=sys.stderr)
