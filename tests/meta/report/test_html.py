"""Pages: whole, without network, and with every answer of a server as mere text."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from getintegration_contract.report import html

from . import documents
from .documents import ATTACK, CONTRACT
from .pages import Page


def _pages(report: dict[str, Any]) -> list[str]:
    earlier = [{**report, "started": f"2027-01-{day:02}T00:00:00+00:00"} for day in (1, 2)]
    runs = [*earlier, report]
    return [
        html.page(report),
        html.page(report, earlier),
        html.compare([report, documents.healthy(), documents.failing()]),
        html.trend_page(runs, [ATTACK]),
    ]


def test_pages_are_well_formed(document: dict[str, Any]) -> None:
    for source in _pages(document):
        page = Page(source)
        assert page.unbalanced == []
        ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
        assert len(ids) == len(set(ids))


def test_nothing_is_loaded(document: dict[str, Any]) -> None:
    for source in _pages(document):
        page = Page(source)
        assert not page.all("link")
        assert not page.all("img")
        assert not page.all("iframe")
        for element in page.elements:
            assert "src" not in element.attributes
            assert "style" not in element.attributes
            assert (element.attributes.get("href") or "#").startswith("#")
        for style in page.all("style"):
            assert "url(" not in style.text
            assert "@import" not in style.text
        policy = page.all("meta", http_equiv="Content-Security-Policy")[0].attributes["content"] or ""
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy


def test_links_inside_the_page_lead_somewhere(failing: dict[str, Any]) -> None:
    page = Page(html.page(failing))
    ids = {element.attributes.get("id") for element in page.elements}
    for link in page.all("a"):
        anchor = (link.attributes["href"] or "")[1:]
        assert "=" in anchor or anchor in ids, anchor


def test_every_clause_is_a_row(document: dict[str, Any]) -> None:
    page = Page(html.page(document))
    for clause in document["clauses"]:
        row = page.one(f"clause-{clause['id']}")
        assert row.attributes["data-level"] == clause["level"]
        assert row.attributes["data-provenance"] == clause["provenance"]
        assert clause["text"] in row.text
        assert clause["reason"] in row.text


def test_verdict_target_and_claims_come_first(failing: dict[str, Any]) -> None:
    text = Page(html.page(failing)).one("main").text
    order = [
        "FAIL",
        "http://127.0.0.1:4566",
        "Not claimed, so not checked",
        "throttling",
        "Findings",
        "Clauses",
    ]
    places = [text.index(word) for word in order]
    assert places == sorted(places)


def test_a_finding_shows_all_of_its_exchange(failing: dict[str, Any]) -> None:
    page = Page(html.page(failing))
    for finding in failing["findings"]:
        shown = page.one(f"finding-{finding['clause']}").text
        assert finding["expected"] in shown
        assert finding["actual"] in shown
        assert finding["repeat"] in shown
        for side in ("request", "response"):
            message = finding["exchange"][side]
            assert message["body"] in shown
            assert all(f"{name}: {value}" in shown for name, value in message["headers"])


def test_what_a_server_answers_stays_text(hostile: dict[str, Any]) -> None:
    for source in _pages(hostile):
        page = Page(source)
        assert page.unbalanced == []
        assert all(element.attributes.get("id") != "injected" for element in page.elements)
        assert "49" not in re.findall(r"bold</b>(\d+)", page.one("main").text)
        assert len([script for script in page.all("script") if "type" not in script.attributes]) == 2
        assert "\x1b" not in source
        assert "\u202e" not in source
    text = Page(html.page(hostile)).one("finding-missing.domain").text
    assert "</script><script>document.title='pwned'</script>" in text
    assert "{{ 7 * 7 }}" in text


def test_the_embedded_json_is_the_report(hostile: dict[str, Any]) -> None:
    (script,) = Page(html.page(hostile)).all("script", type_="application/json")
    assert "<" not in script.text
    assert json.loads(script.text) == json.loads(json.dumps(hostile).replace("\\ud800", "\\\\ud800"))


def test_compare_marks_what_differs(healthy: dict[str, Any], failing: dict[str, Any]) -> None:
    page = Page(html.compare([healthy, failing]))
    rows = page.all("tr", data_same="no")
    outcomes = [{clause["id"]: clause for clause in report["clauses"]} for report in (healthy, failing)]
    different = {
        f"clause-{name}"
        for name in CONTRACT.clauses
        if outcomes[0][name]["outcome"] != outcomes[1][name]["outcome"]
    }
    assert {row.attributes["id"] for row in rows} == different
    assert f"{len(different)} of {len(CONTRACT.clauses)} clauses differ" in page.one("main").text
    assert "404 NotFoundException" in page.one("clause-error.ResourceNotFoundException.type").text


def test_compare_bears_reports_of_different_suites(healthy: dict[str, Any]) -> None:
    older = {**healthy, "clauses": healthy["clauses"][1:], "suite_version": "0.0.1"}
    text = Page(html.compare([healthy, older])).one("main").text
    assert "no such clause" in text
    assert "different versions of the suite" in text


def test_trend_needs_two_runs(healthy: dict[str, Any]) -> None:
    assert html.trend([healthy]) == ""
    earlier = {**healthy, "started": "2026-01-01T00:00:00+00:00"}
    drawn = html.trend([healthy, earlier])
    assert drawn.count("<svg") == 4
    assert "violated over 2 runs from 2026-01-01 to 2027-01-27: between 0 and 0, last 0" in drawn


@pytest.mark.parametrize("status", range(7))
def test_a_run_that_did_nothing_has_a_page(status: int) -> None:
    page = Page(html.page(documents.Session().report(status)))
    assert page.unbalanced == []
