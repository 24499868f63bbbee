"""Requests of the operations: GetIntegration, and those that make the state it needs."""

import json
import re
from typing import Any
from urllib.parse import quote

from getintegration_contract.exchange import Request

_JSON = (("Content-Type", "application/json"),)
_WRITING_POST = re.compile(r"/domains/[^/]+(/integrations/delete)?")


def get_integration(domain: str, uri: Any = None, *, body: bytes | None = None) -> Request:
    """The request of GetIntegration, its path fully quoted; ``body`` overrides the JSON of ``uri``."""
    if body is None:
        body = json.dumps({"Uri": uri}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return Request("POST", integrations_path(domain), _JSON, body)


def integrations_path(domain: str) -> str:
    """The path of a domain's integrations, with every character but the unreserved ones encoded."""
    return f"/domains/{quote(domain, safe='')}/integrations"


def create_domain(name: str) -> Request:
    """CreateDomain, with the least that it requires."""
    return Request("POST", _domain_path(name), _JSON, b'{"DefaultExpirationDays": 366}')


def get_domain(name: str) -> Request:
    """GetDomain."""
    return Request("GET", _domain_path(name))


def delete_domain(name: str) -> Request:
    """DeleteDomain, which takes its integrations along."""
    return Request("DELETE", _domain_path(name))


def list_domains(next_token: str | None = None) -> Request:
    """ListDomains, one page."""
    return Request("GET", "/domains" + (f"?{_next(next_token)}" if next_token else ""))


def list_integrations(domain: str, next_token: str | None = None) -> Request:
    """ListIntegrations, one page, with what is hidden."""
    more = f"&{_next(next_token)}" if next_token else ""
    return Request("GET", f"{integrations_path(domain)}?include-hidden=true{more}")


def put_integration(domain: str, uri: str, members: dict[str, Any] | None = None) -> Request:
    """PutIntegration: makes the integration, or replaces its members."""
    body = json.dumps({"Uri": uri, **(members or {})}, ensure_ascii=False).encode()
    return Request("PUT", integrations_path(domain), _JSON, body)


def delete_integration(domain: str, uri: str) -> Request:
    """DeleteIntegration."""
    body = json.dumps({"Uri": uri}, ensure_ascii=False).encode()
    return Request("POST", f"{integrations_path(domain)}/delete", _JSON, body)


def _next(token: str) -> str:
    return f"next-token={quote(token, safe='')}"


def _domain_path(name: str) -> str:
    return f"/domains/{quote(name, safe='')}"


def writes(request: Request) -> bool:
    """Whether it is a request of an operation that writes."""
    if request.method == "POST":
        return _WRITING_POST.fullmatch(request.target.partition("?")[0]) is not None
    return request.method in ("PUT", "DELETE")
