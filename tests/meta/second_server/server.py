"""HTTP: reading requests, order of the checks, sending answers; the command line."""

import argparse
import asyncio
import gzip
import json
import os
import re
from dataclasses import dataclass, field

from aiohttp import web

from .service import Bucket, Call, Domain, Fault, Identity, Json, common_headers, refuse, route
from .sigv4 import authenticate, believe, split_target

GZIP_FROM = 256  # bytes
JSON_TYPE = re.compile(r"(application|text)/(json|[\w.-]*\+json|x-amz-json-[\w.]+)")
UNTOLD_TYPES = ("", "application/octet-stream", "binary/octet-stream")


@dataclass
class Service:
    region: str = "us-east-1"
    rate: float | None = None
    signatures: bool = True
    accounts: dict[str, dict[str, Domain]] = field(default_factory=dict)
    buckets: dict[str, Bucket] = field(default_factory=dict)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            answer = self.answer(request, await read(request))
        except Fault as fault:
            headers, body = fault.answer()
            return web.Response(status=fault.status, headers=headers, body=body)
        return await send(request, json.dumps(answer, indent=2).encode())

    def answer(self, request: web.BaseRequest, body: bytes) -> Json:
        path, query = split_target(request.raw_path)
        operation, name = route(request.method, path)
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        readable = media in UNTOLD_TYPES or JSON_TYPE.fullmatch(media)
        if request.method in ("POST", "PUT") and not readable:
            refuse(415, "UnsupportedMediaTypeException", f"Cannot read {media}.", voice="negotiation")
        identity = authenticate(request, body, self.region) if self.signatures else believe(request)
        domains = self.accounts.setdefault(identity.account, {})
        return operation(Call(identity, self.spend(identity), domains, name, query, body))

    def spend(self, identity: Identity) -> bool:
        rate = identity.quota or self.rate
        if not rate:
            return True
        owner = identity.access_key if identity.quota else identity.account
        return self.buckets.setdefault(owner, Bucket(rate)).take()


async def read(request: web.BaseRequest) -> bytes:
    if request.headers.get("expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    return await request.content.read()


async def send(request: web.BaseRequest, body: bytes) -> web.StreamResponse:
    headers = common_headers()
    headers["Content-Type"] = "application/json; charset=utf-8"
    if len(body) >= GZIP_FROM and accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, 1)
    if request.version < (1, 1):
        return web.Response(body=body, headers=headers)
    response = web.StreamResponse(headers=headers)
    response.enable_chunked_encoding()
    await response.prepare(request)
    for part in (body[: len(body) // 2], body[len(body) // 2 :]):
        await response.write(part)
    await response.write_eof()
    return response


def accepts_gzip(request: web.BaseRequest) -> bool:
    for offer in ",".join(request.headers.getall("accept-encoding", [])).lower().split(","):
        coding, _, weight = offer.replace(" ", "").partition(";")
        if coding == "gzip":
            return not re.fullmatch(r"q=0(\.0*)?", weight)
    return False


async def serve(service: Service, port: int, exit_with_stdin: bool) -> None:
    stop = asyncio.Event()
    sizes = {"max_line_size": 2**20, "max_field_size": 2**16}
    # Nothing is logged, and the signature covers the bytes as sent.
    server = web.Server(service.handle, access_log=None, auto_decompress=False, **sizes)
    runner = web.ServerRunner(server, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    if exit_with_stdin:
        asyncio.get_running_loop().add_reader(0, lambda: os.read(0, 4096) or stop.set())
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    print(json.dumps({"event": "listening", "url": url}), flush=True)
    await stop.wait()
    await runner.cleanup()


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(description="A second, independent GetIntegration server.")
    options.add_argument("--port", type=int, default=0, help="0: any free one")
    options.add_argument("--rate", type=float, help="requests a second of each account")
    options.add_argument("--region", default="us-east-1", help="the one that signatures must name")
    options.add_argument("--no-signatures", action="store_true")
    options.add_argument("--exit-with-stdin", action="store_true")
    given = options.parse_args(arguments)
    service = Service(given.region, given.rate, not given.no_signatures)
    asyncio.run(serve(service, given.port, given.exit_with_stdin))
    return 0
