"""All mutants, all lawful variants, and faults that nobody outside can tell from a lawful server."""

from importlib import import_module

from .kit import Mutant


def _of(modules: str) -> tuple[Mutant, ...]:
    """The mutants of these modules, in this order."""
    found = (import_module(f"{__package__}.{name}") for name in modules.split())
    return tuple(mutant for module in found for mutant in module.THEME.mutants)


#: Every mutant, in a stable order.
MUTANTS = _of(
    "uris names bodies members lookup errors signatures credentials access throttling precedence state stale"
    " concurrency transport connections habits sdks escaped unnoticed official"
)

#: Servers that differ from the base only where the contract leaves the choice: none of them may fail.
LAWFUL = _of("lawful_forms lawful_choices lawful_targets lawful_alarms lawful_smithy")

#: Broken servers that nobody outside can tell from a lawful one, each with the reason.
UNCATCHABLE: dict[str, str] = {
    "a secret back door": "a header or key that opens everything is known to its author only",
    "500 with a wrong type": "a 5xx violates the clause of its request, whatever its type",
    "a connection reset by a large body": "RFC 9110 lets a server close it early, and the answer is lost",
    "chunked bodies ignored, answered 400": "the contract lets a server reject a chunked body with any 4xx",
    "an update merges absent members": "no source says whether a put replaces or merges what it leaves out",
    "CreatedAt of a recreated integration is the old one": (
        "whole seconds are lawful, and a run that makes an integration twice does so within one"
    ),
    "an access decision kept for hours": "a run cannot change permissions, so it cannot see a stale one",
    "throttling of an account by another's requests": "needs a second account with a quota of its own",
    "upper-case signatures accepted": "no source says whether the case of hexadecimal digits counts",
    "UNSIGNED-PAYLOAD accepted": "lawful for some services, and no source says that this is not one of them",
    "the hash of an empty body not verified": "an empty body is rejected with 400 anyhow, as bad input",
    "HTML for whoever accepts HTML alone": "HTTP lets a server negotiate, and no client of this API does",
    "a method that a header overrides": "the suite sends no such header: on a real account it might write",
    "one event trigger for one integration": "no source says whether two integrations may share one",
    "a replayed request accepted": "SigV4 lets a request be sent again within its five minutes",
    "wrong after a million requests": "a run sends some hundred",
    "wrong once in a thousand, at random": "a lawful server may fail once, and is asked again",
    "unknown members of a request rejected": "that they are ignored is observed on other services only",
    "no x-amzn-RequestId, or one for all": "observed on other services only",
    "a path with a slash at the end is served": "gateways may normalise a path before routing",
    "a session token beside permanent credentials is ignored": "no source says that it must be rejected",
    "a clock window of fifteen minutes": "AWS's guide says five, an edition of its Common Errors fifteen",
    "an unknown path or method answered 405 or 404 without a body": "as servers generated from models do",
    "messages that leak": "no text of a message is ever asserted",
}
