"""Starts the runner of mutants; with ``emulator-code`` first, that of alterations of the emulator."""

import sys
from pathlib import Path

_FOLDER = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    sys.path[0] = _FOLDER
    from mutants import emulator_code, runner

    sys.path.remove(_FOLDER)  # nothing else there is meant to be imported by its bare name
    if sys.argv[1:2] == ["emulator-code"]:
        sys.exit(emulator_code.main(sys.argv[2:]))
    sys.exit(runner.main())
