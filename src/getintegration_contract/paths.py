"""Where the scenarios and the description lie: in a checkout, or inside an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_SOURCES = _PACKAGE.parents[1]
_checkouts: list[Path] = []


def use_checkout(root: Path) -> None:
    """Take both from a checkout, even where a wheel is installed as well."""
    _checkouts[:] = [root]


def suite() -> Path:
    """The folder of the scenarios."""
    return _find("suite", "tests/contract")


def description() -> Path:
    """The OpenAPI description."""
    return _find("openapi", "openapi") / "get-integration.yaml"


def _find(packaged: str, in_checkout: str) -> Path:
    installed = _PACKAGE / packaged
    if _checkouts or not installed.exists():
        return (_checkouts or [_SOURCES])[0] / in_checkout
    return installed
