"""Signature Version 4, verified on the request as it came over the wire."""

import hashlib
import hmac
import re
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import NoReturn
from urllib.parse import quote

from aiohttp import web

from .service import CALLER, IDENTITIES, Identity, gateway

SERVICE, TERMINATOR, ALGORITHM = "profile", "aws4_request", "AWS4-HMAC-SHA256"
STAMP = "%Y%m%dT%H%M%SZ"
WINDOW = 300  # seconds that X-Amz-Date may lie on either side of now


def incomplete(why: str) -> NoReturn:
    gateway(403, "IncompleteSignatureException", why)


def mistaken(why: str) -> NoReturn:
    gateway(403, "InvalidSignatureException", why)


def split_target(raw: str) -> tuple[str, str]:
    """The request target as (path, query), undecoded."""
    if not raw.startswith("/"):  # absolute form
        raw = re.sub(r"(?i)^https?://[^/?#]*", "", raw) or "/"
    path, _, query = raw.partition("#")[0].partition("?")
    return path, query


def canonical_path(path: str) -> str:
    """Dot segments and empty ones removed, then encoded once more than on the wire."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    slash = "/" if kept and path.endswith("/") else ""
    return quote(("/" + "/".join(kept) + slash).encode(errors="surrogateescape"), safe="/~")


def canonical_query(query: str) -> str:
    pairs = sorted(pair.partition("=")[::2] for pair in query.split("&")) if query else []
    return "&".join(f"{name}={value}" for name, value in pairs)


@lru_cache(maxsize=64)
def signing_key(secret: str, date: str, region: str) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in (date, region, SERVICE, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def signing_time(request: web.BaseRequest) -> datetime:
    values = request.headers.getall("x-amz-date", [])
    try:
        if len(values) == 1 and re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", values[0]):
            return datetime.strptime(values[0], STAMP).replace(tzinfo=UTC)
    except ValueError:
        pass  # such as the month 13
    incomplete(f"Authorization header requires one X-Amz-Date, in ISO-8601 'basic format'. Got {values}.")


def authorization(request: web.BaseRequest) -> dict[str, str]:
    headers = request.headers.getall("authorization", [])
    if not headers:
        texts = "Missing Authentication Token", "The request carries no authentication token."
        gateway(403, "MissingAuthenticationTokenException", *texts)
    scheme, _, rest = headers[0].strip().partition(" ")
    fields = [part.strip().partition("=")[::2] for part in rest.split(",")]
    found = dict(fields)
    wanted = ("Credential", "SignedHeaders", "Signature")
    missing = [name for name in wanted if not found.get(name)]
    if len(headers) > 1 or scheme != ALGORITHM or missing or len(fields) != len(found):
        reason = f"lacks {', '.join(missing)}" if missing else "is not one of SigV4"
        incomplete(f"The Authorization header {reason}. Authorization={headers[0]}")
    if found["Credential"].count("/") != 4:
        incomplete(f"Credential must have exactly 5 elements, got '{found['Credential']}'.")
    return found


def believe(request: web.BaseRequest) -> Identity:
    """Who it says it is from, whatever the signature."""
    claimed = re.search(r"Credential=([^/,]*)", request.headers.get("authorization", ""))
    return IDENTITIES.get(claimed[1] if claimed else "", CALLER)


def authenticate(request: web.BaseRequest, body: bytes, region: str) -> Identity:
    claim = authorization(request)
    access_key, *scope = claim["Credential"].split("/")
    moment = signing_time(request)
    identity = IDENTITIES.get(access_key)
    tokens = request.headers.getall("x-amz-security-token", [])
    if identity is None or tokens != ([identity.token] if identity.token else []):
        texts = "The security token included in the request is invalid.", "Unrecognized client."
        gateway(403, "UnrecognizedClientException", *texts)

    stamp = moment.strftime(STAMP)
    for found, expected in zip(scope, (stamp[:8], region, SERVICE, TERMINATOR), strict=True):
        if found != expected:
            mistaken(f"Credential should be scoped to '{expected}', not '{found}'.")
    late = time.time() - moment.timestamp()
    if abs(late) > WINDOW:
        mistaken(f"Signature {'expired' if late > 0 else 'not yet current'}: {stamp}")
    names = sorted(set(claim["SignedHeaders"].lower().split(";")))
    must = {name.lower() for name in request.headers if name.lower().startswith("x-amz-")}
    if unsigned := {"host", *must} - set(names):
        mistaken(f"Must be signed headers: {', '.join(sorted(unsigned))}")
    body_hash = hashlib.sha256(body).hexdigest()
    if any(h != body_hash for h in request.headers.getall("x-amz-content-sha256", [])):
        mistaken("The value of x-amz-content-sha256 does not match the body.")

    path, query = split_target(request.raw_path)
    lines = [request.method, canonical_path(path), canonical_query(query)]
    for name in names:
        values = (" ".join(value.split()) for value in request.headers.getall(name, []))
        lines.append(f"{name}:{','.join(values)}")
    canonical = "\n".join([*lines, "", ";".join(names), body_hash])
    digest = hashlib.sha256(canonical.encode(errors="surrogateescape")).hexdigest()
    to_sign = "\n".join((ALGORITHM, stamp, "/".join(scope), digest))
    key = signing_key(identity.secret, stamp[:8], region)
    expected = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    if not hmac.compare_digest(expected.encode(), claim["Signature"].encode(errors="surrogateescape")):
        # AWS echoes both strings, session token and all.
        echo = f"\n\nThe Canonical String:\n'{canonical}'\n\nThe String-to-Sign:\n'{to_sign}'\n"
        mistaken("The request signature does not match the one we calculated." + echo)
    return identity
