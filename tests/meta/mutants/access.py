"""Servers that do not enforce who may read what."""

from __future__ import annotations

from collections.abc import Callable

from .kit import Theme, bind, is_get, observes, on_answer, remembers
from .messages import Answer, Forward, Handler, Request, Response, error, ok
from .signing import CALLER, IDENTITIES, is_by, key_of, resigned, unauthenticated

THEME = Theme("access")
_add = THEME.add

# --- Who may not read ---------------------------------------------------------------------------------------


def as_caller(name: str, when: Callable[[Request], bool] = lambda request: True) -> Handler:
    """Serves an identity as if it were the caller, once the base knows it."""

    def handler(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if is_get(request) and is_by(request, name) and not unauthenticated(answer) and when(request):
            return forward(resigned(request, CALLER))
        return answer

    return handler


def _told(name: str, fate: Callable[[Request, Response], Answer]) -> Handler:
    """Answers what an identity is refused in another way."""

    def change(request: Request, answer: Response) -> Answer:
        refused = answer.status in (403, 404) and not unauthenticated(answer)
        return fate(request, answer) if is_by(request, name) and refused else answer

    return on_answer(change)


_DENIED, _OTHER = "access.unauthorized", "access.other-account"
_add("not-enforced", "Everybody who is known may read.", _DENIED, as_caller("unauthorized"))
_add("accounts-not-apart", "All accounts share their state.", _OTHER, as_caller("other-account"))
for _name, _clause, _words in (
    ("unauthorized", _DENIED, "An identity without permission"),
    ("other-account", _OTHER, "Another account"),
):
    for _fate_name, _description, _fate in (
        ("empty", "200 with an empty object", lambda request, answer: ok({})),
        ("204", "204", lambda request, answer: Response(204)),
        ("400", "400 BadRequestException", lambda request, answer: error(400, "BadRequestException")),
        ("401", "401 UnauthorizedException", lambda request, answer: error(401, "UnauthorizedException")),
        ("500", "500 InternalServerException", lambda request, answer: error(500, "InternalServerException")),
        ("redirected", "302 to a login", lambda request, answer: Response(302, (("Location", "/login"),))),
    ):
        _add(f"{_name}-{_fate_name}", f"{_words} is answered {_description}.", _clause, _told(_name, _fate))
_add(
    "wildcard",
    "An identity of another account may read domains whose names begin like a known one.",
    _OTHER,
    as_caller("other-account", lambda request: request.domain.startswith("Get")),
)


def not_there(request: Request) -> bool:
    """Whether a request names what no run makes."""
    return "nknown" in request.text or "nknown" in request.domain


for _name, _answer in (
    ("found-by", ok({})),
    ("crashes-for", error(500, "InternalServerException")),
    ("is-invalid-for", error(400, "BadRequestException")),
):
    _add(
        f"missing-{_name}-unauthorized",
        f"An identity without permission is answered {_answer.status} for what does not exist.",
        "access.unauthorized.missing",
        _told(
            "unauthorized", bind(_answer, lambda fixed, request, real: fixed if not_there(request) else real)
        ),
    )
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
def _remembers_answers(
    answers: dict[tuple[str, bytes], Response], request: Request, answer: Response
) -> Answer:
    """What one caller was answered is given to every other."""
    if unauthenticated(answer):
        return answer
    key = (request.target, request.body)
    if answer.status == 200:
        answers[key] = answer
    elif answer.status == 404 and key_of(request) == CALLER.access_key:
        answers.pop(key, None)
    return answers.get(key, answer) if answer.status in (403, 404) else answer
