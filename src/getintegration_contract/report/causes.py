"""Which violated clause explains which, and how to mend it: what the description says under its ``x-`` keys.

A violation that rests on another one is its consequence, if both were seen in answers of the same kind: a
200 where 404 is due does not follow from a 500 where 200 is.
"""

import fnmatch
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any

from getintegration_contract.contract import Contract

Findings = list[dict[str, Any]]


class Causes:
    """What clauses of a contract rest on, and how each is mended.

    Args:
        contract: Its description has ``x-presupposes`` (patterns of ids -> patterns), ``x-mend`` (patterns ->
            a sentence) and ``x-hints`` (what it means if most of some clauses are violated). Of several
            patterns the first one counts; ``{name}`` stands for the last part of an id.
    """

    def __init__(self, contract: Contract) -> None:
        self._document = contract.document
        self._clauses = contract.clauses
        derived = (*contract.response_clauses, *contract.error_clauses)
        self._members = {member.clause.id for member in derived}
        self.basis = cache(self._basis)

    def mend(self, clause: str) -> str:
        """How a server that violates the clause is mended."""
        found: str = _first(self._document.get("x-mend", {}), clause, "")
        return found.replace("{name}", clause.rpartition(".")[2])

    def _basis(self, clause: str) -> frozenset[str]:
        """All that a clause presupposes, and what that does."""
        direct = set(self._presupposed(clause)) - {clause}
        return frozenset(direct.union(*map(self.basis, direct)))

    def _presupposed(self, clause: str) -> Iterator[str]:
        name = clause.rpartition(".")[2]
        for pattern in _first(self._document.get("x-presupposes", {}), clause, ()):
            yield from fnmatch.filter(self._clauses, pattern.replace("{name}", name))
        side, *steps = clause.split(".")
        above = []
        if clause in self._members:
            above = [f"{side}.body.json", f"{side}.body.type"]
            above += [".".join([side, *steps[:length], "type"]) for length in range(1, len(steps))]
        elif name == "type":
            above.append(clause.removesuffix(".type"))  # that it is rejected comes before how
        yield from (known for known in above if known in self._clauses and known != clause)

    def explain(
        self, findings: Findings, checks: Mapping[str, int], waived: Collection[str] = ()
    ) -> Findings:
        """Say of each finding what it follows, and put causes first, each with its consequences behind it.

        What is waived neither causes nor follows anything.
        """
        order, found = list(self._clauses), {finding["clause"] for finding in findings}
        place = {clause: (len(self.basis(clause)), order.index(clause)) for clause in found}
        findings = sorted(findings, key=lambda finding: place[finding["clause"]])
        for number, finding in enumerate(findings):
            basis = set() if finding["clause"] in waived else self.basis(finding["clause"]) - set(waived)
            causes = [f for f in findings[:number] if f["clause"] in basis and _can_cause(f, finding)]
            # What was seen in the same answer explains best, then what is nearest to the clause.
            nearest = max(
                causes,
                key=lambda f: (f["exchange"] == finding["exchange"], place[f["clause"]]),
                default=None,
            )
            finding["follows"] = nearest and (nearest["follows"] or nearest["clause"])
            finding["hint"], finding["mend"] = "", self.mend(finding["clause"])
        for hint in self._document.get("x-hints", ()):
            self._hint(hint, findings, checks)
        size = {f["clause"]: sum(other["follows"] == f["clause"] for other in findings) for f in findings}
        causes = [finding for finding in findings if finding["follows"] is None]
        causes.sort(key=lambda f: (not f["gating"], place[f["clause"]][0], -size[f["clause"]], -f["count"]))
        return [f for cause in causes for f in findings if cause["clause"] in (f["clause"], f["follows"])]

    def _hint(self, hint: Mapping[str, Any], findings: Findings, checks: Mapping[str, int]) -> None:
        """If four of five clauses of a hint are violated, they are one finding."""
        ids = fnmatch.filter(self._clauses, hint["clauses"])
        ids = [name for name in ids if hint.get("saying", "") in self._clauses[name].text and checks[name]]
        members = [finding for finding in findings if finding["clause"] in ids]
        if "answered" in hint:
            members = [finding for finding in members if _kinds(finding) & {*hint["answered"]}]
            ids = members
        roots = [f["clause"] for f in members if f["follows"] is None and f["gating"]]
        if len(members) < max(0.8 * len(ids), 3) or not roots:
            return
        for finding in findings:
            if finding["clause"] == roots[0]:
                finding["hint"] = hint["hint"]
            elif finding["clause"] in roots or finding["follows"] in roots:
                finding["follows"] = roots[0]


def _first(patterns: Mapping[str, Any], clause: str, default: Any) -> Any:
    return next((value for key, value in patterns.items() if fnmatch.fnmatchcase(clause, key)), default)


def _kinds(*findings: dict[str, Any]) -> set[int]:
    """The classes of the answers that show findings."""
    return {f["exchange"]["response"]["status"] // 100 for f in findings if f["exchange"]}


def _can_cause(cause: dict[str, Any], finding: dict[str, Any]) -> bool:
    """Whether one finding may explain another: as grave, and seen in an answer of the same class."""
    return cause["gating"] >= finding["gating"] and len(_kinds(cause, finding)) <= 1
