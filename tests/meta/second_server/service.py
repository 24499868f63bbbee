"""Identities, state, the operations on it, how they refuse, and the paths that lead to them."""

import json
import random
import re
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn
from urllib.parse import parse_qs, unquote

from multidict import CIMultiDict

Json = dict[str, Any]

# --- How the server says no, in the service's own voice, and in those of what stands before it --------------


@dataclass(eq=False)
class Fault(Exception):
    """A refusal. The service puts its type into `__type`, the gateway into a header, the content
    negotiation into `code`: all three are places where restJson1 clients look."""

    status: int
    kind: str
    text: str
    voice: Literal["service", "gateway", "negotiation"] = "service"

    def answer(self) -> tuple[CIMultiDict[str], bytes]:
        headers = common_headers()
        if self.voice == "gateway":
            coral = "http://internal.amazon.com/coral/com.amazon.coral.service/"
            headers["x-amzn-errortype"] = f"{self.kind}:{coral}"
            headers["Content-Type"] = "application/json"
            body = json.dumps({"message": self.text})
        elif self.voice == "negotiation":
            headers["Content-Type"] = "application/json; charset=utf-8"
            body = json.dumps({"code": self.kind, "message": self.text})
        else:
            kind = f"com.amazonaws.customerprofiles#{self.kind}"
            headers["Content-Type"] = "application/x-amz-json-1.1"
            who = "server" if self.status >= 500 else "client"
            body = json.dumps({"__type": kind, "message": self.text, "fault": who}, indent=1)
        return headers, body.encode()


def common_headers() -> CIMultiDict[str]:
    return CIMultiDict(
        {
            "x-amzn-requestid": str(uuid.uuid4()),
            "x-amz-apigw-id": f"{random.getrandbits(64):016x}=",
            "Cache-Control": "no-store",
            "Vary": "Accept-Encoding",
            "Server": "second",
        }
    )


def refuse(status: int, kind: str, *texts: str, voice: Any = "service") -> NoReturn:
    raise Fault(status, kind, random.choice(texts), voice)


def bad(why: str) -> NoReturn:
    openings = "Invalid input: ", "1 validation error detected: ", "Bad request, "
    refuse(400, "BadRequestException", *(opening + why for opening in openings))


def absent(what: str) -> NoReturn:
    texts = f"{what} could not be found.", f"There is no {what} here.", f"No such thing: {what}"
    refuse(404, "ResourceNotFoundException", *texts)


def gateway(status: int, kind: str, *texts: str) -> NoReturn:
    refuse(status, kind, *texts, voice="gateway")


# --- Who may call, and how often ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Identity:
    access_key: str
    secret: str
    account: str = "111122223333"
    token: str | None = None
    allowed: bool = True
    quota: int | None = None  # requests a second of its own


CALLER = Identity("AKIAEXAMPLECALLER001", "caller-EXAMPLE-secret-key-0123456789abcd")
EVERYBODY = (
    CALLER,
    Identity("AKIAEXAMPLEDENIED001", "denied-EXAMPLE-secret-key-0123456789abcd", allowed=False),
    Identity("AKIAEXAMPLEOTHER0001", "other-EXAMPLE-secret-key-0123456789abcde", "444455556666"),
    Identity("AKIAEXAMPLELOWQUOTA1", "lowquota-EXAMPLE-secret-key-0123456789ab", quota=5),
    Identity(
        "ASIAEXAMPLETEMP00001", "temporary-EXAMPLE-secret-key-012345678901", token="EXAMPLE-session-token"
    ),
)
IDENTITIES = {identity.access_key: identity for identity in EVERYBODY}


class Bucket:
    """A token bucket, full at first, that holds one second's worth."""

    def __init__(self, rate: float) -> None:
        self.rate, self.size = rate, max(1.0, rate)
        self.level, self.seen = self.size, time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self.level = min(self.size, self.level + (now - self.seen) * self.rate)
        self.seen = now
        granted = self.level >= 1
        self.level -= granted
        return granted


# --- Reading the input, by the rules of the reference page --------------------------------------------------

NAME = re.compile(r"[a-zA-Z0-9_-]+")
OBJECT_TYPE = re.compile(r"[a-zA-Z_][a-zA-Z_0-9-]*")
ROLE_ARN = re.compile(r"arn:aws:iam:.*:[0-9]+:.*")
TAG_KEY = re.compile(r"(?!aws:)[a-zA-Z+-=._:/]+")  # "+-=" is a range, as the page has it
SURROGATE = re.compile(r"[\ud800-\udfff]")


def parse(body: bytes) -> Json:
    def number(digits: str) -> float:  # int() refuses thousands of digits, JSON does not
        return int(digits) if len(digits) < 1000 else float(digits)

    try:
        value = json.loads(body.decode("utf-8"), parse_constant=bad, parse_int=number)
    except (ValueError, RecursionError):
        bad("the body is not readable as JSON")
    if not isinstance(value, dict):
        bad("the body must be a JSON object")
    return value


def check(name: str, value: object, high: int, pattern: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or SURROGATE.search(value):
        bad(f"{name} must be a string")
    if len(value) > high:
        bad(f"{name} must not be longer than {high}")
    if pattern and not pattern.fullmatch(value):
        bad(f"{name} must match {pattern.pattern}")
    return value


def text_of(body: Json, member: str, high: int, pattern: re.Pattern[str]) -> str | None:
    return None if body.get(member) is None else check(member, body[member], high, pattern)


def uri_of(body: Json) -> str:
    if body.get("Uri") is None:
        bad("Uri is required")
    return check("Uri", body["Uri"], 255) or bad("Uri must not be empty")


def map_of(body: Json, member: str, keys: re.Pattern[str] | None, key_high: int, high: int) -> dict[str, str]:
    value = {} if body.get(member) is None else body[member]
    if not isinstance(value, dict):
        bad(f"{member} must be an object")
    for key, item in value.items():
        check(f"a key of {member}", key, key_high, keys) or bad(f"{member} has an empty key")
        check(f"{member}.{key}", item, high, OBJECT_TYPE if member != "Tags" else None)
    return value


def tags_of(body: Json) -> dict[str, str]:
    tags = map_of(body, "Tags", TAG_KEY, 128, 256)
    return tags if len(tags) <= 50 else bad("Tags may have 50 entries")


# --- State, and the operations on it ------------------------------------------------------------------------

INTEGRATIONS_PER_DOMAIN = 50
GONE = {"Message": "It is gone.", "ResourceVersion": 7}


@dataclass
class Domain:
    members: Json
    integrations: dict[str, Json] = field(default_factory=dict)


def shown(members: Json) -> Json:
    whole = {member: int(members[member]) for member in ("CreatedAt", "LastUpdatedAt")}
    return {"ResourceVersion": 7, **members, **whole}


@dataclass
class Call:
    """One authenticated request, and the checks every operation makes in its own order."""

    identity: Identity
    granted: bool  # by the token bucket; a throttled call still learns what else is wrong with it
    domains: dict[str, Domain]
    name: str
    query: str
    raw_body: bytes

    def body(self) -> Json:
        body = parse(self.raw_body)
        self.valid_name()
        return body

    def valid_name(self) -> None:
        check("DomainName", self.name, 64, NAME)

    def authorize(self) -> None:
        if not self.identity.allowed:
            refuse(403, "AccessDeniedException", "Access denied.", "User is not authorized to do this.")

    def domain(self) -> Domain:
        return self.domains.get(self.name) or absent(f"domain {self.name}")

    def admit(self) -> None:
        if not self.granted:
            refuse(429, "ThrottlingException", "Rate exceeded", "Too many requests, slow down.")

    def page(self, things: Iterable[Json]) -> Json:
        asked = {name: values[-1] for name, values in parse_qs(self.query).items()}
        size, start = asked.get("max-results", "100000"), asked.get("next-token", "0")
        if not (re.fullmatch("[0-9]{1,6}", size) and re.fullmatch("[0-9]{1,9}", start)):
            bad("max-results and next-token must come from here")
        self.admit()
        listed, end = list(things), int(start) + (int(size) or bad("max-results must not be 0"))
        token = str(end) if end < len(listed) else None
        return {"Items": [shown(one) for one in listed[int(start) : end]], "NextToken": token}


def get_integration(call: Call) -> Json:
    uri = uri_of(call.body())
    call.authorize()
    found = call.domain().integrations.get(uri) or absent(f"integration {uri}")
    call.admit()
    return shown(found)


def put_integration(call: Call) -> Json:
    body = call.body()
    uri, flow, names = uri_of(body), body.get("FlowDefinition"), body.get("EventTriggerNames")
    if flow is not None and not (isinstance(flow, dict) and flow.get("FlowName")):
        bad("FlowDefinition must be an object with a FlowName")
    names = [] if names is None else names
    if not isinstance(names, list) or len(names) > 1:
        bad("EventTriggerNames takes one item")
    if body.get("Scope") not in (None, "PROFILE", "DOMAIN"):
        bad("Scope is PROFILE or DOMAIN")
    now = time.time()
    new = {
        "DomainName": call.name,
        "Uri": uri,
        "CreatedAt": now,
        "LastUpdatedAt": now,
        "ObjectTypeName": text_of(body, "ObjectTypeName", 255, OBJECT_TYPE),
        "ObjectTypeNames": map_of(body, "ObjectTypeNames", None, 255, 255) or None,
        "RoleArn": text_of(body, "RoleArn", 512, ROLE_ARN),
        "Scope": body.get("Scope"),
        "Tags": tags_of(body),
        "EventTriggerNames": [check("EventTriggerNames", name, 64, NAME) for name in names],
        "WorkflowId": None if flow is None else uuid.uuid4().hex,
        "IsUnstructured": body.get("ObjectTypeName") == "_unstructured",
    }
    call.authorize()
    integrations = call.domain().integrations
    old = integrations.get(uri)
    if old is None and len(integrations) >= INTEGRATIONS_PER_DOMAIN:
        bad(f"a domain holds {INTEGRATIONS_PER_DOMAIN} integrations")
    call.admit()
    if old is not None:
        new |= {"CreatedAt": old["CreatedAt"], "LastUpdatedAt": max(now, old["LastUpdatedAt"])}
    integrations[uri] = new
    return shown(new)


def delete_integration(call: Call) -> Json:
    found = get_integration(call)
    del call.domain().integrations[found["Uri"]]
    return GONE


def list_integrations(call: Call) -> Json:
    call.valid_name()
    call.authorize()
    return call.page(call.domain().integrations.values())


def create_domain(call: Call) -> Json:
    body = call.body()
    days, tags, now = body.get("DefaultExpirationDays"), tags_of(body), time.time()
    if type(days) is not int or not 1 <= days <= 1098:
        bad("DefaultExpirationDays must be an integer from 1 to 1098")
    call.authorize()
    if call.name in call.domains:
        bad(f"domain {call.name} exists already")
    call.admit()
    members = {"DomainName": call.name, "DefaultExpirationDays": days, "Tags": tags}
    call.domains[call.name] = Domain({**members, "CreatedAt": now, "LastUpdatedAt": now})
    return get_domain(call)


def get_domain(call: Call) -> Json:
    call.valid_name()
    call.authorize()
    found = call.domain()
    call.admit()
    return shown(found.members)


def delete_domain(call: Call) -> Json:
    get_domain(call)
    del call.domains[call.name]
    return GONE


def list_domains(call: Call) -> Json:
    call.authorize()
    return call.page(domain.members for domain in call.domains.values())


Operation = Callable[[Call], Json]
ROUTES: dict[tuple[str, ...], dict[str, Operation]] = {
    (): {"GET": list_domains},
    ("*",): {"POST": create_domain, "GET": get_domain, "DELETE": delete_domain},
    ("*", "integrations"): {"POST": get_integration, "PUT": put_integration, "GET": list_integrations},
    ("*", "integrations", "delete"): {"POST": delete_integration},
}


def route(method: str, path: str) -> tuple[Operation, str]:
    segments = [unquote(segment) for segment in path.split("/")]
    unseen = any(part in ("", ".", "..") or "/" in part for part in segments[1:])
    operations = None
    if not unseen and segments[:2] == ["", "domains"]:
        operations = ROUTES.get((*("*" for _ in segments[2:3]), *segments[3:]))
    if operations is None:
        gateway(404, "UnknownOperationException", "Not Found", "Unable to determine the operation.")
    if method not in operations:  # as API Gateway answers a method that it has no route for
        gateway(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
    return operations[method], "".join(segments[2:3])
