"""``python -m getintegration_contract``, the same as ``getintegration-contract``."""

import sys

from getintegration_contract.cli import main

sys.exit(main())
