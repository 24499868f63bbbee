"""Redacting: a secret is replaced where it stands plainly, and takes its text along in any other form."""

import base64
import hashlib
import json
import re

import pytest

from getintegration_contract.exchange import Request
from getintegration_contract.redact import REDACTED, SHOWN, Redactor
from getintegration_contract.target.emulator import emulator_identities

from .disguises import DISGUISED, PLAIN, SECRET, TOKEN, leaks


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("secret", [SECRET, TOKEN], ids=["secret key", "session token"])
def test_a_secret_is_replaced_where_it_stands(name: str, secret: str) -> None:
    written = f"before {PLAIN[name](secret)} after"
    assert leaks(written), "the test itself must notice it"
    redacted = Redactor([SECRET, TOKEN]).text(written)
    assert leaks(redacted) == []
    assert re.fullmatch(f"before .*{REDACTED}.* after", redacted)


@pytest.mark.parametrize("name", DISGUISED)
@pytest.mark.parametrize("secret", [SECRET, TOKEN], ids=["secret key", "session token"])
def test_a_disguised_secret_takes_its_text_along(name: str, secret: str) -> None:
    assert Redactor([SECRET, TOKEN]).text(f"it is {DISGUISED[name](secret)}, yes") == REDACTED


@pytest.mark.parametrize("mark", ["...", "\u2026"])
@pytest.mark.parametrize("shown", [6, 9, 20, 40])
def test_a_piece_beside_an_ellipsis_takes_its_text_along(mark: str, shown: int) -> None:
    redactor = Redactor([SECRET])
    assert redactor.text(f"value = '{SECRET[:shown]}{mark}'") in (REDACTED, f"value = '{REDACTED}{mark}'")
    assert redactor.text(f"value = '{mark}{SECRET[-shown:]}'") in (REDACTED, f"value = '{mark}{REDACTED}'")


@pytest.mark.parametrize("character", [SECRET[0], SECRET[-1], " ", "\n"])
def test_a_secret_beside_a_long_run_of_one_character_is_found(character: str) -> None:
    run, redactor = character * 50_000, Redactor([SECRET])
    assert leaks(redactor.text(run + SECRET + run)) == []
    for disguised in (SECRET[::-1], SECRET[3:30], " ".join(SECRET)):
        assert redactor.text(f"{run}/{disguised}/{run}") == REDACTED
    assert redactor.text(run) == run


@pytest.mark.parametrize("secret", [SECRET, TOKEN], ids=["secret key", "session token"])
def test_a_longer_piece_takes_its_text_along(secret: str) -> None:
    redactor = Redactor([SECRET, TOKEN])
    for start in range(0, len(secret) - 30):
        piece = secret[start : start + 30]
        assert redactor.text(f"[{piece}]") == REDACTED


SIGNATURE = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"


@pytest.mark.parametrize(
    "written",
    [
        SIGNATURE,
        SIGNATURE.upper(),
        f"the signature {SIGNATURE[:16]}... is wrong",
        f"ends in {SIGNATURE[-20:]}",
        f"canonical{SIGNATURE}",
        SIGNATURE[::-1],
        " ".join(SIGNATURE),
        base64.b64encode(f"AWS4 Signature={SIGNATURE}".encode()).decode(),
    ],
)
def test_signatures_of_other_exchanges_are_known(written: str) -> None:
    assert Redactor([SECRET]).text(written) == written
    redactor = Redactor([SECRET])
    signed = f"AWS4-HMAC-SHA256 Credential=AKIA/x, Signature={SIGNATURE}"
    assert redactor.learn(Request("POST", "/", (("Authorization", signed),))) == [SIGNATURE]
    redacted = redactor.text(written)
    assert REDACTED in redacted
    assert redactor.text("a hash: " + "0123456789abcdef" * 4).endswith("cdef")
    for piece in (SIGNATURE[:16], SIGNATURE[-16:], SIGNATURE[::-1][:16]):
        assert piece not in redacted.lower().replace(" ", "")


@pytest.mark.parametrize(
    ("secrets", "text"),
    [
        (
            [SECRET, TOKEN],
            "Walrus of the... sea \u2026 test_valid.py::test_uri[...] \\u00e9 %2F &amp; Key+one=",
        ),
        (["contract"], "Contract_Type-1"),  # a short secret is no reason to hide its word in other letters
        (["test", "dummy", ""], "tests/contract/test_valid.py: a dummy test"),  # made-up keys of mock servers
    ],
)
def test_other_text_stays_as_it_is(secrets: list[str], text: str) -> None:
    assert Redactor(secrets).text(text) == text


def test_no_access_key_of_the_emulator_reads_like_a_secret_of_its() -> None:
    identities = emulator_identities().values()
    redactor = Redactor(secret for identity in identities for secret in identity.secrets)
    for identity in identities:
        text = f"Identity(access_key={identity.access_key!r}) ... the key {identity.access_key} is unknown"
        assert redactor.text(text) == text


def test_a_signature_and_a_credential_are_found_without_being_known() -> None:
    signature = "0123456789abcdef" * 4
    echoed = f"AWS4-HMAC-SHA256 Credential=AKIA/20260101/r/profile/aws4_request, Signature={signature}"
    for text in (
        echoed,
        json.dumps({"Signature": signature}),
        f"X-Amz-Signature={signature}&a=b",
        f"Signature: {signature}",
    ):
        assert signature not in Redactor().text(text)
    assert "AKIA" not in Redactor().text(echoed)


def test_a_text_that_came_before_its_signature_is_looked_at_again() -> None:
    redactor, signature = Redactor(), hashlib.sha256(b"request").hexdigest()
    spelt = "-".join(signature[at : at + 8] for at in range(0, 64, 8))
    assert [redactor.text(spelt), redactor.text(signature)] == [spelt, signature]
    redactor.add_signatures(signature)
    assert {redactor.text(spelt), redactor.text(signature)} == {"REDACTED"}


def test_account_ids_are_hidden_when_asked() -> None:
    text = "arn:aws:iam::123456789012:role/x 1700000000123 a123456789012b"
    assert Redactor().text(text) == text
    assert (
        Redactor(accounts=True).text(text) == "arn:aws:iam::000000000000:role/x 1700000000123 a000000000000b"
    )


def test_a_made_up_token_is_hidden_where_it_was_sent_and_nowhere_else() -> None:
    redactor = Redactor([SECRET])
    side = {"headers": [["x-amz-security-token", "made-up-token"]], "body": ""}
    redacted = redactor.exchange({"request": side, "response": {"headers": [], "body": "made-up-token"}})
    assert "made-up-token" not in str(redacted)
    assert redactor.text("made-up-token") == "made-up-token"


@pytest.mark.parametrize("place", [0, SHOWN - 20, SHOWN, 2 * SHOWN - 10, 2 * SHOWN, 1_000_000])
@pytest.mark.parametrize("before", ["1", TOKEN], ids=["digits", "what is shorter once it is redacted"])
def test_a_long_body_is_cut_and_holds_no_part_of_a_secret(place: int, before: str) -> None:
    body = (before * (place // len(before))).ljust(place, "1") + SECRET + "1" * 1_000_000
    side = {"headers": [], "body": body}
    redacted = Redactor([SECRET, TOKEN]).exchange({"request": side, "response": side}, SHOWN)
    for shown in (redacted["request"]["body"], redacted["response"]["body"]):
        assert len(shown) <= SHOWN
        assert shown == REDACTED or shown.endswith(f"({len(body):,} characters)")
        assert leaks(shown) == []
        assert not any(SECRET[at : at + 6] in shown for at in range(len(SECRET) - 5))
