"""Comparing recordings: what is paired, what is normalised, what is told, and how much memory it takes."""

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

from ..support import AWS
from .kit import STATE, Edited, about, compare, compared, error, exchange, found, missing, places, record

Versus = Callable[..., tuple[int, dict[str, Any]]]


def test_a_second_server_differs_where_it_does(tmp_path: Path, emulator_har: Path, slow_har: Path) -> None:
    part = Edited.of(emulator_har)
    tests = {entry["_test"] for entry in Edited.of(slow_har).entries}
    part.document["log"]["entries"] = [entry for entry in part.entries if entry["_test"] in tests]
    _, report = compared(tmp_path, slow_har, part.write(tmp_path / "part.har"))
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


@pytest.mark.parametrize(
    ("document", "clause"),
    [
        (found(CreatedAt=1.7e9), "response.timestamps.order"),
        (found(CreatedAt=1.5e12, LastUpdatedAt=1.6e12), "response.timestamps.order"),
        (found(Uri="s3://other"), "response.echo.Uri"),
        (found(Scope="DOMAIN"), "response.Scope.type"),
        (found(Unheard=1), "response.unknown-members"),
        ({k: v for k, v in found().items() if k != "CreatedAt"}, "response.CreatedAt.required"),
        (found(DomainName=1), "response.DomainName.type"),
    ],
)
def test_differences_of_members_are_told_by_their_clause(
    versus: Versus, document: dict[str, Any], clause: str
) -> None:
    _, report = versus(exchange(), exchange(200, document))
    assert {name for group in report["differences"] for name in group["clauses"]} == {clause}
    (entry,) = (entry for entry in report["clauses"] if entry["id"] == clause)
    assert (entry["compared"], entry["different"], entry["unaccepted"]) == (1, 1, 1)


def test_throttled_answers_are_not_compared(versus: Versus) -> None:
    status, report = versus([exchange(429), exchange()], [exchange(), exchange(429)])
    assert status == 6
    reasons = {"the reference was throttled": 1, "the candidate was throttled": 1}
    assert report["coverage"]["not_compared"] == reasons
    assert report["coverage"]["share"] == 0


def test_attempts_that_were_made_up_for_are_counted_apart(versus: Versus) -> None:
    attempts = [exchange(code, attempt=number) for number, code in enumerate((429, 503, 200), 1)]
    status, report = versus(attempts, exchange(), test="test[0]")
    assert (status, report["divergence"]["compared"]) == (0, 1)
    assert report["coverage"]["transient"] == {"reference": 2, "candidate": 0}
    assert report["coverage"]["share"] == 1


def test_what_only_one_side_was_asked_is_told(versus: Versus) -> None:
    more = exchange(404, request=replace(exchange().request, target="/domains/unknown/integrations"))
    status, report = versus([exchange(), exchange()], [exchange(), more])
    assert (status, report["coverage"]["requests"]) == (0, 3)
    assert sum(report["coverage"]["not_compared"].values()) == 1
    assert sum(report["coverage"]["only_candidate"].values()) == 1


def test_repeated_requests_of_a_test_are_paired_in_order(versus: Versus) -> None:
    _, report = versus([exchange(), missing(), exchange()], [exchange(), missing(), missing()], test="same")
    assert report["divergence"]["different"] == 1
    assert places(report) == {("status", "")}


def timed(method: str, begin: float, seconds: float, status: int = 200) -> Exchange:
    """An exchange that took its time."""
    made = exchange(status, found() if status == 200 else error("A")[0], started=begin)
    return replace(made, seconds=seconds, request=replace(made.request, method=method))


@pytest.mark.parametrize(
    ("reading", "races"),
    [((1.5, 0.1), True), ((0.5, 1.0), True), ((0.5, 0.4), False), ((2.1, 1.0), False)],
    ids=["within", "into", "before", "after"],
)
def test_answers_that_a_race_decides_are_not_compared(
    versus: Versus, reading: tuple[float, float], races: bool
) -> None:
    one, other = (
        sorted([timed("PUT", 1.0, 1.0), timed("POST", *reading, read)], key=lambda each: each.started)
        for read in (200, 404)
    )
    status, report = versus(one, other, test="race")
    assert (status, report["coverage"]["requests"]) == (6 if races else 1, 2)
    assert sum(report["coverage"]["not_compared"].values()) == (2 if races else 0)


def test_answers_of_other_operations_are_told_by_their_own_clause(versus: Versus) -> None:
    asked, clauses = replace(exchange().request, method="PUT"), ("state.put-get.Tags",)
    documents = (found(), found(Tags={}))
    _, report = versus(*(exchange(200, each, request=asked) for each in documents), clauses=clauses)
    assert [list(group["clauses"]) for group in report["differences"]] == [["state.put-get.Tags"]]


@pytest.mark.parametrize(
    ("times", "differing"),
    [
        ({"LastUpdatedAt": 1.61e9}, set()),
        ({"CreatedAt": 1.5e12}, {("value", "Items[0].CreatedAt")}),
        ({"CreatedAt": 1.65e9}, {("value", "Items[0].CreatedAt")}),
        ({"LastUpdatedAt": 1.71e9}, {("value", "Items[0].LastUpdatedAt")}),
    ],
    ids=["another moment", "milliseconds", "created after the update", "in the future"],
)
def test_times_in_lists_are_times(
    versus: Versus, times: dict[str, float], differing: set[tuple[str, str]]
) -> None:
    asked = replace(exchange().request, method="GET")
    sides = (exchange(200, {"Items": [found(**members)]}, request=asked) for members in ({}, times))
    status, report = versus(*sides)
    assert (status, places(report)) == (bool(differing), differing)


def test_comparing_takes_little_more_memory_than_the_recordings(tmp_path: Path) -> None:
    import tracemalloc

    def peak(count: int) -> int:
        exchanges = [exchange(200, found(Number=number, Padding="x" * 8_000)) for number in range(count)]
        path = record(tmp_path / f"{count}.har", *exchanges)
        del exchanges
        tracemalloc.start()
        result = compare(recordings.read(path), recordings.read(path))
        assert result.pairs.compared == count
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few, many = peak(80), peak(200)
    assert many - few < 120 * 3 * 16_000  # more than 16 kB is what each exchange has on the two sides


def test_endless_kinds_of_differences_stay_bounded(versus: Versus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "_GROUPS", 5)
    others = [exchange(200, found(**{f"M{number}": number})) for number in range(30)]
    _, report = versus([exchange()] * 30, others)
    assert len(report["differences"]) == 6
    assert sum(group["count"] for group in report["differences"]) == 30
    assert report["divergence"]["different"] == 30


def test_deep_answers_are_compared_as_text(versus: Versus) -> None:
    deep = exchange(body=b'{"a":' * 500 + b"1" + b"}" * 500)
    assert versus(deep, deep)[0] == 0
    status, report = versus(deep, exchange())
    assert (status, places(report)) == (1, {("type", "body")})


def test_names_of_domains_that_tests_made_are_mapped_in_answers(versus: Versus) -> None:
    sides, suites = [], []
    for slot in "01":
        prefix = f"GetIntegrationContract-{slot}"
        own = f"{prefix}-A-updates-1a2b3c4d"
        sides.append(exchange(200, found(DomainName=own), request=get_integration(own, STATE["uri"])))
        suites.append(about(states=({**STATE, "domain": f"{prefix}-A", "other_domain": f"{prefix}-B"},)))
    status, report = versus(*sides, suites=tuple(suites))
    assert (status, report["differences"]) == (0, [])


LACKING = {name: value for name, value in found().items() if name != "LastUpdatedAt"}
UNKNOWN = get_integration(STATE["domain"], "s3://unknown")


@pytest.mark.parametrize(
    ("aws", "ours", "clause"),
    [
        pytest.param(exchange(200, LACKING), exchange(), "response.LastUpdatedAt.required", id="a member"),
        pytest.param(
            replace(missing(410), request=UNKNOWN), replace(missing(), request=UNKNOWN), None, id="a status"
        ),
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


def test_a_repeat_of_a_part_is_held_against_the_same_requests(tmp_path: Path) -> None:
    def last(path: Path) -> Path:
        edited = Edited.of(path)
        del edited.entries[0]
        return edited.write(path)

    def made(name: str, *values: str) -> Path:
        return record(tmp_path / name, *(exchange(200, found(ObjectTypeName=value)) for value in values))

    paths = made("a.har", "a", "a"), made("b.har", "a", "b"), last(made("c.har", "a", "a"))
    changing = last(made("d.har", "a", "c"))  # differs at the same place, by another value
    one, other, *again = map(recordings.read, (*paths, changing))
    result = compare(one, other)
    result.confirm(compare(*again))
    assert [group.confirmed for group in result.groups] == [True]
