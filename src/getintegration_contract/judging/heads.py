"""The head of an answer, byte for byte -> checks of HTTP's own rules, as strict parsers have them."""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from getintegration_contract.exchange import Response
from getintegration_contract.judging.judge import Check

#: What is wrong with the lines of a head, the first one counts.
_FAULTS = (
    (re.compile(rb"(?<!\r)\n"), "a line that ends in LF alone"),
    (re.compile(rb"\r(?!\n)"), "CR that ends no line"),
    (re.compile(rb"\n[ \t]"), "a folded line"),
    (re.compile(rb"\n[^:\r\n]*[ \t]+:"), "a space before a colon"),
    (re.compile(rb"\n(?!HTTP/|\r|\Z)(?![!#$%&'*+.^_`|~0-9A-Za-z-]+:)"), "a field name that is no token"),
    (re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"), "a control character"),
)
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-5]\d\d(?: [^\r\n]*)?\r\n")
_LENGTH = re.compile(rb"^content-length:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.I | re.M)
_CODING = re.compile(rb"^transfer-encoding:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.I | re.M)
#: Fields whose value is no list, so that a second line changes what the message means.
_SINGLETONS = (
    *("content-type", "content-location", "content-range", "date", "etag", "expires", "last-modified"),
    *("age", "location", "retry-after"),
)
_DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", re.ASCII)


def head_checks(response: Response) -> Iterator[Check]:
    """The checks of a head; none where its bytes are unknown."""
    if not response.head:
        return
    fault = syntax_fault(response.head)
    yield Check("transport.syntax", fault is None, "a head by HTTP's grammar", fault or "")
    fault = framing_fault(response.head, response.status)
    if fault:
        yield Check("transport.framing", False, "one length, or chunked", fault)
    if not response.status:
        return
    names = [name.lower() for name, _ in response.headers]
    twice = sorted(name for name in set(names) & set(_SINGLETONS) if names.count(name) > 1)
    yield Check("transport.singleton-fields", not twice, "each on one line", f"twice: {', '.join(twice)}")
    date, retry = response.header("date"), response.header("retry-after")
    yield Check("transport.date", date is not None or response.status >= 500, "a Date", "none")
    if date is not None:
        yield Check("transport.date-form", is_date(date), "an IMF-fixdate", date)
    if retry is not None:
        lawful = re.fullmatch(r"\d+", retry, re.ASCII) is not None or is_date(retry)
        yield Check("transport.retry-after", lawful, "seconds, or an IMF-fixdate", retry)
    if response.status == 405:
        yield Check("transport.allow", "allow" in names, "Allow", "none")


def syntax_fault(head: bytes) -> str | None:
    """What is wrong with a head, or with that of an interim answer before it."""
    for pattern, fault in _FAULTS:
        if pattern.search(head):
            return fault
    heads = [part for part in head.split(b"\r\n\r\n") if part]
    if not all(_STATUS_LINE.match(part.lstrip(b"\r\n") + b"\r\n") for part in heads):
        return "a malformed status line"
    return None


def framing_fault(head: bytes, status: int) -> str | None:
    """What makes it ambiguous where the body ends."""
    final = head.removesuffix(b"\r\n\r\n").rpartition(b"\r\n\r\n")[2]
    lengths, codings = _LENGTH.findall(final), _CODING.findall(final)
    if len(lengths) > 1:
        return "Content-Length more than once"
    if lengths and not lengths[0].isdigit():
        return "a Content-Length that is no number"
    if lengths and codings:
        return "Content-Length beside Transfer-Encoding"
    if codings and b",".join(codings).lower().replace(b" ", b"").split(b",").count(b"chunked") > 1:
        return "chunked more than once"
    if status == 204 and (lengths or codings):
        return "the length of a body that a 204 never has"
    return None


@lru_cache(maxsize=64)  # answers of one second have the same
def is_date(text: str) -> bool:
    """Whether a text is an IMF-fixdate, of a day that exists and is that day of the week."""
    if not _DATE.fullmatch(text):
        return False
    try:  # Python knows no leap second
        moment = datetime.strptime(text.replace(":60 GMT", ":59 GMT"), "%a, %d %b %Y %H:%M:%S GMT")
    except ValueError:
        return False
    return f"{moment:%a, %d %b}" == text[:11]
