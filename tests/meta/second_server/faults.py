"""How the server says no: in the service's own voice, and in those of what stands before it."""

import json
import random
import uuid
from dataclasses import dataclass
from typing import Literal, NoReturn

from multidict import CIMultiDict


@dataclass(eq=False)
class Fault(Exception):
    """A refusal. The service puts its type into `__type`, the gateway into a header, the content
    negotiation into `code`: all three are places where restJson1 clients look."""

    status: int
    kind: str
    text: str
    voice: Literal["service", "gateway", "negotiation"] = "service"

    def answer(self) -> tuple[CIMultiDict[str], bytes]:
        headers = common_headers()
        if self.voice == "gateway":
            coral = "http://internal.amazon.com/coral/com.amazon.coral.service/"
            headers["x-amzn-errortype"] = f"{self.kind}:{coral}"
            headers["Content-Type"] = "application/json"
            body = json.dumps({"message": self.text})
        elif self.voice == "negotiation":
            headers["Content-Type"] = "application/json; charset=utf-8"
            body = json.dumps({"code": self.kind, "message": self.text})
        else:
            kind = f"com.amazonaws.customerprofiles#{self.kind}"
            headers["Content-Type"] = "application/x-amz-json-1.1"
            who = "server" if self.status >= 500 else "client"
            body = json.dumps({"__type": kind, "message": self.text, "fault": who}, indent=1)
        return headers, body.encode()


def common_headers() -> CIMultiDict[str]:
    return CIMultiDict(
        {
            "x-amzn-requestid": str(uuid.uuid4()),
            "x-amz-apigw-id": f"{random.getrandbits(64):016x}=",
            "Cache-Control": "no-store",
            "Vary": "Accept-Encoding",
            "Server": "second",
        }
    )


def bad(why: str) -> NoReturn:
    opening = random.choice(("Invalid input: ", "1 validation error detected: ", "Bad request, "))
    raise Fault(400, "BadRequestException", opening + why)


def absent(what: str) -> NoReturn:
    text = random.choice(("{} could not be found.", "There is no {} here.", "No such thing: {}"))
    raise Fault(404, "ResourceNotFoundException", text.format(what))


def gateway(status: int, kind: str, *texts: str) -> NoReturn:
    raise Fault(status, kind, random.choice(texts), "gateway")
