"""Starts the server, run as a directory."""

import importlib
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)
sys.exit(importlib.import_module("second_server.server").main())
