"""summary.md and GitHub annotations: complete, and safe whatever a server answers."""

from __future__ import annotations

import re
from typing import Any

from getintegration_contract.report import markdown
from getintegration_contract.report.markdown import cell, code, inline

from .documents import every_clause_violated


def test_summary_says_verdict_target_claims_and_findings(failing: dict[str, Any]) -> None:
    text = markdown.summary(failing)
    first = text.splitlines()[:6]
    assert "FAIL: 6 clauses violated, 4 causes" in first[0]
    assert re.search(r"`throttling` \(\d\)", first[2])
    assert "`http://127.0.0.1:4566`" in first[4]
    assert text.count("#### `missing.uri.trailing-slash`") == 1
    assert "| `404 ResourceNotFoundException` | `404 NotFoundException` |" in text
    assert "Mend: Divide by 1000" in text
    assert text.index("2 more clauses that follow") < text.index("- `sdk.boto3`: expected `an answer`")
    assert "- `response.request-id`: expected" in text
    assert "until 2027-06-30" in text
    assert "transport.encoding" in text


def test_summary_of_a_healthy_run_is_short(healthy: dict[str, Any]) -> None:
    text = markdown.summary(healthy)
    assert "PASS" in text.splitlines()[0]
    assert "Violated" not in text
    assert len(text) < 4_000


def test_summary_stays_below_what_github_takes() -> None:
    assert len(markdown.summary(every_clause_violated()).encode()) < 1024 * 1024 * 0.9


def test_summary_of_hostile_answers_has_no_open_markup(hostile: dict[str, Any]) -> None:
    text = markdown.summary(hostile)
    text.encode("utf-8")
    outside = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", text)
    outside = re.sub(r"(`+)[^`].*?[^`]\1(?!`)", "", outside)
    assert not re.search(r"(?<!\\)<(?!/?(details|summary)>)", outside)


def test_text_is_shown_as_it_is() -> None:
    assert inline("a|b *c* <d> [e](f)") == r"a\|b \*c\* \<d\> \[e\](f)"
    assert code("a ``b`` c") == "```a ``b`` c```"
    assert code("`a") == "`` `a ``"
    assert cell("a|b") == "`a\\|b`"


def test_an_error_for_each_cause_and_a_warning_for_what_is_reported(failing: dict[str, Any]) -> None:
    commands = markdown.annotations(failing)
    assert [command.partition(" ")[0] for command in commands] == ["::error"] * 4 + ["::warning"] * 2
    assert any("title=missing.uri.trailing-slash violated::A Uri that differs" in line for line in commands)
    assert any("title=response.timestamps.unit violated%2C 2 more follow::" in line for line in commands)
    assert "%0Aexpected: 404 ResourceNotFoundException%0Aactual: 404 NotFoundException%0A" in commands[0]
    assert not any("missing.uri.whitespace" in command for command in commands)


def test_annotations_cannot_be_forged(hostile: dict[str, Any]) -> None:
    for command in markdown.annotations(hostile):
        assert command.isprintable()
        assert re.match(r"::(error|warning) title=[^:,]*::", command)


def test_annotations_keep_to_what_github_shows() -> None:
    commands = markdown.annotations(every_clause_violated())
    assert len(commands) == 10
    assert re.match(r"::error title=\d+ more::", commands[9])


def test_an_indeterminate_run_is_an_error(healthy: dict[str, Any]) -> None:
    healthy |= {"exit_status": 6, "notes": ["nothing listens at http://127.0.0.1:4566"]}
    (command,) = markdown.annotations(healthy)
    assert command == "::error title=INDETERMINATE::nothing listens at http://127.0.0.1:4566"
