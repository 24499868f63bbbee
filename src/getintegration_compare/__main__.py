"""``python -m getintegration_compare``, the same as ``getintegration-contract compare``."""

import sys

from getintegration_contract.cli import main

if __name__ == "__main__":
    sys.exit(main(["compare", *sys.argv[1:]]))
