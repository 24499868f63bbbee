"""The pages in a real browser: filters, deep links, theme, phone, and no script but their own."""

from typing import Any

import pytest

from getintegration_contract.report import html

from .browser import Browser
from .documents import failing, healthy, hostile

FAILING = failing()
CLAUSES = FAILING["clauses"]
TAGS = sorted(clause["id"] for clause in CLAUSES if clause["id"].startswith("response.Tags"))
_DOC = {"outcome": "violated", "gating": True, "provenance": "doc"}
VIOLATED = sorted(clause["id"] for clause in CLAUSES if _DOC.items() <= clause.items())

#: An address within a page, that of a failing run or of a comparison; a script; and what it returns.
DRIVEN: dict[str, tuple[str, str, Any]] = {
    "a deep link filters": (
        "#outcome=not+exercised,waived&level=MUST&q=response+tags&theme=dark",
        """
        const said = ["shown", "theme"].map((id) => page.getElementById(id).textContent);
        return [shown().sort(), page.documentElement.dataset.theme, ...said];
        """,
        [TAGS, "dark", f"{len(TAGS)} of {len(CLAUSES)} clauses", "Light"],
    ),
    "filters answer to the keyboard and change the address": (
        "",
        """
        const all = page.getElementById("shown").textContent;
        const boxes = [...page.querySelectorAll("#filters input")];
        const focusable = boxes.every((box) => { box.focus(); return page.activeElement === box; });
        page.querySelector("input[value=violated]").click();
        page.querySelector("input[value=doc]").click();
        const first = [shown().sort(), view.location.hash];
        page.querySelector("input[name=q]").value = "nothing like it";
        page.querySelector("input[name=q]").dispatchEvent(new Event("input", { bubbles: true }));
        const none = [shown(), page.getElementById("nothing").hidden];
        page.getElementById("clear").click();
        await rest();
        return [all, focusable, first, none, [shown().length, view.location.hash]];
        """,
        [
            *(f"{len(CLAUSES)} clauses", True, [VIOLATED, "#outcome=violated&provenance=doc"]),
            *([[], False], [len(CLAUSES), ""]),
        ],
    ),
    "the switch changes the colours and remembers": (
        "#theme=light",
        """
        const colour = () => view.getComputedStyle(page.body).backgroundColor;
        const before = colour();
        page.getElementById("theme").click();
        return [before, colour(), view.location.hash, view.localStorage.getItem("theme")];
        """,
        ["rgb(247, 248, 249)", "rgb(18, 21, 25)", "#theme=dark", "dark"],
    ),
    "a link to what is folded or filtered shows it": (
        "#outcome=violated",
        """
        view.location.hash = "#finding-response.request-id";
        await rest();
        const open = page.getElementById("finding-response.request-id").closest("details").open;
        view.location.hash = "#clause-request.json";
        await rest();
        return [open, page.getElementById("clause-request.json").hidden];
        """,
        [True, False],
    ),
    "compare shows differences unless told": (
        "",
        """
        const before = ["missing.uri.trailing-slash", "request.json"].map((id) => shown().includes(id));
        page.querySelector("input[value=yes]").click();
        return [...before, shown().length, view.location.hash];
        """,
        [True, False, len(CLAUSES), "#same=no,yes"],
    ),
}


@pytest.mark.parametrize("name", DRIVEN)
def test_a_page_in_use(browser: Browser, name: str) -> None:
    fragment, script, expected = DRIVEN[name]
    page = html.compare([healthy(), FAILING]) if name.startswith("compare") else html.page(FAILING)
    assert browser.drive(browser.save(page) + fragment, script) == expected


@pytest.mark.parametrize("width", [360, 1200])
def test_no_page_is_wider_than_its_window(browser: Browser, width: int) -> None:
    earlier = [{**FAILING, "started": "2027-01-01T00:00:00+00:00"}]
    script = "return [page.documentElement.scrollWidth, page.title, page.images.length]"
    for source in (html.page(FAILING, earlier), html.page(hostile()), html.compare([healthy(), hostile()])):
        found, title, images = browser.drive(browser.save(source), script, width)
        assert found <= width
        assert ("pwned" in title, images) == (False, 0), "no script of a server runs"
        assert 'id="injected"' not in source
