"""Pages: whole, without network, and with every answer of a server as mere text."""

import json
import re

from getintegration_contract.report import html

from . import documents
from .documents import ATTACK, Report
from .pages import Page


def _pages(report: Report) -> list[str]:
    earlier = [{**report, "started": f"2027-01-{day:02}T00:00:00+00:00"} for day in (1, 2)]
    return [
        html.page(report),
        html.page(report, earlier),
        html.compare([report, documents.healthy(), documents.failing()]),
        html.trend_page([*earlier, report], [ATTACK]),
    ]


def test_pages_are_well_formed_and_load_nothing(document: Report) -> None:
    for source in _pages(document):
        page = Page(source)
        assert page.unbalanced == []
        ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
        assert len(ids) == len(set(ids))
        assert not {element.tag for element in page.elements} & {"link", "img", "iframe"}
        for element in page.elements:
            assert not {"src", "style"} & element.attributes.keys()
            anchor = (element.attributes.get("href") or "#main")[1:]
            assert "=" in anchor or anchor in ids, anchor
        for style in page.all("style"):
            assert "url(" not in style.text
            assert "@import" not in style.text
        policy = page.all("meta", http_equiv="Content-Security-Policy")[0].attributes["content"] or ""
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy


def test_every_clause_is_a_row(document: Report) -> None:
    page = Page(html.page(document))
    for clause in document["clauses"]:
        row = page.one(f"clause-{clause['id']}")
        assert row.attributes["data-level"] == clause["level"]
        assert row.attributes["data-provenance"] == clause["provenance"]
        assert clause["text"] in row.text


def test_what_matters_comes_first(failing: Report) -> None:
    failing["target"]["name"] = "nightly mock"
    failing["run"]["partial"] = True
    text = Page(html.page(failing)).one("main").text
    order = ("Only a part of the suite ran", "FAIL", "nightly mock", "http://127.0.0.1:4566",
             "error.ResourceNotFoundException.type", "2 more clauses", "Not claimed, so not checked",
             "throttling", "Findings", "Clauses")  # fmt: skip
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    assert "nightly mock" in Page(html.page(failing)).all("title")[0].text


def test_the_index_fits_on_a_screen() -> None:
    (index,) = Page(html.page(documents.every_clause_violated())).all("ol", class_="index")
    assert index.text.count("but got") == 12
    assert "and 188 more below" in index.text


def test_what_a_server_answers_stays_text(hostile: Report) -> None:
    for source in _pages(hostile):
        page = Page(source)
        assert all(element.attributes.get("id") != "injected" for element in page.elements)
        assert "49" not in re.findall(r"bold</b>(\d+)", page.one("main").text)
        assert len([script for script in page.all("script") if "type" not in script.attributes]) == 2
        assert not re.search("[\x1b\u202e]", source)
    text = Page(html.page(hostile)).one("findings").text
    assert "</script><script>document.title='pwned'</script>" in text
    assert "{{ 7 * 7 }}" in text


def test_the_embedded_json_is_the_report(hostile: Report) -> None:
    (script,) = Page(html.page(hostile)).all("script", type_="application/json")
    assert "<" not in script.text
    assert json.loads(script.text) == hostile


def test_compare_marks_what_differs(healthy: Report, failing: Report) -> None:
    page = Page(html.compare([healthy, failing]))
    different = {f"clause-{finding['clause']}" for finding in failing["findings"]}
    assert {row.attributes["id"] for row in page.all("tr", data_same="no")} == different
    assert f"{len(different)} of {len(healthy['clauses'])} clauses differ" in page.one("main").text
    assert "404 NotFoundException" in page.one("clause-error.ResourceNotFoundException.type").text
    named = {**healthy["target"], "name": "last week's mock"}
    older = {**healthy, "clauses": healthy["clauses"][1:], "suite_version": "0.0.1", "target": named}
    text = Page(html.compare([healthy, older])).one("main").text
    assert text.count("last week's mock") == 2
    assert "no such clause" in text
    assert "different versions of the suite" in text


def test_trend_names_what_broke_and_was_mended(healthy: Report, failing: Report) -> None:
    for first, second, changed in ((failing, healthy, "mended"), (healthy, failing, "broke")):
        drawn = html.trend_page([{**first, "started": "2026-01-01T00:00:00+00:00"}, second], [])
        assert drawn.count("<svg") == 4
        assert re.search(rf"{changed} [^<]*sdk\.boto3", drawn)
    drawn = html.trend_page([{**failing, "started": "2026-01-01T00:00:00+00:00"}, healthy], [])
    assert "violated over 2 runs from 2026-01-01 to 2027-01-27: between 0 and 6, last 0" in drawn
    assert "One run only" in html.trend_page([healthy], [])
