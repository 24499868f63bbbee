"""Starts the runner: ``python tests/meta/mutants/run.py``."""

import sys
from pathlib import Path

_FOLDER = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    sys.path[0] = _FOLDER
    from mutants.runner import main

    sys.path.remove(_FOLDER)  # nothing else there is meant to be imported by its bare name
    sys.exit(main())
