"""Comparing recordings: what is paired, what is normalised, what is told, and how much memory it takes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from getintegration_compare import comparison
from getintegration_compare.names import Names
from getintegration_compare.normalise import NORMALISATIONS, Answer
from getintegration_contract import recording as recordings
from getintegration_contract.operations import get_integration

from .kit import (
    AWS,
    CONTRACT,
    STATE,
    Edited,
    about,
    compare,
    compared,
    error,
    exchange,
    found,
    places,
    record,
)


def test_two_runs_against_one_server_do_not_differ(
    tmp_path: Path, emulator_har: Path, again_har: Path
) -> None:
    status, report = compared(tmp_path, emulator_har, again_har)
    assert report["differences"] == []
    assert report["divergence"]["share"] == 0
    assert report["coverage"]["share"] == 1
    assert report["mode"] == "drift"
    assert status == 0


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
    "names": (exchange(), None),
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


@pytest.mark.parametrize(
    ("document", "headers", "expected"),
    [
        ({"__type": "a#A:b"}, (), "A"),
        ({"__type": 7, "code": "A"}, (), "A"),
        ({"__type": "B"}, (("X-Amzn-ErrorType", "A"),), "A"),
        ({"__type": "#"}, (), None),
        ({"__type": "A", "detail": json.loads("[" * 200 + "]" * 200)}, (), "A"),
    ],
)
def test_an_error_type_is_what_the_judge_takes_it_for(
    document: dict[str, Any], headers: tuple[tuple[str, str], ...], expected: str | None
) -> None:
    answer = exchange(400, document, headers=headers)
    assert Answer(answer, Names([STATE]), NORMALISATIONS).error_type == answer.response.error_type == expected


def test_every_normalisation_has_its_noise() -> None:
    assert set(NOISE) == set(NORMALISATIONS)


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_a_normalisation_hides_its_noise_unless_left_out(tmp_path: Path, name: str) -> None:
    one, other = NOISE[name]
    reference = record(tmp_path / "a.har", one)
    if other is None:
        state = STATE | {"domain": "Elsewhere"}
        request = one.request.target.replace("Domain", "Elsewhere", 1)
        moved = exchange(200, found(DomainName="Elsewhere"), request=replace(one.request, target=request))
        candidate = record(tmp_path / "b.har", moved, suite=about(states=(state,)))
    else:
        candidate = record(tmp_path / "b.har", other)
    status, report = compared(tmp_path, reference, candidate)
    assert (status, report["differences"]) == (0, [])
    assert all(step["applied"] for step in report["normalisations"])
    status, report = compared(tmp_path, reference, candidate, "--no-normalise", name)
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
    tmp_path: Path, document: dict[str, Any], clause: str
) -> None:
    _, report = compared(
        tmp_path, record(tmp_path / "a.har", exchange()), record(tmp_path / "b.har", exchange(200, document))
    )
    assert all(list(group["clauses"]) == [clause] for group in report["differences"])
    assert report["differences"]
    assert clause in CONTRACT.clauses
    entry = next(entry for entry in report["clauses"] if entry["id"] == clause)
    assert (entry["compared"], entry["different"], entry["unaccepted"]) == (1, 1, 1)


def test_throttled_answers_are_not_compared(tmp_path: Path) -> None:
    reference = record(tmp_path / "a.har", exchange(429), exchange())
    candidate = record(tmp_path / "b.har", exchange(), exchange(429))
    status, report = compared(tmp_path, reference, candidate)
    assert status == 6
    reasons = {"the reference was throttled": 1, "the candidate was throttled": 1}
    assert report["coverage"]["not_compared"] == reasons
    assert report["coverage"]["share"] == 0


def test_attempts_that_were_made_up_for_are_counted_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    attempts = (exchange(status, attempt=attempt) for status, attempt in ((429, 1), (503, 2), (200, 3)))
    record(path, *attempts, test="test[0]")
    status, report = compared(tmp_path, path, record(tmp_path / "b.har", exchange()))
    assert (status, report["divergence"]["compared"]) == (0, 1)
    assert report["coverage"]["transient"] == {"reference": 2, "candidate": 0}
    assert report["coverage"]["share"] == 1


def test_what_only_one_side_was_asked_is_told(tmp_path: Path) -> None:
    more = exchange(404, request=replace(exchange().request, target="/domains/unknown/integrations"))
    reference = record(tmp_path / "a.har", exchange(), exchange())
    candidate = record(tmp_path / "b.har", exchange(), more)
    status, report = compared(tmp_path, reference, candidate)
    assert status == 0
    assert report["coverage"]["requests"] == 3
    assert sum(report["coverage"]["not_compared"].values()) == 1
    assert sum(report["coverage"]["only_candidate"].values()) == 1


def test_repeated_requests_of_a_test_are_paired_in_order(tmp_path: Path) -> None:
    there, gone = exchange(), exchange(404, error("ResourceNotFoundException")[0])
    one = record(tmp_path / "a.har", there, gone, there, test="same")
    other = record(tmp_path / "b.har", there, gone, gone, test="same")
    _, report = compared(tmp_path, one, other)
    assert report["divergence"]["different"] == 1
    assert places(report) == {("status", "")}


def timed(path: Path, *steps: tuple[str, float, float, int]) -> Path:
    """A recording of one test: method, begin, seconds, status of each exchange."""
    exchanges = []
    for method, begin, seconds, status in steps:
        asked = replace(exchange().request, method=method)
        made = exchange(status, found() if status == 200 else error("A")[0], request=asked, started=begin)
        exchanges.append(replace(made, seconds=seconds))
    return record(path, *exchanges, test="race")


@pytest.mark.parametrize(
    ("reading", "races"),
    [((1.5, 0.1), True), ((0.5, 1.0), True), ((0.5, 0.4), False), ((2.1, 1.0), False)],
    ids=["within", "into", "before", "after"],
)
def test_answers_that_a_race_decides_are_not_compared(
    tmp_path: Path, reading: tuple[float, float], races: bool
) -> None:
    steps = sorted([("PUT", 1.0, 1.0, 200), ("POST", *reading, 200)], key=lambda step: step[1])
    other = [
        (method, begin, seconds, 404 if method == "POST" else 200) for method, begin, seconds, _ in steps
    ]
    status, report = compared(tmp_path, timed(tmp_path / "a.har", *steps), timed(tmp_path / "b.har", *other))
    assert status == (6 if races else 1)
    assert report["coverage"]["requests"] == 2
    assert sum(report["coverage"]["not_compared"].values()) == (2 if races else 0)


def test_answers_of_other_operations_are_told_by_their_own_clause(tmp_path: Path) -> None:
    asked, clauses = replace(exchange().request, method="PUT"), ("state.put-get.Tags",)
    one = record(tmp_path / "a.har", exchange(200, found(), request=asked), clauses=clauses)
    other = record(tmp_path / "b.har", exchange(200, found(Tags={}), request=asked), clauses=clauses)
    _, report = compared(tmp_path, one, other)
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
    tmp_path: Path, times: dict[str, float], differing: set[tuple[str, str]]
) -> None:
    asked = replace(exchange().request, method="GET")
    one, other = (
        record(tmp_path / f"{name}.har", exchange(200, {"Items": [found(**members)]}, request=asked))
        for name, members in (("a", {}), ("b", times))
    )
    status, report = compared(tmp_path, one, other)
    assert places(report) == differing
    assert status == bool(differing)


def test_comparing_takes_little_more_memory_than_the_recordings(tmp_path: Path) -> None:
    import tracemalloc

    def peak(count: int) -> int:
        exchanges = [exchange(200, found(Number=number, Padding="x" * 8_000)) for number in range(count)]
        path = record(tmp_path / f"{count}.har", *exchanges)
        del exchanges
        tracemalloc.start()
        result = compare(recordings.read(path), recordings.read(path))
        assert result.compared == count
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few, many = peak(80), peak(200)
    assert many - few < 120 * 3 * 16_000  # more than 16 kB is what each exchange has on the two sides


def test_endless_kinds_of_differences_stay_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "_GROUPS", 5)
    reference = record(tmp_path / "a.har", *(exchange() for _ in range(30)))
    candidate = record(tmp_path / "b.har", *(exchange(200, found(**{f"M{n}": n})) for n in range(30)))
    _, report = compared(tmp_path, reference, candidate)
    assert len(report["differences"]) == 6
    assert sum(group["count"] for group in report["differences"]) == 30
    assert report["divergence"]["different"] == 30


def test_deep_answers_are_compared_as_text(tmp_path: Path) -> None:
    deep = b'{"a":' * 500 + b"1" + b"}" * 500
    status, report = compared(
        tmp_path,
        record(tmp_path / "a.har", exchange(body=deep)),
        record(tmp_path / "b.har", exchange(body=deep)),
    )
    assert status == 0
    status, report = compared(
        tmp_path, record(tmp_path / "a.har", exchange(body=deep)), record(tmp_path / "b.har", exchange())
    )
    assert (status, places(report)) == (1, {("type", "body")})


@pytest.mark.parametrize("flaw", ["a member missing", "another status"])
def test_a_form_that_aws_breaks_is_no_fault_of_the_emulator(tmp_path: Path, flaw: str) -> None:
    lacking = {name: value for name, value in found().items() if name != "LastUpdatedAt"}
    asked = get_integration(STATE["domain"], "s3://unknown")
    unknown = error("ResourceNotFoundException")
    answers = {
        "a member missing": (exchange(200, lacking), exchange()),
        "another status": (
            exchange(410, unknown[0], headers=unknown[1], request=asked),
            exchange(404, unknown[0], headers=unknown[1], request=asked),
        ),
    }[flaw]
    reference = record(tmp_path / "aws.har", answers[0], suite=about(AWS))
    candidate = record(tmp_path / "b.har", answers[1])
    status, report = compared(tmp_path, reference, candidate, "--max-age", "100000")
    assert (status, [group["contradicted"] for group in report["differences"]]) == (0, [True])


def test_names_of_domains_that_tests_made_are_mapped_in_answers(tmp_path: Path) -> None:
    recorded = []
    for slot in "01":
        names = {
            **STATE,
            "domain": f"GetIntegrationContract-{slot}-A",
            "other_domain": f"GetIntegrationContract-{slot}-B",
        }
        own = f"{names['domain']}-updates-1a2b3c4d"
        answer = exchange(200, found(DomainName=own), request=get_integration(own, STATE["uri"]))
        recorded.append(record(tmp_path / f"{slot}.har", answer, suite=about(states=(names,))))
    status, report = compared(tmp_path, *recorded)
    assert (status, report["differences"]) == (0, [])


def test_what_aws_answers_contradicts_a_clause_not_the_emulator(tmp_path: Path) -> None:
    suite = about(AWS)
    reference = record(
        tmp_path / "aws.har", exchange(200, found(LastUpdatedAt=1.4e9)), exchange(), suite=suite
    )
    candidate = record(tmp_path / "b.har", exchange(), exchange())
    status, report = compared(tmp_path, reference, candidate, "--max-age", "100000")
    assert status == 0, "the emulator is right"
    (group,) = report["differences"]
    assert group["contradicted"]
    assert group["where"] == "CreatedAt"
    (contradicted,) = report["contradicted"]
    assert contradicted["clause"] == "response.timestamps.order"
    assert contradicted["count"] == 1
    local = record(tmp_path / "c.har", exchange(200, found(LastUpdatedAt=1.4e9)), exchange())
    status, report = compared(tmp_path, local, candidate)
    assert status == 1
    assert not report["differences"][0]["contradicted"]
    assert report["contradicted"] == []


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
