"""The options of the suite, and the target and run that they describe."""

import argparse
import difflib
import fnmatch
import os
import re
import shlex
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract import paths
from getintegration_contract.contract import Contract
from getintegration_contract.errors import UsageError
from getintegration_contract.fileio import check_file, check_folder
from getintegration_contract.plugin import command
from getintegration_contract.report import files
from getintegration_contract.run import Run, Settings
from getintegration_contract.target import target as targets
from getintegration_contract.target.emulator import LocalEmulator
from getintegration_contract.target.file import KEYS
from getintegration_contract.target.target import Target
from getintegration_contract.target.waivers import read as read_waivers

#: Requests that are generated anew, all shards together.
MAX_EXAMPLES = {"gate": 0, "nightly": 5000}
_LONGEST_SEED = 18


def _options() -> dict[str, dict[str, dict[str, Any]]]:
    """By group and option, what argparse is given."""
    groups = tomllib.loads((resources.files(__package__) / "options.toml").read_text("utf-8"))
    for option, given in (each for group in groups.values() for each in group.items()):
        key = KEYS.get(option.removeprefix("--"), {})
        if choices := key.get("enum", key.get("items", {}).get("enum")):
            given["choices"] = choices
        if kind := {"number": float, "integer": int}.get(key.get("type")):
            given["type"] = kind
    return groups


OPTIONS = _options()
#: Options that the command to repeat one test does without.
_NOT_TO_REPEAT = (*OPTIONS["what comes of it"], "--junitxml", "--junit-xml", "-n", "--numprocesses", "--dist")


def add(parser: pytest.Parser) -> None:
    """Register the options."""
    for title, options in OPTIONS.items():
        group = parser.getgroup(f"contract: {title}", f"getintegration-contract: {title}")
        for option, given in options.items():
            group.addoption(option, **given)


def collision(error: str, plugins: pytest.PytestPluginManager) -> str:
    """Which option another plugin has too, and how to leave that plugin out."""
    from unittest.mock import MagicMock

    option = next(iter(re.findall(r"--[\w-]+", error)), "an option")
    for implementation in plugins.hook.pytest_addoption.get_hookimpls():
        parser = MagicMock()
        given = {"parser": parser, "pluginmanager": plugins}
        with suppress(Exception):  # only what it adds is of interest
            implementation.function(*(given[name] for name in implementation.argnames))
        adds = repr(option) in str(parser.mock_calls)
        if adds and implementation.function.__module__ != f"{__package__}.hooks":
            name = implementation.plugin_name
            return f"{option} is an option of the plugin {name} too: leave that out with -p no:{name}"
    return f"{option} is an option of another plugin too: {error}"


def check(option: argparse.Namespace) -> None:
    """Refuse options that contradict each other, and files that cannot be written, before the run starts.

    Raises:
        UsageError: One sentence says which.
    """
    if getattr(option, "dist", None) == "each":
        raise UsageError("--dist each runs each test in every worker, on the same state: use --dist load")
    if option.resume and not option.record:
        raise UsageError("--resume needs --record FILE.har: the recording to continue")
    if option.report_dir:
        check_folder(Path(option.report_dir))
    written = {
        "--write-waivers": option.write_waivers,
        "--record": option.record,
        "--junitxml": option.xmlpath,
    }
    for name, given in written.items():
        if given:
            check_file(name, Path(given))


def make_run(config: pytest.Config, say: Callable[[str], None]) -> Run:
    """The run that the options ask for.

    Args:
        say: Prints a line for the user, outside tests.

    Raises:
        UsageError: An option, or a file that one names, is wrong.
    """
    option = config.option
    check(option)
    target = target_of(config)
    emulator = None if target.endpoint else LocalEmulator("--region", target.region)
    contract = Contract.load(paths.description())  # while the emulator starts
    if target.domain_name is not None:
        broken = contract.violated_by(target.domain_name, {"Uri": target.integration_uri})
        if broken:
            raise UsageError(f"--domain-name and --integration-uri name what cannot exist: {broken[0]}")
    waivers = read_waivers(Path(target.waivers)) if target.waivers else []
    patterns = {f"the waiver of {waiver.clause}": waiver.clause for waiver in waivers}
    patterns |= {f"--require-exercised {pattern}": pattern for pattern in option.require_exercised}
    for what, pattern in patterns.items():
        if not fnmatch.filter(contract.clauses, pattern):
            near = difflib.get_close_matches(pattern[:100], contract.clauses, n=1, cutoff=0)[0]
            raise UsageError(f"{what[:200]} matches no clause; the nearest is {near}")
    run = Run(contract, target, _settings(config, target), waivers, say, emulator)
    about = target.name or f"{target.endpoint or 'shipped emulator'}, {target.region}"
    run.baseline, run.notes = files.baseline(option.baseline, option.report_dir, about)
    if option.fail_on == "new" and run.baseline:
        run.known = files.violated(run.baseline["clauses"])
    elif option.fail_on == "new":
        if not (option.report_dir and (Path(option.report_dir) / "history").is_dir()):
            raise UsageError("--fail-on new needs --baseline REPORT.json, or history/ in --report-dir")
        run.notes.append("no earlier report of this target: every violation is new")
    return run


def _settings(config: pytest.Config, target: Target) -> Settings:
    """How the options want the target tested.

    Raises:
        UsageError: The seed is none.
    """
    option = config.option
    seed = str(getattr(option, "hypothesis_seed", None) or 0)
    if not (seed.isascii() and seed.isdigit() and len(seed) <= _LONGEST_SEED):
        raise UsageError(f"--hypothesis-seed must be a whole number of at most {_LONGEST_SEED} digits")
    program, arguments = command.typed(config)
    repeat = [*program, *_options_to_repeat(config, arguments)]
    if target.endpoint and not (option.endpoint_url or option.target):  # the environment names it
        repeat += ["--endpoint-url", target.endpoint]
    here = config.invocation_params.dir
    is_root = command.is_used(config) or config.rootpath == here
    return Settings(
        seed=int(seed),
        max_examples=target.max_examples or MAX_EXAMPLES[target.depth],
        strict=option.fail_on_should,
        require_exercised=tuple(option.require_exercised),
        redact_accounts=option.redact_accounts,
        command=shlex.join([*program, *arguments]),
        repeat=shlex.join(repeat),
        root="" if is_root else f"{os.path.relpath(config.rootpath, here)}/",
    )


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


def target_of(config: pytest.Config) -> Target:
    """The target that the options describe."""
    option = config.option
    given = {key: getattr(option, key.replace("-", "_"), None) for key in KEYS}
    given |= {"target": option.target, "profile": option.profile}
    if option.no_writes:
        if option.allow_writes:
            raise UsageError("--allow-writes and --no-writes contradict each other: give one of them")
        given["allow-writes"] = False
    return targets.resolve(given, os.environ)
