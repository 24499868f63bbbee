"""A plugin for runs of the suite (``-p request_log``): writes down each request with the test that sent it.

Each process writes JSON lines to a file of its own in the folder that ``REQUEST_LOG`` names.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from getintegration_contract.exchange import Request, Response, undated
from getintegration_contract.sending.client import Client

_talk = Client._talk
_lock = threading.Lock()


def _logged(self: Client, request: Request, *args: Any, **kwargs: Any) -> Response:
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    if test:
        line = json.dumps([test, request.method, undated(request.target), request.body.hex()])
        with _lock, (Path(os.environ["REQUEST_LOG"]) / f"{os.getpid()}.jsonl").open("a") as file:
            file.write(f"{line}\n")
    return _talk(self, request, *args, **kwargs)


Client._talk = _logged
