"""The page of a comparison: both answers side by side, filters, and nothing of theirs that acts."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

from getintegration_compare.report import page, per_cent, rows

from ..exchanges import answered
from ..report.browser import Browser
from .conftest import Compare, accept


def test_the_page_is_filtered_in_a_browser(
    tmp_path: Path, different: tuple[Path, Path], browser: Browser, compare: Compare
) -> None:
    waivers = accept(tmp_path / "accepted.toml", "header:etag")
    report = compare(*different, "--accept", waivers).report
    (group,) = report["differences"]
    status = {"pattern": "status:404 -> 400", "kind": "status", "where": ""}
    report["differences"].append(
        {**group, **status, "accepted": None, "state": "open", "open": True, "examples": []}
    )
    address = browser.save(page(report))

    def shown(fragment: str) -> list[str]:
        """The differences that are shown at an address of the page."""
        articles = browser.open(address + fragment).all("article")
        visible = [each.text for each in articles if "hidden" not in each.attributes]
        return [
            pattern for text in visible for pattern in ("header:etag", status["pattern"]) if pattern in text
        ]

    assert shown("") == ["header:etag", "status:404 -> 400"]
    assert shown("#state=accepted") == shown("#q=etag") == ["header:etag"]
    assert shown("#kind=status") == ["status:404 -> 400"]
    assert shown("#state=accepted&kind=status") == []


def test_the_page_shows_both_answers_and_nothing_of_theirs_acts(compare: Compare) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m"
    reference = answered(ObjectTypeName="plain", Tags={"a": "b"})
    folder = compare(reference, answered(ObjectTypeName=attack)).directory
    text = (folder / "compare.html").read_text(encoding="utf-8")
    assert all(load.startswith("#") for load in re.findall(r'<[^>]* (?:src|href|action)="([^"]*)"', text))
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "script-src 'sha256-" in unescape(text)
    differing = [
        '"ObjectTypeName": "plain"',
        f'"ObjectTypeName": {json.dumps(attack)}',
        '"Tags": {',
        '"a": "b"',
        "}",
    ]
    # Once for each of the two differences.
    assert [unescape(line).strip() for line in re.findall("<mark>(.*?)</mark>", text)] == differing * 2
    assert "\x1b" not in text + (folder / "compare.md").read_text()


def _differing(one: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, str]]:
    """The lines that differ of two answers side by side."""
    sides = {"reference": {"response": one}, "candidate": {"response": other}}
    return [(left, right) for left, right in rows(sides) if left != right]


def test_what_has_the_same_name_stands_side_by_side() -> None:
    plain = {"status": 200, "reason": "OK", "headers": [["A", "1"]], "body": '{"a": 1, "b": [1, 2], "c": 1}'}
    changed = {**plain, "headers": [["X", "3"], ["a", "2"]], "body": '{"c": 1, "b": [1, 3, 4], "a": 2}'}
    assert _differing(plain, changed) == [
        ("A: 1", "a: 2"),
        ("", "X: 3"),
        ('  "a": 1', '  "a": 2'),
        ("    2", "    3"),
        ("", "    4"),
    ]
    for body in ("no JSON", "[" * 3000, ""):
        assert _differing(plain | {"body": body}, plain | {"body": body, "status": 500}) == [
            ("200 OK", "500 OK")
        ]


def test_only_none_and_all_are_0_and_100_per_cent() -> None:
    shares = (0.0, 0.0001, 0.5, 0.9999, 1.0)
    shown = ["0.0 %", "less than 0.1 %", "50.0 %", "more than 99.9 %", "100.0 %"]
    assert list(map(per_cent, shares)) == shown
