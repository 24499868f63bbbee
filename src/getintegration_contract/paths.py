"""Where the scenarios and the description lie: in a checkout, or inside an installed wheel."""

from pathlib import Path

#: What the wheel holds of the checkout, in the same places below it; see pyproject.toml.
_PACKAGED = Path(__file__).parent / "_suite"
_roots = [_PACKAGED if _PACKAGED.exists() else Path(__file__).parents[2]]


def use_checkout(root: Path) -> None:
    """Take both from a checkout, even where a wheel is installed as well."""
    _roots[:] = [root]


def is_packaged() -> bool:
    """Whether both come from an installed wheel."""
    return root() == _PACKAGED


def root() -> Path:
    """The folder that ids of tests start from."""
    return _roots[0]


def suite() -> Path:
    """The folder of the scenarios."""
    return root() / "tests" / "contract"


def description() -> Path:
    """The OpenAPI description."""
    return root() / "openapi" / "get-integration.yaml"


def corpus() -> Path:
    """The cases that Schemathesis generated from it."""
    return root() / "openapi" / "corpus.json"
