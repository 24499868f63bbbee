"""Recordings: valid HAR 1.2, whole, redacted, safe from crashes; anything else is refused in a sentence."""

import base64
import copy
import gzip
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract import recording as recordings
from getintegration_contract.errors import UsageError
from getintegration_contract.exchange import Request
from getintegration_contract.judging.ledger import Entry, Finding
from getintegration_contract.operations import get_integration
from getintegration_contract.recording import Recorder, har
from getintegration_contract.recording.har import Recorded
from getintegration_contract.redact import Redactor
from getintegration_contract.target.emulator import emulator_identities

from ..exchanges import exchange
from ..support import CALLER, edited
from .conftest import Compare, about, load, record

BODIES = {
    "text": b'{"Uri": "s3://caf\xc3\xa9"}',
    "bytes": bytes(range(256)),
    "UTF-16": '{"Uri": "x"}'.encode("utf-16"),
    "compressed": gzip.compress(b"body"),
    "empty": b"",
    "controls": b"\x00\x1b[31m\r\n",
    "large": b"u" * 3_000_000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bodies_survive(tmp_path: Path, body: bytes) -> None:
    request = Request("POST", "/domains/a%20b/integrations?a=%zz", (("X-Odd", "caf\xe9"),), body)
    path = record(tmp_path / "a.har", exchange(200, body, request=request))
    (recorded,) = recordings.read(path).exchanges
    assert recorded.exchange.request == request
    assert recorded.exchange.response.body == body
    assert recorded.exchange.response.status == 200
    if body:
        content = load(path)["entries"][0]["response"]["content"]
        text = base64.b64decode(content["text"]) if content.get("encoding") else content["text"].encode()
        assert text == body


def test_recording_of_the_suite_is_har(again_har: Path) -> None:
    log = load(again_har)
    assert log["version"] == "1.2"
    assert set(log["creator"]) == {"name", "version"}
    about = {"complete": True, "seed": 0, "depth": "gate", "region": "us-east-1"}
    assert about.items() <= log["_suite"].items()
    assert log["_suite"]["suite_version"]
    assert "customer-profiles/2020-08-15" in log["_suite"]["model_version"]
    assert log["_suite"]["endpoint"].startswith("http://127.0.0.1:")
    assert log["_suite"]["states"][0]["domain"].startswith("GetIntegrationContract-")
    assert len(log["entries"]) > 200
    moments = [entry["startedDateTime"] for entry in log["entries"]]
    assert moments == sorted(moments)  # the order of the run, whichever worker it was
    for entry in log["entries"]:
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(entry)
        request, response = entry["request"], entry["response"]
        assert {"method", "url", "httpVersion", "cookies", "headers", "queryString"} <= set(request)
        assert {"status", "statusText", "httpVersion", "headers", "content", "redirectURL"} <= set(response)
        assert {"size", "mimeType"} <= set(response["content"])
        assert entry["_test"].startswith("tests/contract/test_")
        assert isinstance(entry["_clauses"], list)
        assert entry["_attempt"] >= 1
        assert entry["_identity"] in (None, *emulator_identities())
    assert any("sigv4.expired-date" in entry["_clauses"] for entry in log["entries"])
    assert {test["test"] for test in log["_tests"]} >= {entry["_test"] for entry in log["entries"]}
    assert list(again_har.parent.glob("*a.har.partial*")) == []


def test_how_requests_were_signed_is_recorded(emulator_har: Path) -> None:
    kinds: dict[str, set[str]] = {}
    for recorded in recordings.read(emulator_har).exchanges:
        name = recorded.test.rpartition("::")[2].partition("[")[0]
        signing = " ".join(f"{key}={value}" for key, value in sorted(recorded.signing.items()))
        kinds.setdefault(name, set()).add(signing)
    assert kinds["test_existing"] == kinds["test_session_token"] == {"kind=signed"}
    assert kinds["test_unsigned"] == {"kind=none"}
    assert kinds["test_wrong_secret"] == kinds["test_another_algorithm_by_name"] == {"kind=special"}
    assert kinds["test_rejected"] >= {"kind=special", "kind=signed service=s3", "kind=signed scope_days=-1"}
    assert "kind=signed skew=-360.0" in kinds["test_expired_date"]
    assert "kind=signed region=nowhere" in kinds["test_wrong_region"]


SECRET = "EXAMPLE-marked/secret+key=0123456789abcdef"


def test_secrets_do_not_even_reach_a_recording_that_is_broken_off(tmp_path: Path) -> None:
    echo = exchange(403, {"message": SECRET, SECRET: 1}, ("X-Echo", SECRET))
    record(tmp_path / "a.har", echo, secret=SECRET, ended=(0,), finish=False)
    text = (tmp_path / "a.har.partial").read_text(encoding="utf-8")
    assert "REDACTED" in text
    assert SECRET not in text.replace("\\/", "/")


def test_a_made_up_token_is_no_secret_of_other_exchanges(tmp_path: Path) -> None:
    token = "x" * 20
    request = get_integration("d", token)
    faulty = request.with_headers(X_Amz_Security_Token=token)
    echoes = (exchange(403, {"message": f"what is {token}?"}, request=each) for each in (faulty, request))
    first, second = recordings.read(record(tmp_path / "a.har", *echoes, secret=SECRET)).exchanges
    assert token.encode() not in first.exchange.response.body
    assert dict(first.exchange.request.headers)["X-Amz-Security-Token"] == "REDACTED"
    assert first.exchange.request.body == request.body  # so that it can be replayed
    assert token.encode() in second.exchange.response.body


def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    path = record(tmp_path / "a.har", exchange(), exchange(), finish=False)
    part = tmp_path / "a.har.partial"
    part.write_bytes(part.read_bytes()[:-20])
    assert recordings.interrupted(path)
    recording = recordings.read(path)
    assert len(recording.exchanges) == 1
    assert not recording.suite.complete


def statuses(path: Path) -> list[tuple[str, int]]:
    """Tests and statuses of a recording."""
    exchanges = recordings.read(path).exchanges
    return [(recorded.test, recorded.exchange.response.status) for recorded in exchanges]


def test_a_recording_that_is_continued_keeps_the_tests_that_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    record(path, *[exchange(404)] * 3, ended=(0, 2), finish=False)
    recorder = Recorder(path, redactor := Redactor(), about(), earlier=recordings.read(path))
    recorder.add([har.line(Recorded(exchange(200, started=1.8e9), "test[1]"), redactor)])
    expected = [("test[0]", 404), ("test[2]", 404), ("test[1]", 200)]
    assert statuses(path) == expected
    recorder.finish(complete=True)
    assert sorted(statuses(path)) == sorted(expected)


def test_a_newer_recording_does_not_mix_with_an_older_file(tmp_path: Path) -> None:
    path = record(tmp_path / "a.har", exchange(), exchange())
    record(path, exchange(404), test="other[{}]", finish=False)
    assert statuses(path) == [("other[0]", 404)]


ENTRY: dict[str, Any] = {
    "startedDateTime": "2026-11-01T10:00:00Z",
    "time": 1,
    "request": {"method": "GET", "url": "http://a/", "headers": []},
    "response": {"status": 200, "headers": [], "content": {}},
}
SUITE = asdict(about())
FINDING = vars(Finding("a", "b", "c", None, 0))


def file(*entries: Any, suite: Any = SUITE, **more: Any) -> str:
    """A HAR file with these entries."""
    return json.dumps({"log": {"_suite": suite, "entries": list(entries), **more}})


def entry(**changes: Any) -> Any:
    """An entry with a part changed; ``request__url`` changes a part of a part."""
    return edited(copy.deepcopy(ENTRY), {name.replace("__", "."): each for name, each in changes.items()})


HOSTILE: dict[str, str | bytes] = {
    "empty": "",
    "white space": " \n",
    "a bracket": "{",
    "an array": "[]",
    "null": "null",
    "a log that is no object": '{"log": 1}',
    "an empty log": '{"log": {}}',
    "no suite": '{"log": {"entries": []}}',
    "cut off": file(entry())[:-30],
    "something behind": file(entry()) + "x",
    "NaN": file(entry()).replace('"time": 1', '"time": NaN'),
    "a huge number": file(entry()).replace('"time": 1', '"time": ' + "9" * 5000),
    "an infinite number": file(entry()).replace('"time": 1', '"time": 1e999'),
    "deep": '{"log": {"entries": [' + "[" * 100_000,
    "deep objects": '{"log": ' + '{"a": ' * 100_000,
    "not UTF-8": b'{"log": {"entries": ["\xff"]}}',
    "UTF-16": file(entry()).encode("utf-16"),
    "binary": bytes(range(256)) * 10,
    "entries no array": '{"log": {"entries": {}}}',
    "an entry that is null": file(None),
    "an entry without request": file({key: ENTRY[key] for key in ENTRY if key != "request"}),
    "a status in words": file(entry(response__status="200")),
    "a status out of range": file(entry(response__status=99999)),
    "headers no array": file(entry(response__headers={"a": "b"})),
    "a header without value": file(entry(request__headers=[{"name": "a"}])),
    "a header of two lines": file(entry(request__headers=[{"name": "a", "value": "b\r\nc: d"}])),
    "a method of two lines": file(entry(request__method="GET / HTTP/1.1\r\nX: y")),
    "a file as address": file(entry(request__url="file:///etc/passwd")),
    "no host": file(entry(request__url="http:///domains")),
    "a broken address": file(entry(request__url="http://[::1/domains")),
    "an address with a space": file(entry(request__url="http://a/b c")),
    "bad base64": file(entry(response__content={"text": "!!!", "encoding": "base64"})),
    "an unknown encoding": file(entry(response__content={"text": "", "encoding": "rot13"})),
    "a text that is a number": file(entry(response__content={"text": 1})),
    "no moment": file(entry(startedDateTime="yesterday")),
    "a negative time": file(entry(time=-1)),
    "clauses no array": file(entry(_clauses="a")),
    "attempt zero": file(entry(_attempt=0)),
    "a suite that is a list": file(suite=[]),
    "a suite without endpoint": file(suite={k: v for k, v in SUITE.items() if k != "endpoint"}),
    "a suite without states": file(suite=SUITE | {"states": []}),
    "a seed in words": file(suite=SUITE | {"seed": "0"}),
    "a date in words": file(suite=SUITE | {"date": "yesterday"}),
    "tests that are no entries": file(_tests=[1]),
    "checks in words": file(_tests=[Entry("a").to_dict() | {"checks": {"b": "c"}}]),
    "a test without findings": file(_tests=[{"test": "a", "checks": {}}]),
    "a finding with more": file(_tests=[Entry("a").to_dict() | {"findings": [FINDING | {"more": 1}]}]),
    "a skew in words": file(entry(_signing={"kind": "signed", "skew": "x"})),
    "days without end": file(entry(_signing={"kind": "signed", "scope_days": 1e300})),
    "an endpoint that is none": file(suite=SUITE | {"endpoint": "http://[::::]"}),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_recording_is_refused_in_a_sentence(
    tmp_path: Path, content: str | bytes, compare: Compare
) -> None:
    path = tmp_path / "a.har"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = compare(path, path, status=4).stderr
    assert str(path) in message
    assert message.count("\n") == 1
    assert len(message) < 600
    assert "Traceback" not in message


def test_what_is_odd_but_right_is_read(tmp_path: Path, compare: Compare) -> None:
    path = tmp_path / "a.har"
    odd = entry(request__url="http://a?b", response__content={"text": "\ud800\x00"}, _unknown=1)
    path.write_text("\ufeff" + file(odd, pages=[], comment="x" * 600_000), encoding="utf-8")
    (recorded,) = recordings.read(path).exchanges
    assert recorded.exchange.request.target == "?b"
    assert recorded.exchange.response.body == b"\xed\xa0\x80\x00"
    compare(path, path, status=0)


def test_a_recording_is_read_whatever_its_layout(tmp_path: Path, emulator_har: Path) -> None:
    reordered = {"log": dict(reversed(load(emulator_har).items())), "other": [1]}
    recording = recordings.read(emulator_har)
    expected = [recorded.exchange for recorded in recording.exchanges]
    for indent in (None, 2):
        path = tmp_path / "a.har"
        path.write_text(json.dumps(reordered, indent=indent, ensure_ascii=False), encoding="utf-8")
        recording = recordings.read(path)
        assert [recorded.exchange for recorded in recording.exchanges] == expected


def test_a_place_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name in ("missing.har", "."):
        with pytest.raises(UsageError, match="cannot read"):
            recordings.read(tmp_path / name)
    with pytest.raises(UsageError, match="cannot write"):
        Recorder(tmp_path / "file" / "a.har", Redactor((CALLER.secret_key,)), about())
