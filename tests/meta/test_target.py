"""Which endpoint is asked, as whom, and whether that is safe."""

import json
import os
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.credentials import ReadOnlyCredentials

from getintegration_contract import identity
from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.identity import Refreshing
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.target import target as targets
from getintegration_contract.target.file import KEYS
from getintegration_contract.target.target import CAPABILITIES, TEMPORARY_CREDENTIALS, WRITING

from .conftest import RunSuite, Serve
from .mutants.messages import ok
from .support import (
    ACCESS_KEY,
    AWS,
    IDENTITIES,
    SECRET_KEY,
    Process,
    environment,
    refreshing_profile,
    suite,
    writes,
)

LOCAL = "http://127.0.0.1:1"

# --- The interlock ------------------------------------------------------------------------------------------


def resolve(environ: dict[str, str] | None = None, **options: object) -> targets.Target:
    """The target that options and environment describe."""
    given = {key.replace("_", "-"): value for key, value in options.items()}
    return targets.resolve(dict.fromkeys((*KEYS, "target", "profile")) | given, environ or {})


def test_every_partition_that_botocore_knows_is_aws_and_nobody_else_is() -> None:
    data = Path(botocore.__file__).parent / "data" / "partitions.json"
    for partition in json.loads(data.read_text(encoding="utf-8"))["partitions"]:
        for suffix in ("dnsSuffix", "dualStackDnsSuffix"):
            host = f"https://profile.somewhere.{partition['outputs'][suffix]}"
            assert targets.is_aws(host), host
    for host in (LOCAL, "http://notamazonaws.com", "http://amazonaws.com.example"):
        assert not targets.is_aws(host), host


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that botocore finds, and no setting of the machine."""
    keys = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
    given = {name: value for name, value in environment(**keys).items() if name.startswith("AWS_")}
    for name in {name for name in os.environ if name.startswith("AWS_")} - given.keys():
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)


AWS_ADDRESSES = [
    AWS,
    "https://PROFILE.us-east-1.AmazonAWS.com",
    "https://profile.us-east-1.amazonaws.com.",
    "http://profile.cn-north-1.amazonaws.com.cn",
    "https://vpce-1-a.profile.us-east-1.vpce.amazonaws.com",
    "https://profile.us-east-1.api.aws",
    "https://amazonaws.com",
]


@pytest.mark.parametrize("address", AWS_ADDRESSES)
def test_aws_is_tested_when_it_is_named_but_not_written_to(address: str, target_file: Any) -> None:
    for variable in targets.ENDPOINT_VARIABLES:
        with pytest.raises(UsageError, match="name it with --endpoint-url"):
            resolve({variable: address})
    region = {} if "cn" in address else {"AWS_REGION": "us-east-1"}
    for options in ({"endpoint_url": address}, {"target": target_file(f'endpoint-url = "{address}"')}):
        target = resolve(region, **options)
        assert target.is_aws
        assert not target.allow_writes
        assert WRITING not in target.capabilities
        assert (target.rate, target.write_rate) == (5, 1)


def test_writing_to_aws_takes_a_word_of_its_own() -> None:
    assert resolve(endpoint_url=AWS, allow_writes=True).allow_writes
    given = resolve(endpoint_url=AWS, allow_writes=True, domain_name="d", integration_uri="u")
    assert not given.allow_writes, "what exists is only read"
    elsewhere = resolve({"AWS_ENDPOINT_URL": LOCAL})
    assert (elsewhere.allow_writes, elsewhere.rate) == (True, None)


_RESOLVER = """
import socket

real = socket.getaddrinfo

def getaddrinfo(host, *args, **kwargs):
    name = host.decode() if isinstance(host, bytes) else host
    with open({log!r}, "a") as file:
        file.write(f"{{name}}\\n")
    if name == "profile.us-east-1.amazonaws.com":
        return real("127.0.0.1", *args, **kwargs)
    if name in (None, "", "localhost") or name[0].isdigit():
        return real(host, *args, **kwargs)
    raise socket.gaierror(f"{{name}} is not for tests")

socket.getaddrinfo = getaddrinfo
"""


def test_aws_by_its_name_is_read_and_never_written_to(
    run_suite: RunSuite, holding: Process, tap: Any, tmp_path: Path
) -> None:
    # A resolver of its own sends the name to an emulator: no packet leaves the machine.
    log, listener = tmp_path / "names", tap(holding.url)
    env = environment(AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY)
    resolver = _RESOLVER.format(log=str(log))
    address = "http://profile.us-east-1.amazonaws.com:" + listener.url.rpartition(":")[2]
    options = (suite("access"), suite("missing"), suite("malformed"), "--endpoint-url", address)
    result = run_suite(*options, "--rate", "5000", env=env, plugin=resolver, status=0)
    assert result.report["target"]["state"] == "discovered"
    assert "writes: nothing" in result.stdout
    assert len(listener.received) > 100
    assert writes(listener.received) == []
    named = {line for line in log.read_text().splitlines() if not line[:1].isdigit()}
    assert named == {"profile.us-east-1.amazonaws.com"}


# --- AWS's environment variables and credentials ------------------------------------------------------------


def test_variables_mean_what_they_mean_to_the_aws_cli(profiles: Any) -> None:
    both = {"AWS_ENDPOINT_URL": LOCAL, "AWS_ENDPOINT_URL_CUSTOMER_PROFILES": "http://127.0.0.1:2"}
    assert resolve(both).endpoint == "http://127.0.0.1:2"
    assert resolve(both, endpoint_url="http://127.0.0.1:3").endpoint == "http://127.0.0.1:3"
    for none in ({}, {"AWS_ENDPOINT_URL": ""}):
        assert resolve(none).endpoint == "", "the shipped emulator, which does not run yet"
    regions = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}
    profiles("[profile there]\nregion = eu-north-1\naws_access_key_id = A\naws_secret_access_key = s\n")
    for environ, options, region in (
        (regions, {}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, {}, "eu-west-2"),
        (regions, {"region": "eu-west-3"}, "eu-west-3"),
        ({}, {"profile": "there"}, "eu-north-1"),
        ({}, {"profile": "there", "region": "eu-west-1"}, "eu-west-1"),
        ({}, {}, "us-east-1"),
    ):
        assert resolve(environ, endpoint_url=LOCAL, **options).region == region


def test_the_region_of_aws_stands_in_its_name() -> None:
    address = "https://profile.eu-central-1.amazonaws.com"
    assert resolve(endpoint_url=address).region == "eu-central-1"
    with pytest.raises(UsageError, match="is not the region of"):
        resolve(endpoint_url=address, region="us-east-1")


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, str]]:
    """Writes an AWS configuration file; the environment that leads to it."""

    def write(text: str) -> dict[str, str]:
        path = tmp_path / "aws-config"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
        return environment(AWS_CONFIG_FILE=str(path))

    return write


TEMPORARY = """
    [profile temporary]
    aws_access_key_id = ASIAEXAMPLETEMP00001
    aws_secret_access_key = temporary-EXAMPLE-secret-key-012345678901
    aws_session_token = EXAMPLE-session-token
"""


def test_a_profile_with_a_session_token(run_suite: RunSuite, endpoint: Process, profiles: Any) -> None:
    env = profiles(TEMPORARY) | {"AWS_PROFILE": "temporary", "AWS_ENDPOINT_URL": endpoint.url}
    result = run_suite(suite("signatures"), "-k", "session_token or wrong_secret", env=env, status=0)
    assert result.outcomes["sigv4.session-token"] == "upheld"
    assert result.outcomes["sigv4.missing-token"] == "upheld"


def test_credentials_that_expire_are_refreshed_during_the_run(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(refreshing_profile(tmp_path)))
    server = serve(lambda _: ok({}))
    target = resolve(endpoint_url=server.url, profile="fresh")
    assert TEMPORARY_CREDENTIALS in target.capabilities
    client = Client(target.endpoint, target.region)
    for _ in range(3):
        client.send(get_integration("d", "u"), target.caller)
    client.close()
    tokens = [request.header("x-amz-security-token") for request in server.received]
    keys = [re.findall(r"Credential=ASIA(\d+)/", each.header("authorization"))[0] for each in server.received]
    assert len(set(tokens)) == 3
    assert tokens == [f"token{key}" for key in keys], "key and token are of one kind"


@pytest.mark.parametrize("answers", [0, 2])
def test_a_helper_that_never_ends_is_waited_for_only_so_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answers: int
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(refreshing_profile(tmp_path, last=answers)))
    monkeypatch.setattr(identity, "PATIENCE", 1.0)

    def ask() -> None:
        target = resolve(endpoint_url=LOCAL, profile="fresh")
        while True:
            target.caller.frozen()

    with pytest.raises((UsageError, EnvironmentFault), match="no answer within 1 s"):
        ask()
    assert (tmp_path / "count").read_text() == str(answers + 1)


UNSENDABLE = ["abc\n", "abc\r\n", " abc", "a\nb", "\u043a\u043b\u044e\u0447", "caf\u00e9", "\udcff"]


@pytest.mark.parametrize("value", UNSENDABLE)
def test_credentials_that_no_header_can_carry_are_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    class Source:
        def get_frozen_credentials(self) -> ReadOnlyCredentials:
            return ReadOnlyCredentials("ASIA", "secret", value)

    said = []
    for name in ("access key id", "secret access key", "session token"):
        with monkeypatch.context() as patch:
            patch.setenv("AWS_" + name.upper().replace(" ", "_"), value)
            with pytest.raises(UsageError, match=f"credentials for caller: the {name} must be") as raised:
                resolve(endpoint_url=LOCAL)
        said.append(str(raised.value))
    with pytest.raises(EnvironmentFault, match="the session token must be") as refreshed:
        Refreshing(Source()).get_frozen_credentials()
    assert not any(value in text or "\n" in text for text in (*said, str(refreshed.value)))


@pytest.mark.parametrize("region", ["us-east-1\n", "us east", "a/b", "\u0440\u0443"])
def test_a_region_that_is_none_is_told_wherever_it_comes_from(profiles: Any, region: str) -> None:
    for variable in targets.REGION_VARIABLES:
        for options in ({"endpoint_url": LOCAL}, {"endpoint_url": AWS}):
            with pytest.raises(UsageError, match=f"^{variable}: .* is not the name of a region$"):
                resolve({variable: region}, **options)
        with pytest.raises(UsageError, match=f"^{variable}: "):
            targets.resolve({}, {variable: region})
    if region.strip() == region:  # a configuration file has no line break at the end of a value
        profiles(f"[profile there]\nregion = {region}\naws_access_key_id = A\naws_secret_access_key = s\n")
        with pytest.raises(UsageError, match=r"^the region of the profile there: "):
            resolve(endpoint_url=LOCAL, profile="there")


def test_temporary_credentials_have_a_session_token(target_file: Any, profiles: Any) -> None:
    without = "\n".join(line for line in IDENTITIES.splitlines() if "session-token" not in line)
    profiles("[profile there]\naws_access_key_id = A\naws_secret_access_key = s\n")
    by_profile = '[identities.temporary]\nprofile = "there"\n'
    for identities in (without, by_profile):
        path = target_file('endpoint-url = "http://127.0.0.1:1"', identities=identities)
        with pytest.raises(UsageError, match=r"^identities\.temporary needs session-token$"):
            resolve(target=path)


def test_only_a_loopback_address_gets_the_emulators_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for address in (LOCAL, "http://[::1]:1", "http://localhost:1", "http://mock.localhost"):
        assert resolve(endpoint_url=address).caller.access_key == ACCESS_KEY, address
    for address in ("http://127.evil.example", "http://notlocalhost", "http://10.0.0.1"):
        with pytest.raises(UsageError, match="no credentials for caller"):
            resolve(endpoint_url=address)


def test_an_identity_claims_what_it_is_for(target_file: Any) -> None:
    endpoint = 'endpoint-url = "http://127.0.0.1:1"'
    whole = target_file(endpoint, "latency-limit = 0.5\nfault-limit = 0")
    assert resolve(target=whole).capabilities == set(CAPABILITIES)
    disclaimed = resolve(target=whole, not_claimed=["other-account", "throttling"])
    assert disclaimed.identities.keys() == {"caller", "unauthorized", "temporary"}
    caller_alone = IDENTITIES[: IDENTITIES.index("[identities.unauthorized]")]
    alone = target_file(endpoint, identities=caller_alone)
    assert resolve(target=alone).capabilities == {"signatures", "writing"}


def test_options_win_over_the_target_file(target_file: Any) -> None:
    lines = ('region = "eu-west-1"', "rate = 3", "allow-writes = true")
    path = target_file('endpoint-url = "http://127.0.0.1:1"', *lines)
    target = resolve(target=path, region="eu-west-2", allow_writes=False, request_timeout=3.5)
    assert (target.region, target.rate, target.allow_writes) == ("eu-west-2", 3, False)
    assert target.request_timeout == 3.5


def test_the_schema_of_the_target_file_says_in_words_what_it_demands() -> None:
    assert tuple(KEYS["not-claimed"]["items"]["enum"]) == CAPABILITIES
    for key in KEYS.values():
        words = {"number": "a number", "integer": "a whole number"}.get(key.get("type"))
        due = words and f"{words} from {key['minimum']:,} to {key['maximum']:,}"
        choices = key.get("enum") or key.get("items", {}).get("enum") or ()
        assert key["description"].endswith(due or ", ".join(choices))


def test_no_value_of_an_identity_is_shown(target_file: Any) -> None:
    for value in ("27182818", '["27182818"]', "{27182818 = 1}"):
        identity = f"[identities.caller]\naccess-key-id = 'A'\nsecret-access-key = {value}\n"
        with pytest.raises(
            UsageError, match=r"identities\.caller\.secret-access-key must be a text"
        ) as raised:
            resolve(target=target_file('endpoint-url = "http://127.0.0.1:1"', identities=identity))
        assert "27182818" not in str(raised.value)
