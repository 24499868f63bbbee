"""Characteristic requests, to see that every mutant really changes something, without the suite."""

from __future__ import annotations

import hashlib
import json
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from .bases import BaseServer
from .kit import Mutant, bind
from .messages import Request, Response, without
from .proxy import Base
from .signing import (
    ALGORITHM,
    CALLER,
    IDENTITIES,
    REGION,
    SERVICE,
    TERMINATOR,
    Claim,
    resigned,
    signature,
)

_DOMAIN, _OTHER = "GetIntegrationBattery-A", "GetIntegrationBattery-B"
_URI, _OTHER_URI = "s3://Contract-Bucket/Caf\u00e9/a%20b/Object", "s3://Contract-Bucket/Other"
_MEMBERS = {
    "ObjectTypeName": "Contract_Type-1",
    "ObjectTypeNames": {"SegmentIdentify": "Segment_Type", "ShopifyCreateOrders": "_Shopify-2"},
    "Tags": {"team": "contract", "cost:center/1": "a b\u00e9"},
    "RoleArn": "arn:aws:iam::123456789012:role/GetIntegrationContract",
    "EventTriggerNames": ["Contract_Trigger-1"],
    "Scope": "DOMAIN",
}
_UPDATED = {"ObjectTypeName": "Contract_Type-2", "Tags": {"team": "updated"}}


Recording = list[tuple[Request, Response]]


class _AskedOtherwiseError(Exception):
    """A mutant asked the base something else than it was asked: that is a change."""


def record(base: BaseServer, address: str | None = None) -> Recording:
    """The battery and what the base answers, asked at its own address or another that leads to it."""
    connection = Base(address or base.url)
    base.empty()
    try:
        return [(request, connection.ask(request)) for request in _battery(base.url.partition("://")[2])]
    finally:
        connection.close()


def unchanged_by(mutant: Mutant, recording: Recording) -> bool:
    """Whether a mutant answers the whole battery exactly as the base did."""
    handler = mutant.build()
    try:
        return all(
            handler(request, bind((request, answer), _replay)) is answer for request, answer in recording
        )
    except _AskedOtherwiseError:
        return False


def _replay(recorded: tuple[Request, Response], asked: Request) -> Response:
    request, answer = recorded
    if asked is not request:
        raise _AskedOtherwiseError
    return answer


class _Maker:
    """Makes requests to one host, each of them on the same kept connection."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._number = 0

    def bare(self, method: str, path: str, body: bytes = b"", **headers: str) -> Request:
        """A request that nobody signed."""
        self._number += 1
        named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        kept = (("Host", self._host), ("Content-Type", "application/json"), *named)
        return Request(method, path, kept, body, connection=1, number=self._number)

    def signed(
        self, method: str, path: str, body: bytes = b"", identity: str = "caller", **headers: str
    ) -> Request:
        """A request that is signed as it must be."""
        return resigned(self.bare(method, path, body, **headers), IDENTITIES[identity])

    def get(self, domain: str = _DOMAIN, uri: object = _URI, **more: str) -> Request:
        """GetIntegration, in order unless the input is not."""
        body = json.dumps({"Uri": uri}, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return self.raw(body, domain, **more)

    def raw(self, body: bytes, domain: str = _DOMAIN, **more: str) -> Request:
        """GetIntegration with a body as given."""
        return self.signed("POST", f"/domains/{quote(domain, safe='')}/integrations", body, **more)

    def put(self, domain: str, uri: str, members: dict[str, object]) -> Request:
        """PutIntegration."""
        return self.signed(
            "PUT", f"/domains/{domain}/integrations", json.dumps({"Uri": uri, **members}).encode()
        )


def _battery(host: str) -> Iterator[Request]:
    make = _Maker(host)
    yield from _setup(make)
    yield from _readings(make)
    yield from _inputs(make)
    yield from _forgeries(make)
    yield from _transports(make)
    yield from _writes(make)
    yield from _escapes(make)


def _setup(make: _Maker) -> Iterator[Request]:
    for domain in (_DOMAIN, _OTHER):
        yield make.signed("POST", f"/domains/{domain}", b'{"DefaultExpirationDays": 366}')
    yield make.put(_DOMAIN, _URI, dict(_MEMBERS))
    yield make.put(_OTHER, _OTHER_URI, dict(_MEMBERS))


def _readings(make: _Maker) -> Iterator[Request]:
    yield make.get()
    yield make.get()
    yield make.get(_OTHER, _OTHER_URI)
    for identity in ("temporary", "unauthorized", "other-account", "caller"):
        yield make.get(identity=identity)
    yield make.get("Unknown", identity="unauthorized")
    yield make.get(uri="s3://unknown", identity="unauthorized")
    for agent in ("Boto3/1", "aws-cli/2", "aws-sdk-js/3"):
        for uri in (_URI, "s3://unknown"):
            yield make.get(uri=uri, User_Agent=agent, amz_sdk_request="attempt=1")
    for _ in range(8):
        yield make.get(identity="low-quota")
    yield make.get(identity="low-quota", amz_sdk_request="attempt=2")
    time.sleep(0.3)
    yield make.get(identity="low-quota")
    for domain in ("Unknown", _DOMAIN.lower(), _DOMAIN.swapcase(), _DOMAIN[:-1], _DOMAIN + "0", _DOMAIN[1:]):
        yield make.get(domain)
    yield make.get(_DOMAIN, _OTHER_URI)
    for uri in (
        *("s3://unknown", "arn:aws:flow:us-east-1:1:unknown", _URI.lower(), _URI.upper(), _URI + "/"),
        *(_URI.replace("/", "//", 1), _URI[:-1], _URI + "0", _URI[:1] + "*", _URI[1:], _URI + "?a=b"),
        *(
            _URI + "#a",
            _URI + "\0",
            " " + _URI,
            _URI + " ",
            _URI + "\n",
            unquote(_URI),
            quote(_URI, safe=":/"),
        ),
        *(unicodedata.normalize(form, _URI) for form in ("NFD", "NFKD")),
        *(_URI.encode("ascii", "ignore").decode(), _URI.replace("%20", "+"), _URI.replace("%", "%25")),
    ):
        yield make.get(uri=uri)


def _inputs(make: _Maker) -> Iterator[Request]:
    for uri in (
        *("", "u", "\U0001f600", "u" * 65, "u" * 129, *("u" * n for n in range(253, 258)), "\u4e2d" * 255),
        *(
            "\U0001f600" * 255,
            "\u00e9" * 200,
            "\u00e9" * 256,
            " " * 256,
            "u" * 700,
            "u" * 100_000,
            "u" * 1_200_000,
        ),
        *(
            None,
            0,
            1.5,
            True,
            False,
            [],
            ["s3://a"],
            {},
            {"Uri": "s3://a"},
            "a b",
            "100%25%zz",
            "//a/b",
            "\\a",
        ),
        *('it\'s "so"', "<b>", "../..", "%s %n", "tab\t", "?a=b", "null", "0", "noscheme", " a ", "   "),
    ):
        yield make.get(uri=uri)
    for name in (
        *("a", "-", "0", "_", "x" * 33, "x" * 63, "x" * 64, "x" * 65, "x" * 300, "delete", "9x", "a_b", "-a"),
        *("a!", "a\n", "a.b", "a b", "a:b", "a+b", "a@b", "a^b", "a%b", "\u00e9", " a ", "%41", "a/b", "a\0"),
        *("not a name", ".", "..", "", "!!"),
    ):
        yield make.get(name)
    yield make.signed("POST", "/domains/%FF%FE/integrations", b'{"Uri": "s3://a"}')
    for body in (
        *(
            b"{}",
            b"",
            b'{"Other": "s3://a"}',
            b"[]",
            b'[{"Uri": "s3://a"}]',
            b'"s3://a"',
            b"1",
            b"true",
            b"null",
        ),
        *(b" ", b"{", b'{"Uri": "s3://a"', b'{"Uri": "s3://a",}', b'{"Uri": "s3://a" /* c */}'),
        *(b"{'Uri': 's3://a'}", b'{Uri: "s3://a"}', b'{"Uri": NaN}', b'{"Uri": "s3://a", "O": -Infinity}'),
        *(
            b'{"Uri": "s3://a", "O": 01}',
            b'{"Uri": "s3://\na"}',
            b'{"Uri": "s3://\xff"}',
            b'{"Uri": "s3://a"} x',
        ),
        *(
            b'{"Uri": "s3://a", "Uri": "s3://b"}',
            b'\xef\xbb\xbf{"Uri": "s3://a"}',
            '{"Uri": 1}'.encode("utf-16"),
        ),
        *(
            b'{"Uri": "s3://\\ud800"}',
            b'{"Uri": "s3://\\u0000"}',
            b'{"Uri": "s3:\\/\\/a"}',
            b'{\n"Uri": "s3://a"}',
        ),
        *(b'{"Uri": "a", "n": ' + b"9" * 5000 + b"}", b'{"Uri": "a", "n": 1e999}', b'  {"Uri": "a"}'),
        *(b'{"Uri": "s3://\\u0041"}', b'{"Uri": "a", "n": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"),
        *(b'{"uri": "s3://a"}', b'{"URI": "s3://a"}', b'{" Uri": "s3://a"}', b'{"IntegrationUri": "s3://a"}'),
        b"Uri=s3://a",
    ):
        yield make.raw(body)
        yield make.raw(body, "Unknown")
        yield make.raw(body, "x" * 65)
        yield make.raw(body, identity="unauthorized")
    for place in ("?Uri=s3%3A%2F%2Fa", "?b=2&a=1", "?a=1&a=0", "?a=%20", "?a="):
        yield make.signed("POST", f"/domains/{_DOMAIN}/integrations{place}", b"{}")
    yield make.raw(b"{}", Uri="s3://a")
    for media_type in ("text/plain", "application/json; charset=utf-8", "Application/JSON", None):
        yield make.get().with_header("Content-Type", media_type)
    for path in ("a%20b", "%e2%82%ac", "a!b'(c)", "a~b", "a+b", "a=b&c@d"):
        yield make.signed("POST", f"/domains/{path}/integrations", b'{"Uri": "s3://a"}')
    for method, path in (
        *(
            ("PATCH", f"/domains/{_DOMAIN}/integrations"),
            ("POST", "/nowhere"),
            ("HEAD", f"/domains/{_DOMAIN}"),
        ),
        *(("HEAD", f"/domains/{_DOMAIN}/integrations"), ("OPTIONS", f"/domains/{_DOMAIN}/integrations")),
    ):
        yield make.signed(method, path, b"{}" if method == "POST" else b"")


def _forged(request: Request, **scope: str) -> Request:
    """The request, signed rightly for a scope, date, key or secret that are not right."""
    date = scope.get("stamp", f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    headers = (*without(request.headers, "authorization", "x-amz-date"), ("X-Amz-Date", date))
    names = {"host", "x-amz-date", *scope.get("signed", "").split()} - {scope.get("unsigned")}
    signed = tuple(sorted(names))
    claim = Claim(
        scope.get("key", CALLER.access_key),
        scope.get("date", date[:8]),
        scope.get("region", REGION),
        scope.get("service", SERVICE),
        scope.get("terminator", TERMINATOR),
        signed,
        "",
    )
    request = replace(request, headers=headers)
    value = signature(request, claim, scope.get("secret", CALLER.secret_key))
    parts = (claim.access_key, claim.date, claim.region, claim.service, claim.terminator)
    authorization = (
        f"{ALGORITHM} Credential={'/'.join(parts)}, SignedHeaders={';'.join(signed)}, Signature={value}"
    )
    return request.with_header("Authorization", authorization)


def _escapes(make: _Maker) -> Iterator[Request]:
    """What the mutants of ``escaped`` look at."""
    for name in ("constructor", "__proto__"):
        yield make.get(name)
        yield make.get(uri=name)
    flow = "arn:aws:flow:us-east-1:123456789012:Flow"
    yield make.put(_DOMAIN, flow, {"ObjectTypeName": "A"})
    for near in (
        flow.replace("1234", "4321"),
        flow.replace("us-east-1", "us-west-2"),
        flow.replace("aws", "cn"),
    ):
        yield make.get(uri=near)
    yield make.raw(json.dumps({"Uri": _URI, "DomainName": "Unknown"}).encode())
    path = f"/domains/{_DOMAIN}/integrations"
    asked = json.dumps({"Uri": _URI}).encode()
    yield make.signed("POST", f"{path}?DomainName=Unknown", asked)
    yield make.signed("POST", path.replace("/G", "/%47"), asked)
    yield make.raw(asked + b" " * 300_000)
    yield make.signed("POST", f"{path}/delete", asked)
    for _ in range(2):
        yield make.get()
    for number, uri in enumerate(("s3://Odd/\u00e9a", "s3://Odd/\U0001f600", "s3://Odd/\U0001f601")):
        yield make.put(_DOMAIN, uri, {"ObjectTypeName": f"T{number}"})
        yield make.get(uri=uri)
        yield make.get(uri="s3://Odd/\U0001f600")
    for uri in ("s3://Odd/\u200b\u00e9a", "s3://Odd/\u00c9a", "s3://Odd/\u00e9\u0161"):
        yield make.get(uri=uri)
    yield make.raw(json.dumps(json.dumps({"Uri": flow})).encode())
    form = make.raw(f"Uri={quote(flow, safe='')}".encode())
    yield form.with_header("Content-Type", "application/x-www-form-urlencoded")
    yield make.raw(asked).with_header("Content-Type", "application/x-amz-json-1.1")
    yield make.raw(json.dumps({"Uri": flow, "__proto__": {}}).encode())
    yield make.raw(json.dumps({"Uri": flow} | {f"m{n}": n for n in range(30)}).encode())
    yield _forged(make.get(uri=flow), service="profiles")
    yield _forged(make.get(uri=flow), unsigned="host")
    right = make.get(uri=flow)
    value = right.header("authorization") or ""
    yield right.with_header("Authorization", value.replace(ALGORITHM, "AWS4-HMAC-SHA512"))
    for size in (2_000, 70_000):
        yield make.raw(asked + b" " * size).with_body(asked + b"\n" * size)


def _stamp(minutes: float) -> str:
    return f"{datetime.now(UTC) + timedelta(minutes=minutes):%Y%m%dT%H%M%SZ}"


def _forgeries(make: _Maker) -> Iterator[Request]:
    def altered(change: str, to: str) -> Request:
        request = make.get()
        return request.with_header(
            "Authorization", (request.header("authorization") or "").replace(change, to)
        )

    yield make.get().with_header("Authorization", None)
    for value in ("", "Basic QQ==", "Bearer a", "AWS a:b", "garbage"):
        yield make.get().with_header("Authorization", value)
    for component in ("Credential", "SignedHeaders", "Signature"):
        yield altered(f"{component}=", "Other=")
    yield altered("/aws4_request", "")
    yield altered(CALLER.access_key, "AKIAEXAMPLEUNKNOWN01")
    yield altered(CALLER.access_key, CALLER.access_key.lower())
    right = make.get().header("authorization") or ""
    for cut in (right[:-1] + ("0" if right[-1] != "0" else "1"), right[:-32], right + "00"):
        yield make.get().with_header("Authorization", cut)
    yield _forged(make.get(), secret="x" * 40)
    yield _forged(make.get(), secret=CALLER.secret_key + "x")
    yield _forged(make.get(), secret=CALLER.access_key)
    yield make.get().with_body(b'{"Uri": "s3://another"}')
    yield replace(make.get(), target=f"/domains/{_OTHER}/integrations")
    yield replace(make.get(), target=f"/domains/{_DOMAIN}/integrations/")
    yield replace(make.get(), target=f"/domains/{_DOMAIN}/integrations?a=b")
    digest = hashlib.sha256(make.get().body).hexdigest()
    with_hash = make.get().with_header("x-amz-content-sha256", digest)
    yield _forged(with_hash, signed="x-amz-content-sha256").with_body(b'{"Uri": "s3://b"}')
    hashed = _forged(with_hash, signed="x-amz-content-sha256 content-type")
    yield hashed.with_header("x-amz-content-sha256", "0" * 64)
    yield hashed.with_header("Content-Type", "application/json; charset=utf-8")
    yield hashed.with_header("X-Amz-Date", _stamp(-1))
    yield _forged(make.get().with_header("Host", "profile.example.com")).with_header("Host", "127.0.0.1")
    yield make.get().with_header("X-Amz-Date", _stamp(0))
    for minutes in (-600, -61, -30, -16, -12, -6, -4, 4, 6, 12, 16, 30, 61, 600, -20_000, 20_000):
        yield _forged(make.get(), stamp=_stamp(minutes))
    for moment in (None, "", "yesterday"):
        yield make.get().with_header("X-Amz-Date", moment)
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y%m%d}"
    for scope in (
        {"date": yesterday},
        {"region": "eu-central-1"},
        {"service": "s3"},
        {"terminator": "aws4_response"},
    ):
        yield _forged(make.get(), **scope)
    temporary = IDENTITIES["temporary"]
    token = temporary.session_token or ""
    given = {"key": temporary.access_key, "secret": temporary.secret_key}
    yield _forged(make.get(), **given)
    for value in (token[:-1], token + "x", "another"):
        with_token = make.get().with_header("x-amz-security-token", value)
        yield _forged(with_token, signed="x-amz-security-token", **given)
    yield _forged(make.get().with_header("x-amz-security-token", "token"), signed="x-amz-security-token")
    for body in (b"{", b"{}"):
        yield _forged(make.raw(body), secret="x")
    yield _forged(make.get("Unknown"), secret="x")
    for headers in (
        {"X_Amz_Meta": "two  spaces"},
        {"X_Amz_Meta": "a, b"},
        {"x_AMZ_mEta": "a"},
        {"X_Amz_Zebra": "1"},
    ):
        name = next(iter(headers)).replace("_", "-").lower()
        yield _forged(make.get(**headers), signed=name)
    for headers in ({"User_Agent": "a"}, {"X_Request_Id": "1"}, {"X_Forwarded_For": "a"}, {"Accept": "*/*"}):
        yield make.get(**headers)


def _transports(make: _Maker) -> Iterator[Request]:
    yield replace(make.get(), chunked=True)
    yield make.get(Expect="100-continue")
    yield make.get(Connection="close")
    yield make.get(X_Large="x" * 10_000)
    yield make.get(Accept_Encoding="gzip")
    for _ in range(20):
        yield make.get()
        yield make.get(uri="s3://unknown")
    for number in range(120):
        yield make.get(uri=f"s3://unknown/{number}")


def _writes(make: _Maker) -> Iterator[Request]:
    yield make.put(_DOMAIN, _URI, dict(_UPDATED))
    yield make.get()
    yield make.get(_OTHER, _OTHER_URI)
    for uri in ("\U0001f600", "it's", "\\a", "a\t", " a ", "u" * 255, "a+b", "a?b", "a/./b", "a  b"):
        yield make.put(_DOMAIN, uri, {"ObjectTypeName": "A"})
        yield make.get(uri=uri)
    yield make.get()
    path = f"/domains/{_DOMAIN}/integrations"
    yield make.signed("POST", f"{path}/delete", json.dumps({"Uri": _URI}).encode())
    yield make.get()
    yield make.get(uri="a+b")
    yield make.put(_DOMAIN, _URI, dict(_MEMBERS))
    yield make.get()
    yield make.signed("DELETE", f"/domains/{_OTHER}")
    yield make.get(_OTHER, _OTHER_URI)
    yield make.signed("POST", f"/domains/{_OTHER}", b'{"DefaultExpirationDays": 366}')
    yield make.put(_OTHER, "s3://a", dict(_MEMBERS))
    yield make.get(_OTHER, _OTHER_URI)
