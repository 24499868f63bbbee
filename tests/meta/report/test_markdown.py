"""summary.md and GitHub annotations: safe whatever a server answers."""

import re

from getintegration_contract.report import markdown
from getintegration_contract.report.engine import cell, code, inline

from .documents import Report, every_clause_violated


def test_the_summary_is_laid_out_as_markdown(failing: Report, healthy: Report) -> None:
    text = markdown.summary(failing)
    assert text.startswith("## ❌ FAIL: 6 clauses violated, 4 causes\n\n**Not claimed, so not checked:** `")
    assert "\n| expected | actual |\n|---|---|\n| `404 ResourceNotFoundException` | `404 NotF" in text
    assert "| Near misses of a Uri | 2 | **1** |  | 1 |  |  |\n" in text
    assert "\n\n- `state.time`: expected" in text
    assert "\n- `sdk.boto3`: expected" in text
    assert len(markdown.summary(healthy)) < 4_000


def test_a_summary_of_hostile_answers_has_no_open_markup(hostile: Report) -> None:
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


def test_an_error_for_each_cause_and_a_warning_for_what_is_reported(failing: Report) -> None:
    commands = markdown.annotations(failing)
    assert [command.partition(" ")[0] for command in commands] == ["::error"] * 4 + ["::warning"] * 2
    assert any("title=missing.uri.trailing-slash violated::A Uri that differs" in line for line in commands)
    assert any("title=response.timestamps.unit violated%2C 2 more follow::" in line for line in commands)
    assert "%0Aexpected: 404 ResourceNotFoundException%0Aactual: 404 NotFoundException%0A" in commands[0]
    assert not any("missing.uri.whitespace" in command for command in commands)


def test_annotations_cannot_be_forged(hostile: Report) -> None:
    for command in markdown.annotations(hostile):
        assert command.isprintable()
        assert re.match(r"::(error|warning) title=[^:,]*::", command)


def test_annotations_keep_to_what_github_shows(healthy: Report) -> None:
    commands = markdown.annotations(every_clause_violated())
    assert len(commands) == 10
    assert re.match(r"::error title=\d+ more::", commands[9])
    indeterminate = {**healthy, "exit_status": 6, "notes": ["nothing listens there"]}
    assert markdown.annotations(indeterminate) == ["::error title=INDETERMINATE::nothing listens there"]
