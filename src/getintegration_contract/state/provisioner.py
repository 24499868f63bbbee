"""The state a run needs on its target: given, made, or discovered; what was made is removed again.

Names are the same in every run, so that a seed gives the same requests; a domain that a run under way may
be using is left alone and the next slot is taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any

from getintegration_contract.errors import EnvironmentFault, StateError
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.identity import Identity
from getintegration_contract.judging.judge import parse
from getintegration_contract.operations import (
    create_domain,
    delete_domain,
    get_domain,
    get_integration,
    list_domains,
    list_integrations,
    put_integration,
)
from getintegration_contract.sending.client import Client
from getintegration_contract.target.target import Target

#: All names of domains that a run makes begin so; a sweep removes nothing else.
PREFIX = "GetIntegrationContract-"
#: Seconds after which a domain with the prefix is the leftover of a crashed run.
LEFTOVER_AGE = 6 * 3600  # a run under way may be slow, and must not lose its domains
_SLOTS = 10
_MOST_PAGES = 20
#: Integrations, each of another domain, that a second one is chosen from.
_CANDIDATES = 5

#: A Uri with everything that careless comparison loses: both cases, a precomposed letter, an escape, a slash.
URI = "s3://Contract-Bucket/Caf\u00e9/a%20b/Object"
PLAIN_URI = "arn:aws:flow:us-east-1:123456789012:GetIntegrationContract"
OTHER_URI = "arn:aws:flow:us-east-1:123456789012:GetIntegrationContract-Other"
#: A Uri and a domain that no run makes.
UNKNOWN_URI = "s3://GetIntegrationContract-Unknown"
UNKNOWN_DOMAIN = f"{PREFIX}Unknown"

#: All optional members, each within its constraints.
MEMBERS: dict[str, Any] = {
    "ObjectTypeName": "Contract_Type-1",
    "ObjectTypeNames": {"SegmentIdentify": "Segment_Type", "ShopifyCreateOrders": "_Shopify-2"},
    "Tags": {"team": "contract", "cost:center/1": "a b\u00e9"},
    "RoleArn": "arn:aws:iam::123456789012:role/service-role/GetIntegrationContract",
    "EventTriggerNames": ["Contract_Trigger-1"],
    "Scope": "DOMAIN",
    "FlowDefinition": {
        "FlowName": "Contract-Flow",
        "KmsArn": "arn:aws:kms:us-east-1:123456789012:key/contract",
        "SourceFlowConfig": {
            "ConnectorType": "S3",
            "SourceConnectorProperties": {"S3": {"BucketName": "contract-bucket"}},
        },
        "Tasks": [],
        "TriggerConfig": {"TriggerType": "OnDemand"},
    },
}
#: Fewer and fewer members, for a target that does not take all.
_OFFERS: tuple[tuple[str, ...], ...] = (
    tuple(MEMBERS),
    ("ObjectTypeName", "ObjectTypeNames", "Tags", "RoleArn", "EventTriggerNames"),
    ("ObjectTypeName", "Tags"),
    ("ObjectTypeName",),
)

#: Members that are not on the reference page: who writes a server from it ignores them.
_RECENT = frozenset({"Scope"})


@dataclass(frozen=True)
class State:
    """What exists on the target.

    Attributes:
        origin: ``given``, ``made`` or ``discovered``.
        other_domain, other_uri: A second domain, and a Uri that only it has.
        members: The optional members that the integration was put with.
        hindrance: Why it was not made, although that was allowed.
    """

    origin: str
    domain: str
    uri: str
    other_domain: str | None = None
    other_uri: str | None = None
    members: dict[str, Any] = field(default_factory=dict)
    hindrance: str = ""

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form, as it travels to workers."""
        return dict(vars(self))

    def untaken(self, member: str) -> str:
        """Why the integration was made without an optional member; alone the target may well take it."""
        return f"the target did not take {member} with the other members"


class Provisioner:
    """Has the state of one run, and removes what it made.

    Args:
        client: Sends the requests.
        identities: The caller signs them; domains of another account are swept as well.
        say: Told, in a sentence, of everything that is made, swept or left behind.
    """

    def __init__(
        self, client: Client, identities: Mapping[str, Identity], say: Callable[[str], None]
    ) -> None:
        self._client = client
        self._caller = identities["caller"]
        self._writers = [self._caller, *filter(None, [identities.get("other-account")])]
        self._say = say
        self._made: list[str] = []

    def given(self, domain: str, uri: str) -> State:
        """Use an integration that exists already.

        Raises:
            StateError: It does not exist, or the endpoint refuses the credentials or lacks the operation.
        """
        exchange = self._send(get_integration(domain, uri))
        status, error_type = exchange.response.status, parse(exchange.response).error_type
        if status in (401, 403):
            raise StateError(f"{self._client.endpoint} lets the caller not read it: {_said(exchange)}")
        if status == 404 and error_type == "ResourceNotFoundException":
            raise StateError(
                f"the integration {uri!r} of domain {domain!r} does not exist:"
                " change --domain-name and --integration-uri"
            )
        # Without a type, 400 and 500 are how mock servers answer for a service that they do not have.
        if status in (404, 405, 501) or (status in (400, 500) and error_type is None):
            raise StateError(_not_implemented(self._client.endpoint, exchange))
        return State("given", domain, uri)

    def made(self, like: dict[str, Any] | None = None) -> State:
        """Make two domains and an integration in each, with all optional members that the target takes.

        Args:
            like: Optional members to make them with instead, if the target takes these.

        Raises:
            StateError: The target does not let them be made.
        """
        self._sweep()
        domain, other = self._domains()
        offers = [{name: MEMBERS[name] for name in names} for names in _OFFERS]
        for uri in (URI, PLAIN_URI):
            for members in offers if like is None else [like, *offers]:
                put = self._send(put_integration(domain, uri, members))
                if put.response.status // 100 == 2:
                    members = _taken(put, members)
                    put_other = self._send(put_integration(other, OTHER_URI, members))
                    has_other = put_other.response.status // 100 == 2
                    return State("made", domain, uri, other, OTHER_URI if has_other else None, members)
        exchange = self._send(put_integration(domain, PLAIN_URI, {"ObjectTypeName": "Contract_Type-1"}))
        raise StateError(f"PutIntegration answered {_said(exchange)}")

    def discovered(self) -> State:
        """Find, by reading only, an integration, and a second one in another domain.

        Raises:
            StateError: There is none, or the target does not list.
        """
        found = list(islice(self._integrations(), _CANDIDATES))
        if not found:
            raise StateError("ListDomains and ListIntegrations show no integration")
        domain, uri = found[0]
        for other_domain, other_uri in found[1:]:
            crossed = (domain, other_uri), (other_domain, uri)
            answers = [self._send(get_integration(*question)).response.status for question in crossed]
            if answers == [404, 404]:
                return State("discovered", domain, uri, other_domain, other_uri)
        return State("discovered", domain, uri)

    def _integrations(self) -> Iterator[tuple[str, str]]:
        """One integration of each domain that has any."""
        for name in self._domain_names(self._caller):
            uris = [item.get("Uri") for item in _items(self._send(list_integrations(name)))]
            yield from [(name, uri) for uri in uris if isinstance(uri, str)][:1]

    def provide(self, target: Target, members: dict[str, Any] | None = None) -> State:
        """The state that a target's description asks for: given, or else made or discovered.

        Args:
            members: Optional members that an integration is made with, rather than all that there are.

        Raises:
            StateError: It cannot be had; the message says why, and what to give instead.
        """
        if target.domain_name is not None and target.integration_uri is not None:
            return self.given(target.domain_name, target.integration_uri)
        state = self.have(allow_writes=target.allow_writes, members=members)
        if state.origin == "made":
            time.sleep(target.settling_time)
        return state

    def have(self, *, allow_writes: bool, members: dict[str, Any] | None = None) -> State:
        """Make the state if writing is allowed, else discover it.

        Raises:
            StateError: Neither works; the message says why, and what to give instead.
        """
        hindrance = ""
        reasons = []
        if allow_writes:
            try:
                return self.made(members)
            except StateError as error:
                self.remove()
                hindrance = str(error)
                reasons.append(f"it cannot be made ({error})")
        else:
            reasons.append("it may not be made (no --allow-writes)")
        try:
            return replace(self.discovered(), hindrance=hindrance)
        except StateError as error:
            reasons.append(f"it cannot be discovered ({error})")
        exchange = self._send(get_integration("GetIntegrationContract", PLAIN_URI))
        if exchange.response.status in (401, 403):
            raise StateError(f"{self._client.endpoint} refuses the caller: {_said(exchange)}")
        if not _implemented(exchange):
            raise StateError(_not_implemented(self._client.endpoint, exchange))
        raise StateError(
            f"no integration to test with: {', and '.join(reasons)};"
            " give --domain-name and --integration-uri of one that exists"
        )

    def remove(self) -> None:
        """Remove what was made, by scenarios too, whatever limit holds for requests.

        What stays is told, and swept by a later run.
        """
        if not self._made:
            return
        with self._client.cleaning_up():
            for writer in self._writers:
                self._delete_made_by_tests(f"{self._made[0]}-", writer)
            while self._made:
                self._delete(self._made[-1], self._caller)
                self._made.pop()

    def _delete_made_by_tests(self, prefix: str, writer: Identity) -> None:
        try:
            names = self._domain_names(writer)
        except (OSError, EnvironmentFault) as error:
            self._say(f"domains that tests made cannot be listed, and may stay: {error}")
            return
        for name in names:
            if name.startswith(prefix):
                self._delete(name, writer)

    def _delete(self, name: str, writer: Identity) -> None:
        try:
            exchange = self._client.send(delete_domain(name), writer)
        except (OSError, EnvironmentFault) as error:
            self._say(f"the domain {name} could not be removed: {error}")
            return
        status, error_type = exchange.response.status, parse(exchange.response).error_type
        gone = status == 404 and error_type == "ResourceNotFoundException"
        if status // 100 != 2 and not gone:
            self._say(f"the domain {name} could not be removed ({status or 'no answer'})")

    def _domains(self) -> tuple[str, str]:
        """Make the two domains of the first slot that no other run holds."""
        for slot in range(_SLOTS):
            pair = f"{PREFIX}{slot}-A", f"{PREFIX}{slot}-B"
            # It was too young to be swept if it is there.
            if not any(self._exists(name) for name in pair):
                if all(self._create(name) for name in pair):
                    return pair
                self.remove()
        raise StateError(f"all domains {PREFIX}0 to {PREFIX}{_SLOTS - 1} are in use by other runs")

    def _exists(self, name: str) -> bool:
        document = parse(self._send(get_domain(name)).response).document
        return isinstance(document, dict) and document.get("DomainName") == name

    def _create(self, name: str) -> bool:
        """Make a domain; False if another run made it in the meantime.

        Raises:
            StateError: The target does not make it.
        """
        self._made.append(name)  # before it is: an interrupt may come in between
        exchange = self._send(create_domain(name))
        status = exchange.response.status
        # Where the answer was lost, the repeat finds that the domain exists.
        if status // 100 == 2 or exchange.faults:
            return True
        if status < 500 or status == 501:  # a server that fails may have made it nevertheless
            self._made.remove(name)
            if self._exists(name):
                return False
        raise StateError(f"CreateDomain answered {_said(exchange)}")

    def _sweep(self) -> None:
        """Remove the domains that crashed runs left behind."""
        for writer in self._writers:
            for name in self._domain_names(writer):
                if not name.startswith(PREFIX):
                    continue
                exchange = self._send(get_domain(name), writer)
                document = parse(exchange.response).document
                updated = document.get("LastUpdatedAt") if isinstance(document, dict) else None
                if not isinstance(updated, int | float) or _server_time(exchange) - updated <= LEFTOVER_AGE:
                    continue
                if self._send(delete_domain(name), writer).response.status == 200:
                    self._say(f"swept the domain {name}, which a crashed run left behind")

    def _domain_names(self, identity: Identity) -> list[str]:
        names: list[str] = []
        token: object = None
        for _ in range(_MOST_PAGES):
            exchange = self._send(list_domains(token if isinstance(token, str) else None), identity)
            found = [item.get("DomainName") for item in _items(exchange)]
            names += [name for name in found if isinstance(name, str)]
            document = parse(exchange.response).document
            token = document.get("NextToken") if isinstance(document, dict) else None
            if not token or not isinstance(token, str):
                break
        return names

    def _send(self, request: Request, identity: Identity | None = None) -> Exchange:
        exchange = self._client.send(request, identity or self._caller)
        response = exchange.response
        error_type = parse(response).error_type or ""
        refused = response.status in (401, 403) and error_type != "AccessDeniedException"
        if refused and identity in (None, self._caller):
            if any(word in error_type for word in ("Signature", "Token", "Client", "Expired")):
                raise StateError(
                    f"{self._client.endpoint} refuses the credentials of the caller: {_said(exchange)}"
                )
        if response.status == 0:
            raise StateError(f"{self._client.endpoint} does not answer: {response.reason}")
        return exchange


def _items(exchange: Exchange) -> list[dict[str, Any]]:
    document = parse(exchange.response).document if exchange.response.status == 200 else None
    items = document.get("Items") if isinstance(document, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _taken(put: Exchange, members: dict[str, Any]) -> dict[str, Any]:
    """The members without those that a target may not know yet, and by its answer did not take."""
    document = parse(put.response).document
    if not isinstance(document, dict) or document.get("ObjectTypeName") is None:
        return members  # it does not say what it took
    return {
        name: value
        for name, value in members.items()
        if name not in _RECENT or document.get(name) is not None
    }


def _server_time(exchange: Exchange) -> float:
    """The server's clock, by its Date header."""
    try:
        return parsedate_to_datetime(exchange.response.header("date") or "").timestamp()
    except ValueError:
        return time.time()


def _said(exchange: Exchange) -> str:
    error_type = parse(exchange.response).error_type
    return f"{exchange.response.status} {error_type or exchange.response.reason}".strip()


def _implemented(exchange: Exchange) -> bool:
    """Whether an answer to a valid request is one that the operation could give."""
    status, error_type = exchange.response.status, parse(exchange.response).error_type
    return status == 200 or error_type in ("ResourceNotFoundException", "AccessDeniedException")


def _not_implemented(endpoint: str, exchange: Exchange) -> str:
    return (
        f"{endpoint} does not implement GetIntegration: it answered {_said(exchange)}, and neither 200"
        " nor ResourceNotFoundException"
    )
