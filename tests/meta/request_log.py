"""A plugin for runs of the suite (``-p request_log``): writes down each request with the test that sent it.

Each process writes JSON lines to a file of its own in the folder that ``REQUEST_LOG`` names.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.sending.client import Client

_exchange = Client._exchange
_lock = threading.Lock()


def _logged(self: Client, request: Request, *args: Any, **kwargs: Any) -> Exchange:
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    if test:
        line = json.dumps([test, request.method, request.target, request.body.hex()])
        with _lock, (Path(os.environ["REQUEST_LOG"]) / f"{os.getpid()}.jsonl").open("a") as file:
            file.write(f"{line}\n")
    return _exchange(self, request, *args, **kwargs)


Client._exchange = _logged  # type: ignore[method-assign]
