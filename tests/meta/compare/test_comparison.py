"""Comparing recordings: what is paired, normalised and reported, and how much memory it takes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from getintegration_compare import comparison
from getintegration_compare.normalise import NORMALISATIONS
from getintegration_contract import recording as recordings
from getintegration_contract.exchange import Exchange
from getintegration_contract.operations import get_integration

from ..support import AWS, CONTRACT
from .kit import STATE, about, compared, error, exchange, found, load, missing, places, record, save

Versus = Callable[..., tuple[int, dict[str, Any]]]


def test_a_second_server_differs_where_it_does(tmp_path: Path, emulator_har: Path, slow_har: Path) -> None:
    log, tests = load(emulator_har), {entry["_test"] for entry in load(slow_har)["entries"]}
    log["entries"] = [entry for entry in log["entries"] if entry["_test"] in tests]
    _, report = compared(tmp_path, slow_har, save(log, tmp_path / "part.har"))
    assert report["mode"] == "comparison"
    assert report["coverage"]["share"] == 1
    assert places(report) == {
        ("header", "cache-control"),
        ("header", "vary"),
        ("header", "x-amz-apigw-id"),
        ("header", "content-type"),
        ("envelope", "place of the type"),
        ("envelope", "name of the message"),
        ("member missing", "fault"),
        ("member missing", "ResourceVersion"),
    }


#: For each normalisation, an exchange and another that differs only in what it takes away.
NOISE: dict[str, tuple[Any, Any]] = {
    "names": (
        exchange(),
        exchange(200, found(DomainName="Elsewhere"), request=get_integration("Elsewhere", STATE["uri"])),
    ),
    "request-ids": (
        exchange(headers=(("x-amzn-RequestId", "1"),)),
        exchange(headers=(("x-amzn-RequestId", "2"),)),
    ),
    "generated-ids": (exchange(200, found(WorkflowId="a")), exchange(200, found(WorkflowId="b"))),
    "dates": (exchange(headers=(("Date", "a"),)), exchange(headers=(("Date", "b"),))),
    "timestamps": (exchange(200, found(LastUpdatedAt=1.61e9)), exchange()),
    "arns": (
        exchange(200, found(RoleArn="arn:aws:iam:us-east-1:111122223333:role/a")),
        exchange(200, found(RoleArn="arn:aws:iam:eu-west-1:999988887777:role/a")),
    ),
    "header-case": (exchange(headers=(("X-A", "1"),)), exchange(headers=(("x-a", "1"),))),
    "header-order": (exchange(headers=(("a", "1"), ("b", "2"))), exchange(headers=(("b", "2"), ("a", "1")))),
    "framing": (
        exchange(headers=(("Content-Length", "1"),)),
        exchange(headers=(("Transfer-Encoding", "chunked"),)),
    ),
    "software": (
        exchange(headers=(("Server", "a"), ("Via", "b"))),
        exchange(headers=(("X-Powered-By", "c"),)),
    ),
    "json-layout": (exchange(), exchange(body=json.dumps(found(), indent=2).encode())),
    "message-texts": (exchange(404, error("A", "b")[0]), exchange(404, error("A", "c")[0])),
    "type-decoration": (
        exchange(404, error("A")[0], headers=error("A")[1]),
        exchange(404, error("A")[0], headers=error("ns#A:http://x")[1]),
    ),
}


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_a_normalisation_hides_its_noise_unless_left_out(versus: Versus, name: str) -> None:
    one, other = NOISE[name]
    suites = None, about(states=(STATE | {"domain": "Elsewhere"},)) if name == "names" else None
    status, report = versus(one, other, suites=suites)
    assert (status, report["differences"]) == (0, [])
    assert all(step["applied"] for step in report["normalisations"])
    status, report = versus(one, other, "--no-normalise", name, suites=suites)
    assert status == 1
    assert report["differences"]
    assert {step["name"] for step in report["normalisations"] if not step["applied"]} == {name}


def timed(method: str, begin: float, seconds: float, status: int = 200) -> Exchange:
    """An exchange that took its time."""
    made = exchange(status, found() if status == 200 else error("A")[0], started=begin)
    return replace(made, seconds=seconds, request=replace(made.request, method=method))


def raced(begin: float, seconds: float) -> tuple[Any, ...]:
    """A write from second 1 to 2, and a read at another time, which is answered differently."""
    sides = [[timed("PUT", 1.0, 1.0), timed("POST", begin, seconds, status)] for status in (200, 404)]
    return tuple(sorted(side, key=lambda each: each.started) for side in sides)


def listed(**members: float) -> tuple[Any, ...]:
    """A list of one integration, and the same with other members."""
    asked = replace(exchange().request, method="GET")
    return tuple(
        exchange(200, {"Items": [found(**each)]}, request=asked) for each in (dict[str, float](), members)
    )


def named(domain: str, others: str, suffix: str = "") -> tuple[Any, ...]:
    """An answer about a domain, or one of a scenario, and the same elsewhere by its name there."""
    sides = [
        exchange(200, found(DomainName=name), request=get_integration(name, STATE["uri"]))
        for name in (domain + suffix, others + suffix)
    ]
    suites = tuple(about(states=({**STATE, "domain": name},)) for name in (domain, others))
    return *sides, {"suites": suites}


PUT = replace(exchange().request, method="PUT")
UNKNOWN = get_integration(STATE["domain"], "s3://unknown")
DEEP = exchange(body=b'{"a":' * 500 + b"1" + b"}" * 500)
RACE = "its test reads while it writes, so its answers depend on timing"
UNSENT = "its test sent no such request to the other side"
#: What is compared, how, and what is due of it.
CASES: dict[str, tuple[Any, Any, dict[str, Any], dict[str, Any]]] = {
    "throttled answers are not compared": (
        [exchange(429), exchange()],
        [exchange(), exchange(429)],
        {},
        {
            "status": 6,
            "share": 0,
            "not_compared": {"the reference was throttled": 1, "the candidate was throttled": 1},
        },
    ),
    "attempts that were made up for are counted apart": (
        [exchange(code, attempt=number) for number, code in enumerate((429, 503, 200), 1)],
        exchange(),
        {"test": "test[0]"},
        {"status": 0, "compared": 1, "transient": {"reference": 2, "candidate": 0}, "share": 1},
    ),
    "what only one side was asked is counted": (
        [exchange(), exchange()],
        [exchange(), missing(request=UNKNOWN)],
        {},
        {"status": 0, "requests": 3, "not_compared": {UNSENT: 1}, "only_candidate": {UNSENT: 1}},
    ),
    "repeated requests of a test are paired in order": (
        [exchange(), missing(), exchange()],
        [exchange(), missing(), missing()],
        {"test": "same"},
        {"different": 1, "places": {("status", "")}},
    ),
    **{
        f"a race: {name} the write": (
            *raced(*times),
            {"test": "race"},
            {"status": 6, "not_compared": {RACE: 2}},
        )
        for name, times in {"within": (1.5, 0.1), "into": (0.5, 1.0)}.items()
    },
    **{
        f"no race: {name} the write": (*raced(*times), {"test": "race"}, {"status": 1, "not_compared": {}})
        for name, times in {"before": (0.5, 0.4), "after": (2.1, 1.0)}.items()
    },
    "answers of other operations are shown by the clauses of their test": (
        exchange(200, request=PUT),
        exchange(200, found(Tags={}), request=PUT),
        {"clauses": ("state.put-get.Tags",)},
        {"clauses": {"state.put-get.Tags"}, "places": {("member extra", "Tags")}},
    ),
    "in a list: another moment": (*listed(LastUpdatedAt=1.61e9), {}, {"status": 0, "places": set()}),
    **{
        f"in a list: {name} {time}": (
            *listed(**{name: time}),
            {},
            {"places": {("value", f"Items[0].{name}")}},
        )
        for name, time in (("CreatedAt", 1.5e12), ("CreatedAt", 1.65e9), ("LastUpdatedAt", 1.71e9))
    },
    "deep answers are compared as text": (DEEP, DEEP, {}, {"status": 0, "compared": 1}),
    "a deep answer is not JSON": (DEEP, exchange(), {}, {"status": 1, "places": {("type", "body")}}),
    "names of domains that scenarios made are mapped": (
        *named("GetIntegrationContract-0-A", "GetIntegrationContract-1-A", "-updates-1a2b3c4d"),
        {"status": 0, "places": set()},
    ),
    "short names are mapped": (*named("abc", "xyz"), {"status": 0, "places": set()}),
    "endless kinds of differences stay bounded": (
        [exchange()] * 30,
        [exchange(200, found(**{f"M{number}": number})) for number in range(30)],
        {},
        {"groups": 6, "count": 30, "different": 30},
    ),
}


@pytest.mark.parametrize(("one", "other", "how", "due"), CASES.values(), ids=CASES)
def test_what_is_compared_and_how(
    versus: Versus, monkeypatch: pytest.MonkeyPatch, one: Any, other: Any, how: Any, due: dict[str, Any]
) -> None:
    monkeypatch.setattr(comparison, "_GROUPS", 5)
    status, report = versus(one, other, **how)
    groups, divergence = report["differences"], report["divergence"]
    assert status == (bool(divergence["unaccepted"]) if divergence["compared"] else 6)
    seen = {
        **{"status": status, "places": places(report), "groups": len(groups)},
        "count": sum(group["count"] for group in groups),
        "clauses": {name for group in groups for name in group["clauses"]},
        **(divergence | report["coverage"]),
    }
    assert {name: seen[name] for name in due} == due


def test_comparing_takes_little_more_memory_than_the_recordings(tmp_path: Path) -> None:
    import tracemalloc

    def peak(count: int) -> int:
        exchanges = [exchange(200, found(Number=number, Padding="x" * 8_000)) for number in range(count)]
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


LACKING = {name: value for name, value in found().items() if name != "LastUpdatedAt"}


@pytest.mark.parametrize(
    ("aws", "ours", "clause"),
    [
        pytest.param(exchange(200, LACKING), exchange(), "response.LastUpdatedAt.required", id="a member"),
        pytest.param(missing(410, request=UNKNOWN), missing(request=UNKNOWN), None, id="a status"),
        pytest.param(
            exchange(200, found(LastUpdatedAt=1.4e9)), exchange(), "response.timestamps.order", id="an order"
        ),
    ],
)
def test_what_aws_answers_contradicts_a_clause_not_the_emulator(
    versus: Versus, aws: Exchange, ours: Exchange, clause: str | None
) -> None:
    status, report = versus(
        [aws, exchange()], [ours, exchange()], "--max-age", "100000", suites=(about(AWS), None)
    )
    assert (status, [group["contradicted"] for group in report["differences"]]) == (0, [True])
    if clause:
        assert [(each["clause"], each["count"]) for each in report["contradicted"]] == [(clause, 1)]
    status, report = versus([aws, exchange()], [ours, exchange()])
    assert (status, report["contradicted"]) == (1, [])
    assert not report["differences"][0]["contradicted"]


def test_a_repeat_of_a_part_is_held_against_the_same_requests(tmp_path: Path, versus: Versus) -> None:
    one, other, again = ([exchange(200, found(Scope=value)) for value in side] for side in ("aa", "ab", "c"))
    part = record(tmp_path / "part.har", *again, test="test[1]")  # the same place, another value
    _, report = versus(one, other, "--confirm", part)
    assert [group["confirmed"] for group in report["differences"]] == [True]
