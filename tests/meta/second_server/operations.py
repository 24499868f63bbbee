"""State, the operations on it, and the paths that lead to them."""

import random
import re
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from urllib.parse import parse_qs, unquote

from .faults import Fault, absent, bad, gateway
from .identities import Identity
from .input import NAME, OBJECT_TYPE, ROLE_ARN, Json, check, map_of, parse, tags_of, uri_of

INTEGRATIONS_PER_DOMAIN = 50


@dataclass
class Integration:
    """Its fields are the response's members."""

    DomainName: str
    Uri: str
    CreatedAt: float
    LastUpdatedAt: float
    ObjectTypeName: str | None = None
    ObjectTypeNames: dict[str, str] | None = None
    RoleArn: str | None = None
    Scope: str | None = None
    Tags: dict[str, str] = field(default_factory=dict)
    EventTriggerNames: list[str] = field(default_factory=list)
    WorkflowId: str | None = None
    IsUnstructured: bool = False


@dataclass
class Domain:
    DomainName: str
    DefaultExpirationDays: int
    CreatedAt: float
    LastUpdatedAt: float
    Tags: dict[str, str] = field(default_factory=dict)
    integrations: dict[str, Integration] = field(default_factory=dict)


def shown(thing: Integration | Domain) -> Json:
    answer: Json = {"ResourceVersion": 7, **asdict(thing)}
    answer.pop("integrations", None)
    for member in ("CreatedAt", "LastUpdatedAt"):
        answer[member] = int(answer[member])
    return answer


@dataclass
class Call:
    """One authenticated request, and the checks every operation makes in its own order."""

    identity: Identity
    granted: bool  # by the token bucket; a throttled call still learns what else is wrong with it
    domains: dict[str, Domain]
    region: str
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
            texts = "Access denied.", "User is not authorized to perform this action."
            raise Fault(403, "AccessDeniedException", random.choice(texts))

    def domain(self) -> Domain:
        return self.domains.get(self.name) or absent(f"domain {self.name}")

    def admit(self) -> None:
        if not self.granted:
            texts = "Rate exceeded", "Too many requests, slow down."
            raise Fault(429, "ThrottlingException", random.choice(texts))

    def page(self, things: Iterable[Integration | Domain]) -> Json:
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
    flow, names = body.get("FlowDefinition"), body.get("EventTriggerNames")
    if flow is not None:
        if not isinstance(flow, dict) or not flow.get("FlowName"):
            bad("FlowDefinition must be an object with a FlowName")
        flow_name = check("FlowName", flow["FlowName"], 256)
        account = call.identity.account
        arn = f"arn:aws:appflow:{call.region}:{account}:flow/{flow_name}"
        body["Uri"] = arn if body.get("Uri") is None else body["Uri"]
    uri, kind, role = uri_of(body), body.get("ObjectTypeName"), body.get("RoleArn")
    names = [] if names is None else names
    if not isinstance(names, list) or len(names) > 1:
        bad("EventTriggerNames takes one item")
    if body.get("Scope") not in (None, "PROFILE", "DOMAIN"):
        bad("Scope is PROFILE or DOMAIN")
    kind = None if kind is None else check("ObjectTypeName", kind, 255, OBJECT_TYPE)
    now = time.time()
    new = Integration(
        DomainName=call.name,
        Uri=uri,
        CreatedAt=now,
        LastUpdatedAt=now,
        ObjectTypeName=kind,
        ObjectTypeNames=map_of(body, "ObjectTypeNames", None, 255, 255) or None,
        RoleArn=None if role is None else check("RoleArn", role, 512, ROLE_ARN),
        Scope=body.get("Scope"),
        Tags=tags_of(body),
        EventTriggerNames=[check("EventTriggerNames", name, 64, NAME) for name in names],
        WorkflowId=None if flow is None else uuid.uuid4().hex,
        IsUnstructured=kind == "_unstructured",
    )
    call.authorize()
    integrations = call.domain().integrations
    old = integrations.get(uri)
    if old is None and len(integrations) >= INTEGRATIONS_PER_DOMAIN:
        bad(f"a domain holds {INTEGRATIONS_PER_DOMAIN} integrations")
    call.admit()
    if old is not None:
        new.CreatedAt, new.LastUpdatedAt = old.CreatedAt, max(now, old.LastUpdatedAt)
    integrations[uri] = new
    return shown(new)


def delete_integration(call: Call) -> Json:
    uri = uri_of(call.body())
    call.authorize()
    integrations = call.domain().integrations
    if uri not in integrations:
        absent(f"integration {uri}")
    call.admit()
    del integrations[uri]
    return {"Message": "The integration is gone.", "ResourceVersion": 7}


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
    call.domains[call.name] = Domain(call.name, days, now, now, tags)
    return shown(call.domains[call.name])


def get_domain(call: Call) -> Json:
    call.valid_name()
    call.authorize()
    found = call.domain()
    call.admit()
    return shown(found)


def delete_domain(call: Call) -> Json:
    get_domain(call)
    del call.domains[call.name]
    return {"Message": "The domain is gone.", "ResourceVersion": 7}


def list_domains(call: Call) -> Json:
    call.authorize()
    return call.page(call.domains.values())


Operation = Callable[[Call], Json]
ROUTES: dict[tuple[str, ...], dict[str, Operation]] = {
    (): {"GET": list_domains},
    ("*",): {"POST": create_domain, "GET": get_domain, "DELETE": delete_domain},
    ("*", "integrations"): {
        "POST": get_integration,
        "PUT": put_integration,
        "GET": list_integrations,
    },
    ("*", "integrations", "delete"): {"POST": delete_integration},
}


def route(method: str, path: str) -> tuple[Operation, str]:
    segments = [unquote(segment) for segment in path.split("/")]
    unseen = any(part in ("", ".", "..") or "/" in part for part in segments[1:])
    operations = None
    if not unseen and segments[:2] == ["", "domains"]:
        operations = ROUTES.get((*("*" for _ in segments[2:3]), *segments[3:]))
    if operations is None:
        texts = "Not Found", "Unable to determine the operation to be called."
        gateway(404, "UnknownOperationException", *texts)
    if method not in operations:  # as API Gateway answers a method that it has no route for
        gateway(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
    return operations[method], "".join(segments[2:3])
