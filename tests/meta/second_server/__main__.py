"""Starts the server, whether run as a module or as a directory."""

import sys
from pathlib import Path

if __package__:
    from .server import main
else:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from second_server.server import main

sys.exit(main())
