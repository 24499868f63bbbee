"""``getintegration-contract COMMAND``: one command for all that the project does."""

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version

PROGRAM = "getintegration-contract"
_INTERRUPTED, _WRONG_USE = 2, 4

#: Each command: its function, imported only for it, and what it does.
COMMANDS = {
    "run": ("getintegration_contract.plugin.command:main", "test an endpoint; takes pytest's options too"),
    "emulator": ("getintegration_emulator.__main__:main", "serve the shipped emulator"),
    "compare": ("getintegration_compare.cli:main", "compare two endpoints or recordings"),
    "report": ("getintegration_contract.report.command:main", "make pages from several report.json files"),
    "sweep": ("getintegration_contract.state.sweep:main", "remove domains that crashed runs left behind"),
    "clauses": ("getintegration_contract.report.command:list_clauses", "print the clauses of the contract"),
}


def usage() -> str:
    """What there is to type."""
    lines = [f"usage: {PROGRAM} COMMAND [OPTIONS]", "", "commands:"]
    lines += [f"  {name:<10}{summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join([*lines, "", f"{PROGRAM} COMMAND --help has the options of each."])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the first argument names; its exit status."""
    name, *rest = (sys.argv[1:] if arguments is None else list(arguments)) or ["--help"]
    if name in ("-h", "--help"):
        print(usage())
        return 0
    if name == "--version":
        print(PROGRAM, version(PROGRAM))
        return 0
    if name not in COMMANDS:
        likely = get_close_matches(name, COMMANDS, 1)
        hint = f"did you mean {likely[0]}?" if likely else f"there are {', '.join(COMMANDS)}"
        print(f"{PROGRAM}: {name} is no command: {hint}", file=sys.stderr)
        return _WRONG_USE
    module, _, function = COMMANDS[name][0].partition(":")
    try:
        status: int = getattr(import_module(module), function)(rest)
    except KeyboardInterrupt:  # while it is imported
        return _INTERRUPTED
    return status
