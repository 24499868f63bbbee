"""Starts the runner, as a module of the package that this file is in."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from mutants import runner

    del sys.path[0]  # nothing else there is meant to be imported by its bare name
    sys.exit(runner.main())
