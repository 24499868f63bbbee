"""The requirement document holds every clause in every form."""

import json
from pathlib import Path

from getintegration_contract.report.markdown import clauses

from .documents import CONTRACT


def test_json_holds_all_of_every_clause() -> None:
    document = json.loads(clauses(CONTRACT, "json"))
    assert [entry["id"] for entry in document["clauses"]] == list(CONTRACT.clauses)
    for entry in document["clauses"]:
        clause = CONTRACT.clauses[entry["id"]]
        assert (entry["text"], entry["provenance"]) == (clause.text, clause.provenance)
        assert entry["gating"] == clause.gates()
    assert any("milliseconds" in ruling["text"] for ruling in document["rulings"])


def test_markdown_has_a_row_a_clause_and_a_heading_a_group() -> None:
    text = clauses(CONTRACT, "markdown")
    for clause in CONTRACT.clauses.values():
        assert text.count(f"| `{clause.id}` |") == 1
        assert text.count(f"## {clause.group}\n") == 1
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert all(line.replace("\\|", "").count("|") == 5 for line in rows)
    assert text.endswith("\n")


def test_the_document_that_the_readme_links_is_current() -> None:
    kept = Path(__file__).parents[3] / "docs" / "clauses.md"
    assert kept.read_text(encoding="utf-8") == clauses(CONTRACT, "markdown"), (
        "run: pytest --list-clauses markdown > docs/clauses.md"
    )


def test_the_lines_of_text_are_short() -> None:
    assert max(map(len, clauses(CONTRACT, "text").splitlines())) <= 140
