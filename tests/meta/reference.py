"""Prints docs/reference.md, made from the code: ``python tests/meta/reference.py > docs/reference.md``."""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import jinja2

from getintegration_compare.cli import build_parser as compare_parser
from getintegration_compare.normalise import NORMALISATIONS
from getintegration_contract.plugin import options
from getintegration_contract.state.sweep import build_parser as sweep_parser
from getintegration_contract.target.file import IDENTITIES, IDENTITY, KEYS
from getintegration_emulator.__main__ import build_parser as emulator_parser

#: Options of plugins that the suite reads.
OTHERS = (("--hypothesis-seed N", "another seed; the same seed sends the same requests"),)


def run_options() -> Iterator[tuple[str, str]]:
    """The options of a run: how each is typed, and what it means."""
    for group in options.OPTIONS.values():
        for name, given in group.items():
            choices = given.get("choices", ())
            value = given.get("metavar") or "|".join(choices)
            meaning = given["help"] % {"choices": ", ".join(choices)}
            yield f"{name} {f'[{value}]' if 'nargs' in given else value}".strip(), meaning


def _arguments(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """The arguments of a command."""
    for action in parser._actions:
        if action.dest not in ("help", "version"):
            names = ", ".join(action.option_strings) or action.dest.upper()
            taken = action.option_strings and action.nargs != 0
            value = f" {action.metavar or action.dest.upper()}" if taken else ""
            yield f"{names}{value}", (action.help or "") % {"default": action.default}


def _keys() -> Iterator[tuple[str, str]]:
    found = {name for group in options.OPTIONS.values() for name in group}
    for key, taken in KEYS.items():
        meaning = f"as --{key}" if f"--{key}" in found else taken["title"]
        yield key, f"{meaning} ({taken['description']})"


def document() -> str:
    """The reference."""
    engine = jinja2.Environment(trim_blocks=True, keep_trailing_newline=True)
    engine.filters["marked"] = lambda text: re.sub(r"(?<![`\w-])(--[a-z-]+)", r"`\1`", text)
    return engine.from_string(Path(__file__).with_name("reference.md.j2").read_text(encoding="utf-8")).render(
        run=[*run_options(), *OTHERS],
        keys=_keys(),
        identities=[(name, each["title"]) for name, each in IDENTITIES.items()],
        of_identities=IDENTITY["properties"],
        compare=_arguments(compare_parser()),
        normalisations=NORMALISATIONS.items(),
        sweep=_arguments(sweep_parser()),
        emulator=_arguments(emulator_parser()),
    )


if __name__ == "__main__":
    sys.stdout.write(document())
