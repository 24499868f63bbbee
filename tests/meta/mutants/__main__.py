"""Starts the runner, whether run as a module or as a directory."""

import runpy
import sys
from pathlib import Path

if __package__:
    from .run import main

    sys.exit(main())

sys.path[0] = str(Path(__file__).resolve().parent.parent)
runpy.run_module("mutants", run_name="__main__")
