"""Comparing recordings: what is paired, normalised and reported, and how much memory it takes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from getintegration_compare import comparison
from getintegration_compare.normalise import NORMALISATIONS
from getintegration_contract import recording as recordings
from getintegration_contract.exchange import Exchange
from getintegration_contract.operations import get_integration

from ..exchanges import DOMAIN, INTEGRATION, URI, answered, error, exchange, missing
from ..support import AWS, CONTRACT
from .conftest import STATE, Compare, about, load, record, save


def test_a_second_server_differs_where_it_does(
    tmp_path: Path, emulator_har: Path, slow_har: Path, compare: Compare
) -> None:
    log, tests = load(emulator_har), {entry["_test"] for entry in load(slow_har)["entries"]}
    log["entries"] = [entry for entry in log["entries"] if entry["_test"] in tests]
    result = compare(slow_har, save(log, tmp_path / "part.har"))
    assert (result.report["mode"], result.report["coverage"]["share"]) == ("comparison", 1)
    assert result.places == {
        ("header", "cache-control"),
        ("header", "vary"),
        ("header", "x-amz-apigw-id"),
        ("header", "content-type"),
        ("envelope", "place of the type"),
        ("envelope", "name of the message"),
        ("member missing", "fault"),
        ("member missing", "ResourceVersion"),
    }


def sent(*headers: list[tuple[str, str]]) -> tuple[Exchange, ...]:
    """An exchange with each of these headers."""
    return tuple(exchange(200, INTEGRATION, *each) for each in headers)


def holding(name: str, *values: Any) -> tuple[Exchange, ...]:
    """An exchange with each of these values of a member."""
    return tuple(answered(**{name: value}) for value in values)


ROLES = ("arn:aws:iam:us-east-1:111122223333:role/a", "arn:aws:iam:eu-west-1:999988887777:role/a")
ELSEWHERE = get_integration("Elsewhere", URI)
#: For each normalisation, an exchange and another that differs only in what it takes away.
NOISE: dict[str, tuple[Exchange, ...]] = {
    "names": (exchange(), exchange(200, INTEGRATION | {"DomainName": "Elsewhere"}, request=ELSEWHERE)),
    "request-ids": sent([("x-amzn-RequestId", "1")], [("x-amzn-RequestId", "2")]),
    "generated-ids": holding("WorkflowId", "a", "b"),
    "dates": sent([("Date", "a")], [("Date", "b")]),
    "timestamps": holding("LastUpdatedAt", 1.61e9, 1.6e9),
    "arns": holding("RoleArn", *ROLES),
    "header-case": sent([("X-A", "1")], [("x-a", "1")]),
    "header-order": sent([("a", "1"), ("b", "2")], [("b", "2"), ("a", "1")]),
    "framing": sent([("Content-Length", "1")], [("Transfer-Encoding", "chunked")]),
    "software": sent([("Server", "a"), ("Via", "b")], [("X-Powered-By", "c")]),
    "json-layout": (
        exchange(),
        exchange(200, json.dumps(dict(reversed(INTEGRATION.items())), indent=2).encode()),
    ),
    "message-texts": tuple(exchange(404, {"Message": text, "message": text}) for text in "bc"),
    "type-decoration": (error(404, "A"), error(404, "ns#A:http://x")),
}


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_a_normalisation_hides_its_noise_unless_left_out(compare: Compare, name: str) -> None:
    suites = None, about(state=STATE | {"domain": "Elsewhere"}) if name == "names" else None
    result = compare(*NOISE[name], suites=suites, status=0)
    assert result.differences == []
    assert all(step["applied"] for step in result.report["normalisations"])
    result = compare(*NOISE[name], "--no-normalise", name, suites=suites, status=1)
    assert result.differences
    assert {step["name"] for step in result.report["normalisations"] if not step["applied"]} == {name}


def raced(begin: float, seconds: float) -> tuple[Any, ...]:
    """A write from second 1 to 2, and a read at another time, which is answered differently."""
    write = exchange(request=PUT, started=1.0, seconds=1.0)
    sides = ([write, exchange(status, started=begin, seconds=seconds)] for status in (200, 404))
    return tuple(sorted(side, key=lambda each: each.started) for side in sides)


def listed(**members: float) -> tuple[Any, ...]:
    """A list of one integration, and the same with other members."""
    return tuple(exchange(200, {"Items": [INTEGRATION | each]}, request=LIST) for each in ({}, members))


def named(domain: str, others: str, suffix: str = "") -> tuple[Any, ...]:
    """An answer about a domain, or one of a scenario, and the same elsewhere by its name there."""
    sides = [
        exchange(200, INTEGRATION | {"DomainName": name}, request=get_integration(name, URI))
        for name in (domain + suffix, others + suffix)
    ]
    suites = tuple(about(state=STATE | {"domain": name}) for name in (domain, others))
    return *sides, {"suites": suites}


PUT, LIST = (replace(exchange().request, method=method) for method in ("PUT", "GET"))
QUERIED = replace(exchange().request, target=exchange().request.target + "?a=b")
UNKNOWN = get_integration(DOMAIN, "s3://unknown")
DEEP = exchange(200, b'{"a":' * 500 + b"1" + b"}" * 500)
RACE = "its test reads while it writes, so its answers depend on timing"
UNSENT = "its test sent no such request to the other side"


def case(one: Any, other: Any, how: dict[str, Any] | None = None, **due: Any) -> tuple[Any, ...]:
    """What is compared, how, and what is due of it."""
    return one, other, how or {}, due


RACED, BY_NAME = {"test": "race"}, named("abc", "xyz")[2]
CASES: dict[str, tuple[Any, ...]] = {
    "throttled answers are not compared": case(
        [exchange(429), exchange()],
        [exchange(), exchange(429)],
        status=6,
        share=0,
        not_compared={"the reference was throttled": 1, "the candidate was throttled": 1},
    ),
    "attempts that were made up for are counted apart": case(
        [exchange(code, faults=("429",) * number) for number, code in enumerate((429, 503, 200))],
        exchange(),
        {"test": "test[0]"},
        status=0,
        compared=1,
        share=1,
        transient={"reference": 2, "candidate": 0},
    ),
    "what only one side was asked is counted": case(
        [exchange(), exchange()],
        [exchange(), missing(request=UNKNOWN)],
        status=0,
        requests=3,
        not_compared={UNSENT: 1},
        only_candidate={UNSENT: 1},
    ),
    "repeated requests of a test are paired in order": case(
        [exchange(), missing(), exchange()],
        [exchange(), missing(), missing()],
        {"test": "same"},
        different=1,
        places={("status", "")},
    ),
    "a race: within the write": case(*raced(1.5, 0.1), RACED, status=6, not_compared={RACE: 2}),
    "a race: into the write": case(*raced(0.5, 1.0), RACED, status=6, not_compared={RACE: 2}),
    "no race: before the write": case(*raced(0.5, 0.4), RACED, status=1, not_compared={}),
    "no race: after the write": case(*raced(2.1, 1.0), RACED, status=1, not_compared={}),
    "answers of other operations are shown by the clauses of their test": case(
        exchange(200, request=PUT),
        exchange(200, INTEGRATION | {"Tags": {}}, request=PUT),
        {"clauses": ("state.put-get.Tags",)},
        clauses={"state.put-get.Tags"},
        places={("member extra", "Tags")},
    ),
    "a query makes no other operation": case(
        *(exchange(200, INTEGRATION | more, request=QUERIED) for more in ({}, {"Tags": {}})),
        clauses={"response.Tags.type"},
    ),
    "in a list: another moment": case(*listed(LastUpdatedAt=1.61e9), status=0, places=set()),
    **{
        f"in a list: {name} {time}": case(*listed(**{name: time}), places={("value", f"Items[0].{name}")})
        for name, time in (("CreatedAt", 1.5e12), ("CreatedAt", 1.65e9), ("LastUpdatedAt", 1.71e9))
    },
    "deep answers are compared as text": case(DEEP, DEEP, status=0, compared=1),
    "long answers are shown short": case(exchange(200, b"x" * 200_000), exchange(), short=True),
    "a deep answer is not JSON": case(DEEP, exchange(), status=1, places={("type", "body")}),
    "types are named as in JSON": case(
        answered(Tags=1, Scope=True),
        answered(Tags="1", Scope=None),
        sides={("number", "string"), ("true", "null")},
    ),
    "the least error has an envelope": case(
        *(exchange(400, {name: "a"}) for name in ("Message", "message")),
        places={("envelope", "name of the message")},
    ),
    "names of domains that scenarios made are mapped": case(
        *named("GetIntegrationContract-0-A", "GetIntegrationContract-1-A", "-updates-1a2b3c4d"),
        status=0,
        places=set(),
    ),
    "names within others are mapped": case(*named("shop", "mall", "-a"), status=0, places=set()),
    "short names are mapped": case(*named("abc", "xyz"), status=0, places=set()),
    "where names differ, what is left of a test is paired in its order": case(
        exchange(request=get_integration("abc", "s3://1")),
        exchange(request=get_integration("xyz", "s3://2")),
        BY_NAME,
        compared=1,
        not_compared={},
    ),
    "endless kinds of differences stay bounded": case(
        [exchange()] * 30,
        [answered(**{f"M{number}": number}) for number in range(30)],
        groups=6,
        count=30,
        different=30,
    ),
}


@pytest.mark.parametrize(("one", "other", "how", "due"), CASES.values(), ids=CASES)
def test_what_is_compared_and_how(
    compare: Compare, monkeypatch: pytest.MonkeyPatch, one: Any, other: Any, how: Any, due: dict[str, Any]
) -> None:
    monkeypatch.setattr(comparison, "_GROUPS", 5)
    result = compare(one, other, **how)
    groups, divergence = result.differences, result.report["divergence"]
    assert result.status == (bool(divergence["unaccepted"]) if divergence["compared"] else 6)
    seen = {
        **{"status": result.status, "places": result.places, "groups": len(groups)},
        "count": sum(group["count"] for group in groups),
        "clauses": {name for group in groups for name in group["clauses"]},
        "short": all(len(str(group["examples"])) < 100_000 for group in groups),
        "sides": {(group["reference"], group["candidate"]) for group in groups},
        **(divergence | result.report["coverage"]),
    }
    assert {name: seen[name] for name in due} == due


def test_comparing_takes_little_more_memory_than_the_recordings(tmp_path: Path) -> None:
    import tracemalloc

    def peak(count: int) -> int:
        exchanges = [answered(Number=number, Padding="x" * 8_000) for number in range(count)]
        path = record(tmp_path / f"{count}.har", *exchanges)
        del exchanges
        tracemalloc.start()
        sides = recordings.read(path), recordings.read(path)
        result = comparison.Comparison(*sides, comparison.Settings(CONTRACT))
        assert result.pairs["compared"] == count
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few, many = peak(80), peak(200)
    assert many - few < 120 * 3 * 16_000  # more than 16 kB is what each exchange has on the two sides


LACKING = {name: value for name, value in INTEGRATION.items() if name != "LastUpdatedAt"}


@pytest.mark.parametrize(
    ("aws", "ours", "clause"),
    [
        (exchange(200, LACKING), exchange(), "response.LastUpdatedAt.required"),
        (missing(410, request=UNKNOWN), missing(request=UNKNOWN), None),
        (answered(LastUpdatedAt=1.4e9), exchange(), "response.timestamps.order"),
    ],
    ids=["a member", "a status", "an order"],
)
def test_what_aws_answers_contradicts_a_clause_not_the_emulator(
    compare: Compare, aws: Exchange, ours: Exchange, clause: str | None
) -> None:
    sides = [aws, exchange()], [ours, exchange()]
    result = compare(*sides, "--max-age", "100000", suites=(about(AWS), None), status=0)
    assert [group["contradicted"] for group in result.differences] == [True]
    if clause:
        assert [(each["clause"], each["count"]) for each in result.report["contradicted"]] == [(clause, 1)]
    result = compare(*sides, status=1)
    assert result.report["contradicted"] == []
    assert not result.differences[0]["contradicted"]


def test_a_repeat_of_a_part_is_held_against_the_same_requests(tmp_path: Path, compare: Compare) -> None:
    one, other, again = ([answered(Scope=value) for value in side] for side in ("aa", "ab", "c"))
    part = record(tmp_path / "part.har", *again, test="test[1]")  # the same place, another value
    assert [group["confirmed"] for group in compare(one, other, "--confirm", part).differences] == [True]
