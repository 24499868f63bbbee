"""A finding -> commands that show it again: the suite's own, curl, the AWS CLI."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from getintegration_contract.state.state import PREFIX

if TYPE_CHECKING:
    from getintegration_contract.judging.ledger import Finding
    from getintegration_contract.run import Run

_TARGET = re.compile(r"/domains/([A-Za-z0-9_-]{1,64})/integrations")
#: Headers that clients make themselves.
_OWN = re.compile(
    r"host|content-length|accept|accept-encoding|user-agent|connection|authorization|x-amz-.*", re.I
)
#: What is wrong with a signature, or with how bytes are sent, no client says.
_UNSAYABLE = re.compile(r"sigv4\.(?!missing-auth)|precedence\.signature|transport|concurrency|routing")


def own_command(run: Run, places: list[str]) -> str:
    """A command line that repeats the first of some tests; secrets stay where they are configured."""
    if not places:
        return run.settings.command
    return f"{run.settings.repeat} {shlex.quote(run.settings.root + places[0])}"


def commands(run: Run, finding: Finding) -> dict[str, Any]:
    """What repeats a test of the suite, and what asks the same with other tools where they can say it.

    Of a domain that the run made and removed there is nothing to ask.
    """
    exchange, also = finding.exchange, []
    if exchange and exchange["identity"] in (None, "caller") and not _UNSAYABLE.match(finding.clause):
        if PREFIX not in exchange["request"]["target"]:
            also = list(_others(exchange, run.target.region))
    return {"repeat": own_command(run, finding.places), "also": also}


def _others(exchange: dict[str, Any], region: str) -> Iterator[str]:
    request, signed = exchange["request"], exchange["identity"] is not None
    body, target, url = request["body"], request["target"], exchange["endpoint"] + request["target"]
    is_text = body.isprintable() and "\\x" not in body  # as bytes that are none stand there
    if not (is_text and target.isascii() and request["method"] == "POST"):
        return
    headers = [f"{name}: {value}" for name, value in request["headers"] if not _OWN.fullmatch(name)]
    if not any(header.lower().startswith("content-type:") for header in headers):
        headers.append("Content-Type:")
    sent = [word for header in headers for word in ("-H", header)]
    key = f'--aws-sigv4 aws:amz:{region}:profile --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" '
    yield f"curl --path-as-is -i {key if signed else ''}{shlex.join([*sent, '--data-raw', body, url])}"
    found = _TARGET.fullmatch(target)
    try:
        members = json.loads(body, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return
    if signed and found and isinstance(members, tuple) and [name for name, _ in members] == ["Uri"]:
        uri = members[0][1]
        if isinstance(uri, str):
            what = [f"--domain-name={found[1]}", f"--uri={uri}"]  # which may begin with a hyphen
            where = ["--endpoint-url", exchange["endpoint"], "--region", region]
            yield shlex.join(["aws", "customer-profiles", "get-integration", *what, *where])
