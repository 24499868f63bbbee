"""The sources that clauses cite: Smithy's tests, as docs/restjson1.md has them; botocore's endpoint rules."""

import re

import yaml
from botocore.endpoint_provider import EndpointProvider
from botocore.loaders import Loader

from .support import CONTRACT, DESCRIPTION, ROOT, Result

TABLE = (ROOT / "docs" / "restjson1.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\w+) \| `([\w.-]+)` \| `(\w+\.py)::(\w+)` \|$", TABLE, re.MULTILINE)
SMITHY = "Smithy restJson1 tests, "


def test_each_row_names_a_scenario_that_checks_the_clause(default_run: Result) -> None:
    checked = {
        (clause["id"], test.rpartition("/")[2])
        for clause in default_run.report["clauses"]
        for test in clause["tests"]
    }
    named = {(clause, f"{file}::{scenario}") for _, clause, file, scenario in ROWS}
    assert sorted(named - checked) == []


def test_each_of_smithys_tests_stands_in_one_row_or_is_named_once_with_a_reason() -> None:
    rows = re.findall(
        r"^\| ([\w/-]+) \| ([^|]+) \| [^|]{10,} \|$", TABLE.partition("not apply")[2], re.MULTILINE
    )
    assert (len(ROWS) > 35, len(rows) > 40) == (True, True)
    assert len({row[0] for row in ROWS}) == len(ROWS)
    for file, tests in rows:
        names = tests.strip().split(", ")
        assert len({*names} - {row[0] for row in ROWS}) == len(names), file
        assert [name for name in names if not re.fullmatch(r"[A-Z]\w{8,}", name)] == [], file


def test_every_test_that_a_clause_cites_stands_in_the_table() -> None:
    sources = {clause.source for clause in CONTRACT.clauses.values() if SMITHY in clause.source}
    cited = {test for source in sources for test in re.findall(r"\b(?:RestJson|AcceptHeader)\w+", source)}
    assert len(cited) > 8
    assert sorted(cited - {row[0] for row in ROWS}) == []


def test_no_source_is_vague() -> None:
    vague = re.compile(r"^(restJson1\b|Signature Version 4$|AWS SDKs$|HTTP/1.1)")
    assert [clause.id for clause in CONTRACT.clauses.values() if vague.match(clause.source)] == []


def test_addresses_are_those_of_the_endpoint_rules() -> None:
    loader = Loader()
    rules = loader.load_service_model("customer-profiles", "endpoint-rule-set-1")
    provider = EndpointProvider(rules, loader.load_data("partitions"))
    document = yaml.load(DESCRIPTION.read_text(encoding="utf-8"), yaml.CSafeLoader)
    described = set()
    for server in document["servers"]:
        region = server["variables"]["region"]["default"]
        url = server["url"].format(region=region)
        kind = (region, "-fips." in url, ".api." in url)
        assert provider.resolve_endpoint(Region=kind[0], UseFIPS=kind[1], UseDualStack=kind[2]).url == url
        described.add(kind)
    assert len(described) == len(document["servers"])
