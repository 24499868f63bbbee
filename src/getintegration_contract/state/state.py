"""What exists on a target during a run, and the values that it is made with."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: All names of domains that a run makes begin so, in these or in small letters; nothing else is removed.
PREFIX = "GetIntegrationContract-"
#: A Uri with everything that careless comparison loses: both cases, a precomposed letter, an escape, a slash.
URI = "s3://Contract-Bucket/Caf\u00e9/a%20b/Object"
PLAIN_URI = "arn:aws:flow:us-east-1:123456789012:GetIntegrationContract"
OTHER_URI = "arn:aws:flow:us-east-1:123456789012:GetIntegrationContract-Other"
#: A Uri and a domain that no run makes.
UNKNOWN_URI = "s3://GetIntegrationContract-Unknown"
UNKNOWN_DOMAIN = f"{PREFIX}unknown".lower()

#: Members that are not on the reference page: who writes a server from it ignores them.
RECENT = frozenset({"Scope"})
#: All optional members, each within its constraints.
MEMBERS: dict[str, Any] = json.loads(Path(__file__).with_name("members.json").read_text(encoding="utf-8"))


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

    def scratch(self, label: str) -> str:
        """The name of a domain that a scenario makes: in small letters where the target takes no others."""
        name = f"{self.domain}-{label}"
        return name.lower() if self.domain.islower() else name
