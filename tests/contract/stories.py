"""The model of the stories that Hypothesis makes up, and what each reading has to agree with.

A story writes and reads in any order, in domains of its own; domains and Uris are near misses of each other.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.exchange import Exchange
from getintegration_contract.identity import Identity
from getintegration_contract.state.workspace import Workspace
from getintegration_contract.text import shown

from .narrator import (
    DOMAINS,
    URIS,
    VERSIONS,
    BrokenError,
    BrokenStory,
    KnownError,
    Narrator,
    Record,
    RefusedError,
    without_moves,
)

Place = tuple[int, str, str]


class Story(RuleBasedStateMachine):
    """One story, in domains of its own."""

    def __init__(self, narrator: Narrator) -> None:
        super().__init__()
        self.narrator = narrator
        narrator.number += 1
        self.steps: list[str] = []
        self.domains: dict[tuple[int, str], dict[str, Record]] = {}
        self.gone: dict[Place, str] = {}
        self.unsure: set[tuple[int, str]] = set()
        self.seen: list[Place] = []
        self.writes = 0

    # --- The rules ------------------------------------------------------------------------------------------

    @rule(
        account=st.sampled_from((0, 0, 0, 1)),
        domain=st.sampled_from(DOMAINS),
        uri=st.sampled_from(tuple(URIS)),
        version=st.sampled_from(range(len(VERSIONS))),
    )
    def put(self, account: int, domain: str, uri: str, version: int) -> None:
        """Make an integration, and its domain if need be; or update it."""
        account = min(account, len(self.narrator.accounts) - 1)
        if (account, domain) not in self.domains:
            self._create(account, domain)
        self._put(account, domain, uri, version)

    @precondition(lambda self: self._integrations())
    @rule(pick=st.sampled_from(range(4)), version=st.sampled_from(range(len(VERSIONS))))
    def update(self, pick: int, version: int) -> None:
        """Update an integration that there is."""
        places = self._integrations()
        self._put(*places[pick % len(places)], version)

    @precondition(lambda self: self._gone())
    @rule(pick=st.sampled_from(range(4)), version=st.sampled_from(range(len(VERSIONS))))
    def make_again(self, pick: int, version: int) -> None:
        """Make an integration that was deleted before."""
        places = self._gone()
        account, domain, uri = places[pick % len(places)]
        if (account, domain) not in self.domains:
            self._create(account, domain)
        self._put(account, domain, uri, version)

    @precondition(lambda self: self._integrations())
    @rule(pick=st.sampled_from(range(4)))
    def delete(self, pick: int) -> None:
        """Delete an integration that there is."""
        places = self._integrations()
        place = account, domain, uri = places[pick % len(places)]

        def write(workspace: Workspace, identity: Identity) -> None:
            workspace.delete(self._name(domain), URIS[uri], identity)
            del self.domains[account, domain][uri]
            self.gone[place] = "state.deleted"

        if self._write(f"delete {uri} from {domain}", place, write):
            self._look_round(place)

    @precondition(lambda self: self.domains)
    @rule(pick=st.sampled_from(range(3)))
    def drop(self, pick: int) -> None:
        """Delete a domain with its integrations."""
        places = list(self.domains)
        account, domain = places[pick % len(places)]
        lost = [(account, domain, uri) for uri in self.domains[account, domain]]
        lost += [place for place in self.gone if place[:2] == (account, domain)]

        def write(workspace: Workspace, identity: Identity) -> None:
            workspace.drop(self._name(domain), identity)
            del self.domains[account, domain]
            self.gone |= dict.fromkeys(lost, "state.deleted-domain")

        if self._write(f"delete domain {domain}", (account, domain, ""), write):
            self._look_round((lost or [(account, domain, "A")])[0])

    @precondition(lambda self: self.domains)
    @rule(
        account=st.sampled_from((0, 0, 0, 1)),
        domain=st.sampled_from(DOMAINS),
        uri=st.sampled_from(tuple(URIS)),
    )
    def get(self, account: int, domain: str, uri: str) -> None:
        """Read anything, there or not."""
        self._look((min(account, len(self.narrator.accounts) - 1), domain, uri))

    @precondition(lambda self: self.domains)
    @rule(pick=st.sampled_from(range(3)))
    def list_domain(self, pick: int) -> None:
        """List a domain, which changes nothing."""
        if self.narrator.is_over():
            return
        places = [*self.domains]
        account, domain = places[pick % len(places)]
        self._say(f"list domain {domain}", account)
        self.narrator.workspace.list(self._name(domain), self.narrator.accounts[account])

    def teardown(self) -> None:
        """Leave nothing behind."""
        if self.narrator.stop is None:
            self.narrator.workspace.clear()

    # --- Writing --------------------------------------------------------------------------------------------

    def _create(self, account: int, domain: str) -> None:
        def write(workspace: Workspace, identity: Identity) -> None:
            workspace.create(self._name(domain), identity)
            self.domains[account, domain] = {}

        self._write(f"create domain {domain}", (account, domain, ""), write)

    def _put(self, account: int, domain: str, uri: str, version: int) -> None:
        records = self.domains.get((account, domain))
        if records is None:
            return
        members = self.narrator.versions[version]
        place = (account, domain, uri)

        def write(workspace: Workspace, identity: Identity) -> None:
            old = records.get(uri)
            if old is not None:
                due = workspace.update(self._name(domain), URIS[uri], members, identity)
                records[uri] = Record(due, "update", old.created, old.updated)
            else:
                workspace.put(self._name(domain), URIS[uri], members, identity)
                records[uri] = Record(members, "again" if place in self.gone else "new")

        if self._write(f"put {uri} in {domain} with members {version + 1}", place, write):
            self._look_round(place)

    def _write(self, step: str, place: Place, write: Callable[[Workspace, Identity], None]) -> bool:
        """Write, unless all is over or the target is unclear there; whether it was done."""
        narrator, (account, domain, _) = self.narrator, place
        if narrator.is_over() or (account, domain) in self.unsure:
            return False
        self._say(step, account)
        try:
            write(narrator.workspace, narrator.accounts[account])
        except RefusedError as refused:
            narrator.refusal = str(refused)
            self.steps.pop()
            self._doubt(account, domain)
            return False
        except EnvironmentFault as error:
            narrator.stop = error
            return False
        self.writes += 1
        return True

    # --- Reading, and what is due ---------------------------------------------------------------------------

    def _look_round(self, place: Place) -> None:
        """Read what was written, and others that must not have changed."""
        self._look(place)
        others = [other for other in self.seen if other != place]
        if self.narrator.depth.look_at_all:
            for other in others:
                self._look(other)
        elif others:
            self._look(others[len(self.steps) % len(others)])
        account, domain, uri = place
        if not others or self.narrator.depth.look_at_all:
            names = [*URIS]
            self._look((account, domain, names[(names.index(uri) + 1) % len(names)]))

    def _look(self, place: Place) -> None:
        narrator, (account, domain, uri) = self.narrator, place
        if narrator.is_over() or (account, domain) in self.unsure:
            return
        if place not in self.seen:
            self.seen.append(place)
        self._say(f"get {uri} from {domain}", account)
        try:
            exchange = self._read(place)
        except EnvironmentFault as error:
            narrator.stop = error
            return
        record = self.domains.get((account, domain), {}).get(uri)
        try:
            if record is None:
                self._due_absent(place, exchange)
            else:
                self._due(place, record, exchange)
        except KnownError:
            self._doubt(account, domain)

    def _read(self, place: Place) -> Exchange:
        account, domain, uri = place
        return self.narrator.workspace.read(self._name(domain), URIS[uri], self.narrator.accounts[account])

    def _due_absent(self, place: Place, exchange: Exchange) -> None:
        check, status = self.narrator.check, exchange.response.status
        clause = self.gone.get(place, "access.other-account" if place[0] else "state.update.isolated")
        lawful = (403, 404) if place[0] else (404,)
        error_type = exchange.response.error_type
        if status not in lawful and error_type != "ResourceNotFoundException":
            due = " or ".join(map(str, lawful))
            self._broken(clause, due, f"{status} {error_type or ''}".strip(), exchange)
        if place[0]:
            check.denied(exchange, clause)
        else:
            check.not_found(exchange, clause)

    def _due(self, place: Place, record: Record, exchange: Exchange) -> None:
        check, status = self.narrator.check, exchange.response.status
        fresh = record.document is None
        events = {"new": "state.put-get.Uri", "update": "state.update.visible", "again": "state.recreated"}
        quiet = "state.read-only" if record.read_at == self.writes else "state.update.isolated"
        clause = events[record.event] if fresh else quiet
        if status != 200:
            self._broken(clause, "200", f"{status} {exchange.response.error_type or ''}".strip(), exchange)
        check.ok(exchange, clause, domain=self._name(place[1]), uri=URIS[place[2]])
        read = check.members(exchange)
        record.read_at = self.writes
        if not fresh:
            if read != record.document and read != check.members(self._read(place)):
                clause = "state.read-only"  # no two readings agree, whatever was written between them
            before, read = without_moves(record.document or {}, read)
            self._same(clause, before, read, exchange)
            return
        for name, value in record.members.items():
            of_member = f"state.put-get.{name}" if record.event == "new" else clause
            self._same(of_member, {name: value}, {name: read.get(name)}, exchange)
        created, updated = read.get("CreatedAt"), read.get("LastUpdatedAt")
        if record.event == "update":
            self._same(
                "state.CreatedAt.stable", {"CreatedAt": record.created}, {"CreatedAt": created}, exchange
            )
            if isinstance(updated, int | float) and isinstance(record.updated, int | float):
                if updated < record.updated:
                    due = f"LastUpdatedAt not before {record.updated}"
                    self._broken("state.LastUpdatedAt.moves", due, str(updated), exchange)
                check.that("state.LastUpdatedAt.moves", True, "", "")
        record.document, record.created, record.updated = read, created, updated

    def _same(self, clause: str, due: dict[str, Any], read: dict[str, Any], exchange: Exchange) -> None:
        differing = sorted(name for name in due.keys() | read.keys() if due.get(name) != read.get(name))
        if differing:
            name = differing[0]
            self._broken(clause, f"{name} {shown(due.get(name))}", shown(read.get(name)), exchange)
        self.narrator.check.that(clause, True, "", "")

    def _broken(self, clause: str, expected: str, actual: str, exchange: Exchange) -> NoReturn:
        self.narrator.broken.append(BrokenStory(tuple(self.steps), clause, expected, actual, exchange))
        raise KnownError if clause in self.narrator.known else BrokenError

    def _doubt(self, account: int, domain: str) -> None:
        """Leave a domain alone from now on: nobody knows what is due there."""
        self.unsure.add((account, domain))
        self.domains.pop((account, domain), None)

    # --- Names ----------------------------------------------------------------------------------------------

    def _name(self, domain: str) -> str:
        return f"{self.narrator.name}-{self.narrator.number}-{domain}"

    def _integrations(self) -> list[Place]:
        return [(*place, uri) for place, records in self.domains.items() for uri in records]

    def _gone(self) -> list[Place]:
        return [place for place in self.gone if place[2] not in self.domains.get(place[:2], {})]

    def _say(self, step: str, account: int) -> None:
        self.steps.append(f"{step} as the other account" if account else step)
