"""The pages in a real browser: filters, deep links, theme, phone, and no script but their own."""

import pytest

from getintegration_contract.report import html

from .browser import Browser
from .documents import Report
from .pages import Page


def _shown(page: Page) -> list[str]:
    return sorted(
        (element.attributes["id"] or "").removeprefix("clause-")
        for element in page.all("tr")
        if "data-outcome" in element.attributes and "hidden" not in element.attributes
    )


def test_a_deep_link_filters(browser: Browser, failing: Report) -> None:
    address = browser.save(html.page(failing))
    count = len(failing["clauses"])
    tags = sorted(clause["id"] for clause in failing["clauses"] if clause["id"].startswith("response.Tags"))
    page = browser.open(address)
    assert (len(_shown(page)), page.one("shown").text) == (count, f"{count} clauses")
    page = browser.open(f"{address}#outcome=not+exercised,waived&level=MUST&q=response+tags&theme=dark")
    assert (_shown(page), page.one("shown").text) == (tags, f"{len(tags)} of {count} clauses")
    assert page.all("html")[0].attributes["data-theme"] == "dark"
    assert page.one("theme").text == "Light"


def test_filters_answer_to_the_keyboard_and_change_the_address(browser: Browser, failing: Report) -> None:
    found = browser.drive(
        browser.save(html.page(failing)),
        """
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
        return { focusable, first, none, last: [shown().length, view.location.hash] };
        """,
    )
    wanted = {"outcome": "violated", "gating": True, "provenance": "doc"}
    violated = sorted(clause["id"] for clause in failing["clauses"] if wanted.items() <= clause.items())
    assert found == {
        "focusable": True,
        "first": [violated, "#outcome=violated&provenance=doc"],
        "none": [[], False],
        "last": [len(failing["clauses"]), ""],
    }


def test_the_switch_changes_the_colours_and_remembers(browser: Browser, failing: Report) -> None:
    found = browser.drive(
        browser.save(html.page(failing)) + "#theme=light",
        """
        const colour = () => view.getComputedStyle(page.body).backgroundColor;
        const before = colour();
        page.getElementById("theme").click();
        return [before, colour(), view.location.hash, view.localStorage.getItem("theme")];
        """,
    )
    assert found == ["rgb(247, 248, 249)", "rgb(18, 21, 25)", "#theme=dark", "dark"]


def test_a_link_to_what_is_folded_or_filtered_shows_it(browser: Browser, failing: Report) -> None:
    found = browser.drive(
        browser.save(html.page(failing)) + "#outcome=violated",
        """
        view.location.hash = "#finding-response.request-id";
        await rest();
        const open = page.getElementById("finding-response.request-id").closest("details").open;
        view.location.hash = "#clause-request.json";
        await rest();
        return [open, page.getElementById("clause-request.json").hidden];
        """,
    )
    assert found == [True, False]


@pytest.mark.parametrize("width", [360, 1200])
def test_no_page_is_wider_than_its_window(
    browser: Browser, failing: Report, hostile: Report, healthy: Report, width: int
) -> None:
    earlier = [{**failing, "started": "2027-01-01T00:00:00+00:00"}]
    script = "return [page.documentElement.scrollWidth, page.title, page.images.length]"
    for source in (html.page(failing, earlier), html.page(hostile), html.compare([healthy, hostile])):
        found, title, images = browser.drive(browser.save(source), script, width)
        assert found <= width
        assert ("pwned" in title, images) == (False, 0), "no script of a server runs"
        assert 'id="injected"' not in source


def test_compare_shows_differences_unless_told(browser: Browser, healthy: Report, failing: Report) -> None:
    found = browser.drive(
        browser.save(html.compare([healthy, failing])),
        """
        const before = shown();
        page.querySelector("input[value=yes]").click();
        return [before, shown().length, view.location.hash];
        """,
    )
    assert "missing.uri.trailing-slash" in found[0]
    assert "request.json" not in found[0]
    assert found[1:] == [len(failing["clauses"]), "#same=no,yes"]
