"""Makes pytest in this checkout the suite's command line, which ``getintegration_contract.plugin`` is."""

from pathlib import Path

from getintegration_contract import paths

paths.use_checkout(Path(__file__).parent)
pytest_plugins = ("getintegration_contract.plugin.hooks",)
