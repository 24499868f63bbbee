"""``getintegration-contract compare``, also ``python -m getintegration_compare``."""

import sys

try:
    from getintegration_compare.cli import main
except KeyboardInterrupt:
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(main())
