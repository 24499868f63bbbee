"""Where the scenarios and the description lie: in a checkout, or inside an installed wheel."""

from __future__ import annotations

from pathlib import Path

#: What the wheel holds of the checkout, in the same places below it; see pyproject.toml.
_PACKAGED = Path(__file__).parent / "_suite"

_checkouts: list[Path] = []


def use_checkout(root: Path) -> None:
    """Take both from a checkout, even where a wheel is installed as well."""
    _checkouts[:] = [root]


def is_packaged() -> bool:
    """Whether both come from an installed wheel."""
    return not _checkouts and _PACKAGED.exists()


def root() -> Path:
    """The folder that ids of tests start from."""
    if is_packaged():
        return _PACKAGED
    return _checkouts[0] if _checkouts else Path(__file__).parents[2]


def suite() -> Path:
    """The folder of the scenarios."""
    return root() / "tests" / "contract"


def description() -> Path:
    """The OpenAPI description."""
    return root() / "openapi" / "get-integration.yaml"
