"""``python -m getintegration_compare``."""

import signal
import sys

from getintegration_compare.cli import interrupt, main

signal.signal(signal.SIGTERM, interrupt)
sys.exit(main())
