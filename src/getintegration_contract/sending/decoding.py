"""The content codings of a body, undone within bounds."""

from __future__ import annotations

import zlib

from getintegration_contract.sending.faults import LARGE_BODY, UNDECODABLE, FaultError

#: Bytes of a body, on the wire and decoded.
LIMIT = 8 << 20
#: Content codings, one around the other.
_DEPTH = 4
#: Streams in one body, one after another.
_STREAMS = 64
_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": zlib.MAX_WBITS}


def decoded(body: bytes, codings: str | None) -> bytes:
    """A body without its content codings.

    Raises:
        FaultError: It does not decode, or is too large.
    """
    names = [name.strip() for name in (codings or "").lower().split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if len(names) > _DEPTH:
        raise FaultError(f"the body has more than {_DEPTH} content codings")
    for name in reversed(names):
        if name not in _WINDOW:
            raise FaultError(f"the Content-Encoding {name[:20]} was not asked for")
        body = _inflated(body, _WINDOW[name])
    return body


def _inflated(body: bytes, window: int) -> bytes:
    """What a stream holds, or several, one after another."""
    whole = bytearray()
    try:
        for _ in range(_STREAMS):
            if not body:
                return bytes(whole)
            stream = zlib.decompressobj(window)
            whole += stream.decompress(body, LIMIT + 1 - len(whole))
            if len(whole) > LIMIT:
                raise FaultError(LARGE_BODY)
            if not stream.eof:
                break
            body = stream.unused_data.lstrip(b"\0")  # padding is lawful
    except zlib.error:
        pass
    raise FaultError(UNDECODABLE)
