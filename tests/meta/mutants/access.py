"""Servers that do not enforce who may read what."""

from collections.abc import Callable

from .fates import BAD_REQUEST, CRASH
from .kit import Theme, always, is_get, observes, on_answer, remembers
from .messages import Answer, Forward, Handler, Request, Response, error, ok
from .signing import CALLER, IDENTITIES, is_by, key_of, resigned, unauthenticated

THEME = Theme("access")

# --- Who may not read ---------------------------------------------------------------------------------------


def as_caller(name: str, when: Callable[[Request], bool] = always) -> Handler:
    """Serves an identity as if it were the caller, once the base knows it."""

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if is_get(request) and is_by(request, name) and not unauthenticated(answer) and when(request):
            return forward(resigned(request, CALLER))
        return answer

    return handler


def _refuses(name: str, fate: Answer, when: Callable[[Request], bool] = always) -> Handler:
    """Answers what an identity is refused in another way."""

    def change(request: Request, answer: Response) -> Answer:
        refused = answer.status in (403, 404) and not unauthenticated(answer)
        return fate if is_by(request, name) and refused and when(request) else answer

    return on_answer(change)


_DENIED, _OTHER = "access.unauthorized", "access.other-account"
THEME[_DENIED] = {"not-enforced: Everybody who is known may read.": as_caller("unauthorized")}
THEME[_OTHER] = {"accounts-not-apart: All accounts share their state.": as_caller("other-account")}
for _name, _who in (("unauthorized", "An identity without permission"), ("other-account", "Another account")):
    THEME[f"access.{_name}"] = {
        f"{_name}-{fate_name}: {_who} is answered {description}.": _refuses(_name, fate)
        for fate_name, description, fate in (
            ("empty", "200 with an empty object", ok({})),
            ("204", "204", Response(204)),
            ("400", "400 BadRequestException", BAD_REQUEST),
            ("401", "401 UnauthorizedException", error(401, "UnauthorizedException")),
            ("500", "500 InternalServerException", CRASH),
            ("redirected", "302 to a login", Response(302, (("Location", "/login"),))),
        )
    }
THEME[_OTHER] = {
    "wildcard: A known beginning will do.": as_caller("other-account", lambda r: r.domain.startswith("Get"))
}


def not_there(request: Request, *_: object) -> bool:
    """Whether a request names what no run makes."""
    return "nknown" in request.text or "nknown" in request.domain


THEME["access.unauthorized.missing"] = {
    f"missing-{name}-unauthorized: An identity without permission is answered {fate.status}"
    " for what does not exist.": _refuses("unauthorized", fate, not_there)
    for name, fate in (("found-by", ok({})), ("crashes-for", CRASH), ("is-invalid-for", BAD_REQUEST))
}
_ALL = f"{_DENIED} {_OTHER} access.unauthorized.missing request.valid response.status"


@THEME.mutant("identity-of-the-connection", _ALL, remembers(dict))
def _remembers_caller(owners: dict[int, str], request: Request, forward: Forward) -> Answer:
    """The identity of the first request on a connection holds for all later ones."""
    answer = forward(request)
    if not is_get(request) or unauthenticated(answer):
        return answer
    owner = owners.setdefault(request.connection, key_of(request))
    identity = next((i for i in IDENTITIES.values() if i.access_key == owner), CALLER)
    return answer if owner == key_of(request) else forward(resigned(request, identity))


@THEME.mutant("cache-without-identities", f"{_DENIED} {_OTHER}", observes(dict))
def _remembers_answers(kept: dict[tuple[str, bytes], Response], request: Request, answer: Response) -> Answer:
    """What one caller was answered is given to every other."""
    if unauthenticated(answer):
        return answer
    key = (request.target, request.body)
    if answer.status == 200:
        kept[key] = answer
    elif answer.status == 404 and key_of(request) == CALLER.access_key:
        kept.pop(key, None)
    return kept.get(key, answer) if answer.status in (403, 404) else answer
