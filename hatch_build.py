"""What a build adds to pyproject.toml: the suite inside the package, and a README that stands alone."""

import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

#: What an installed run needs of the checkout, and where src/getintegration_contract/paths.py finds it.
SUITE = ("pyproject.toml", "openapi", "tests/contract")
INSIDE = "getintegration_contract/_suite"


class SuiteInside(BuildHookInterface[Any]):
    """Puts scenarios, description and configuration into the wheel; an editable install has them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a build, whose kind is called ``version``."""
        if version != "editable":
            build_data["force_include"] |= {name: f"{INSIDE}/{name}" for name in SUITE}


class Readme(MetadataHookInterface):
    """Makes the README's links to files of the checkout links to the repository."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called with the metadata of pyproject.toml, to be changed in place."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": standalone(text, metadata["urls"]["Repository"]),
        }


def standalone(text: str, repository: str) -> str:
    """Markdown whose relative links lead to a repository."""
    text = re.sub(r"(!\[[^]]*\]\()(?!\w+:|#)", rf"\1{repository}/raw/main/", text)
    return re.sub(r"(?<!!)(\[[^]]*\]\()(?!\w+:|#)", rf"\1{repository}/blob/main/", text)
