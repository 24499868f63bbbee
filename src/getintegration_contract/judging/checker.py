"""How scenarios judge exchanges, in the words of the contract.

Checks are soft: a test goes on after a violation and fails at its end.
"""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from getintegration_contract.exchange import Exchange
from getintegration_contract.judging.heads import head_checks
from getintegration_contract.judging.judge import (
    CLIENT_ERROR,
    DENIED,
    INVALID,
    NOT_FOUND,
    OK,
    UNAUTHENTICATED,
    Allowed,
    Check,
    Expectation,
    Judge,
)
from getintegration_contract.judging.ledger import Entry, Finding
from getintegration_contract.redact import SHOWN, Redactor
from getintegration_contract.text import shorten, shown

#: Characters that a finding keeps of what was expected and of what came.
_LONGEST = 1_000


class ContractViolation(AssertionError):
    """The target broke clauses that gate it."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(f"{f.clause}: expected {f.expected}; got {f.actual}" for f in findings))
        self.findings = findings


@dataclass
class Checker:
    """Judges exchanges for the test under way.

    Attributes:
        entry: Where the checks of the test are gathered.
        redactor: Keeps secrets out of findings.
        gates: Whether a violation of a clause fails the test.
        clauses: The clauses that the test is tied to.
    """

    judge: Judge
    entry: Entry
    redactor: Redactor
    gates: Callable[[str], bool]
    clauses: tuple[str, ...] = ()

    def expect(self, exchange: Exchange, expectation: Expectation) -> bool:
        """Judge an exchange by an expectation; whether no MUST that gates is violated."""
        checks = self.judge.judge(exchange, expectation)
        answered = exchange.response.status != 0
        checks.append(Check("transport.answers", answered, "a complete answer", exchange.response.reason))
        checks += head_checks(exchange.response)
        return self._record(checks, exchange)

    def throttled(self, exchange: Exchange) -> None:
        """Throttling MUST come with its status, also where a repeat passes it."""
        self._record(list(self.judge.status(exchange.response)), exchange)

    def ok(
        self,
        exchange: Exchange,
        clause: str = "response.status",
        *,
        domain: str | None = None,
        uri: str | None = None,
    ) -> bool:
        """The integration MUST be found, and be the one that was asked for."""
        return self.expect(exchange, Expectation(clause, (OK,), domain, uri))

    def valid(self, exchange: Exchange, clause: str, *, domain: str | None, uri: str | None) -> bool:
        """The request MUST be understood: found if it exists, else not found."""
        return self.expect(exchange, Expectation(clause, (OK, NOT_FOUND), domain, uri))

    def not_found(self, exchange: Exchange, clause: str) -> bool:
        """The integration MUST NOT exist: 404 ResourceNotFoundException."""
        return self.expect(exchange, Expectation(clause, (NOT_FOUND,)))

    def invalid(self, exchange: Exchange, clause: str, answer: Allowed = INVALID) -> bool:
        """The input MUST be rejected: 400 BadRequestException, or as the given answer says."""
        return self.expect(exchange, Expectation(clause, (answer,)))

    def denied(self, exchange: Exchange, clause: str) -> bool:
        """Access MUST be denied, or the integration hidden, as the reference page allows."""
        return self.expect(exchange, Expectation(clause, (DENIED, NOT_FOUND)))

    def one_of_readings(self, exchange: Exchange, clause: str, readings: Collection[str]) -> bool:
        """The request MUST be rejected, or be answered as one of its readings asks for."""
        # Whoever limits the size of requests answers in a form of its own.
        shape = "none" if exchange.response.status == 413 else "service"
        lawful = (OK, NOT_FOUND, CLIENT_ERROR) if readings else (CLIENT_ERROR,)
        answered = self.expect(exchange, Expectation(clause, lawful, shape=shape))
        if exchange.response.status != 200:
            return answered
        echo = exchange.response.members.get("Uri")
        due = " or ".join(map(shown, readings)) or "a rejection"
        return self.that(clause, echo in readings, due, shown(echo), exchange) and answered

    def no_route(self, exchange: Exchange, clause: str) -> bool:
        """A 4xx MUST follow; the form of the answer is checked under ``CLAUSE.form``."""
        rejected = self.expect(exchange, Expectation(clause, (CLIENT_ERROR,), shape="none"))
        if rejected and exchange.response.status:
            faults = [check.actual for check in self.judge.error_form(exchange.response) if not check.ok]
            self.that(f"{clause}.form", not faults, "a JSON error with a type", "; ".join(faults), exchange)
        return rejected

    def unauthenticated(
        self, exchange: Exchange, clause: str, *types: str, lawful: tuple[Allowed, ...] = (UNAUTHENTICATED,)
    ) -> bool:
        """The signature MUST be rejected; its 403 and the types are checked under ``CLAUSE.type``."""
        rejected = self.expect(exchange, Expectation(clause, lawful))
        if rejected and types:
            status, error_type = exchange.response.status, exchange.response.error_type
            also = {400} if error_type == "RequestExpired" else set()  # as Common Errors has it
            ok = status in {403} | also and error_type in types
            due = f"403 {' or '.join(types)}"
            self.that(f"{clause}.type", ok, due, f"{status} {error_type}", exchange)
        return rejected

    def that(
        self,
        clause: str,
        ok: bool,
        expected: str,
        actual: str,
        exchange: Exchange | None = None,
        *,
        size: int | None = None,
    ) -> bool:
        """Check a clause that no single answer decides; the example of the smallest size is kept."""
        return self._record([Check(clause, ok, expected, actual)], exchange, size)

    def same_answer(
        self, clause: str, due: Exchange, exchange: Exchange, members: Collection[str] | None = None
    ) -> bool:
        """The answer MUST be the same as another: in its status, and in its members, or in those given."""
        before, now = (self._content(answer, members) for answer in (due, exchange))
        return self.that(clause, before == now, f"the same answer as before: {before}", now, exchange)

    def _content(self, exchange: Exchange, members: Collection[str] | None) -> str:
        """An answer's status, and the integration in it if there is one."""
        if exchange.response.status != 200:
            return str(exchange.response.status)
        found = self.members(exchange).items()
        kept = {name: value for name, value in found if members is None or name in members}
        return f"200 {json.dumps(kept, sort_keys=True, ensure_ascii=False)}"  # no order is promised

    def same_members(self, clause: str, due: dict[str, Any], exchange: Exchange) -> None:
        """Every member MUST be as given; an empty container is an absent one."""
        read = self.members(exchange)
        for name, value in due.items():
            got = read.get(name, type(value)())
            actual = shown(got) if name in read else "absent or empty"
            self.that(clause, got == value, f"{name} as it was put: {shown(value)}", actual, exchange)

    def unique(self, clause: str, header: str, exchanges: Iterable[Exchange]) -> None:
        """No two answers may have the same value of a header."""
        seen: set[str] = set()
        for exchange in exchanges:
            if value := exchange.response.header(header):
                self.that(clause, value not in seen, f"another {header}", f"{value} again", exchange)
                seen.add(value)

    def at_most(self, clause: str, limit: float, share: float, what: str, exchange: Exchange | None) -> bool:
        """A share of something MUST NOT be above a limit."""
        return self.that(clause, share <= limit, f"{what}: at most {limit:.0%}", f"{share:.0%}", exchange)

    def members(self, exchange: Exchange) -> dict[str, Any]:
        """The members of an answer that the contract knows; null or an empty container is an absent one."""
        known, members = self.judge.contract.members, exchange.response.members.items()
        return {name: value for name, value in members if name in known and value not in (None, {}, [])}

    def not_exercised(self, reason: str, *clauses: str) -> None:
        """Say why clauses, by default the test's own, cannot be checked here."""
        for clause in clauses or self.clauses:
            self.entry.not_exercised.setdefault(clause, reason)

    def raise_if_violated(self) -> None:
        """Fail if a violated clause gates.

        Raises:
            ContractViolation: With all findings of this test that gate.
        """
        gating = [finding for finding in self.entry.findings.values() if self.gates(finding.clause)]
        if gating:
            raise ContractViolation(gating)

    def _record(self, checks: list[Check], exchange: Exchange | None, size: int | None = None) -> bool:
        held = True
        redacted = None
        if size is None:
            faults = len([check for check in checks if not check.ok])
            size = exchange.size + 20_000 * (faults - 1) if exchange and faults else 0  # one fault is best
        for check in checks:
            if not check.ok:
                if redacted is None and exchange is not None:
                    redacted = self.redactor.exchange(exchange.to_dict(), SHOWN)
                check = check._replace(expected=self._short(check.expected), actual=self._short(check.actual))
                is_must = self.judge.contract.clauses[check.clause].level == "MUST"
                held = held and not (is_must and self.gates(check.clause))
            self.entry.record(check, redacted, size)
        return held

    def _short(self, text: str) -> str:
        """The text of a finding: redacted, then shortened to what can be read."""
        return shorten(self.redactor.text(text), _LONGEST)
