"""A real browser, and what a page is like in it."""

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from .pages import Page

#: Opens a page in a frame of some width, runs a script in it, and puts what it returns into the title.
_DRIVER = """<!doctype html><title>waiting</title>
<iframe id="frame" src="{address}" style="width:{width}px;height:800px;border:0"></iframe>
<script>
const frame = document.getElementById("frame");
frame.addEventListener("load", async () => {{
  const view = frame.contentWindow, page = frame.contentDocument;
  const rest = () => new Promise((done) => setTimeout(done, 50));
  const rows = "tr[id^=clause-]:not([hidden])";
  const shown = () => [...page.querySelectorAll(rows)].map((row) => row.id.slice(7));
  document.title = JSON.stringify(await (async () => {{ {script} }})());
}});
</script>"""


class Browser:
    """Chromium without a window, one process a page."""

    def __init__(self, path: str, folder: Path) -> None:
        self._folder = folder
        self._command = [
            path, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000",
            "--hide-scrollbars", "--allow-file-access-from-files", "--enable-logging=stderr",
            f"--user-data-dir={folder / 'profile'}",
        ]  # fmt: skip

    def save(self, source: str) -> str:
        """Write a page; its address."""
        path = self._folder / "page.html"
        path.write_bytes(source.encode("utf-8", "backslashreplace"))
        return path.as_uri()

    def open(self, address: str) -> Page:
        """The document after its scripts ran."""
        return Page(self._run("--dump-dom", address))

    def drive(self, address: str, script: str, width: int = 1200) -> Any:
        """What a script returns that runs beside the page."""
        driver = self._folder / "driver.html"
        driver.write_text(_DRIVER.format(address=address, width=width, script=script), encoding="utf-8")
        found = re.search(r"<title>(.*?)</title>", self._run("--dump-dom", driver.as_uri()), re.S)
        assert found is not None
        return json.loads(html.unescape(found[1]))

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([*self._command, *arguments], capture_output=True, timeout=120, check=False)
        log = done.stderr.decode("utf-8", "replace")
        console = [line for line in log.splitlines() if "CONSOLE" in line]
        assert console == [], "the page complains"
        return done.stdout.decode("utf-8")
