"""Prints docs/reference.md, made from the code: ``python tests/meta/reference.py > docs/reference.md``."""

import argparse
import re
import sys
from collections.abc import Iterator

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


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(head: str, rows: Iterator[tuple[str, str]]) -> Iterator[str]:
    yield f"| {head} | meaning |"
    yield "|---|---|"
    for name, meaning in rows:
        text = re.sub(r"(?<![`\w-])(--[a-z-]+)", r"`\1`", meaning)
        yield f"| `{_cell(name)}` | {_cell(text)} |"
    yield ""


def _arguments(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """The arguments of a command."""
    for action in parser._actions:
        if action.dest in ("help", "version"):
            continue
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
    lines = [
        "# Options and keys",
        "",
        "Made from the code by `python tests/meta/reference.py`.",
        "",
        "## getintegration-contract run, and pytest tests/contract",
        "",
        *_table("option", iter([*run_options(), *OTHERS])),
        "Pytest's own options work too.",
        "",
        "## The target file",
        "",
        "TOML, for `--target`. Options win over it; paths in it are relative to it. Editors complete it by"
        " its [JSON Schema](../src/getintegration_contract/target/schema.json).",
        "",
        *_table("key", _keys()),
        *_table("identity", ((name, each["title"]) for name, each in IDENTITIES.items())),
        f"Each has {', '.join(f'`{key}`' for key in IDENTITY['properties'])}: a profile, or keys.",
        "",
        "## getintegration-contract compare",
        "",
        *_table("argument", _arguments(compare_parser())),
        *_table("normalisation", iter(NORMALISATIONS.items())),
        "## getintegration-contract sweep",
        "",
        *_table("option", _arguments(sweep_parser())),
        "## getintegration-contract emulator",
        "",
        *_table("option", _arguments(emulator_parser())),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(document())
