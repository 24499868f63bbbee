"""``getintegration-contract compare``, also ``python -m getintegration_compare``."""

import signal
import sys
from collections.abc import Sequence

from getintegration_compare import cli


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, cli.interrupt)
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
