"""What may be wrong around a run: the fault, the exit status that is due, and what the sentence must name.

Nothing here is the target's fault, so no row ends with status 1. ``{url}``, ``{port}``, ``{tmp}``,
``{python}`` and ``{secret}`` are filled in; the servers are in servers.py.
"""

from dataclasses import dataclass, field

#: A secret that no output may show.
SECRET = "MARKED-secret-key-0123456789"


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        status: The exit statuses that are right.
        said: What the output must name; ``...`` stands between parts.
        server: What listens at ``{url}``; empty for the shipped emulator.
        options: Of pytest, after the address, as a shell has them.
        env: Environment variables.
        files: Files in ``{tmp}``; a ``.py`` one that begins with ``#!`` can be executed.
        shell: A command of the shell around ``{run}``, where streams or limits are the fault.
        tests: What runs: files of the suite, or tests of them, with spaces between.
    """

    name: str
    status: int | tuple[int, ...]
    said: str = ""
    server: str = "emulator"
    options: str = ""
    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    shell: str = ""
    tests: str = "test_missing.py"


def _profile(name: str, said: str, text: str) -> Row:
    """A row about a profile of AWS's configuration."""
    env = {"AWS_PROFILE": "p", "AWS_CONFIG_FILE": "{tmp}/config"}
    return Row(
        name, 4, f"credentials for caller: ...{said}", env=env, files={"config": f"[profile p]\n{text}"}
    )


def _helper(name: str, said: str, code: str, options: str = "", status: int | tuple[int, ...] = 4) -> Row:
    """A row about the program that gives the credentials of a profile."""
    files = {
        "config": "[profile p]\ncredential_process = {tmp}/helper.py",
        "helper.py": f"#!{{python}}\n{code}",
    }
    env = {"AWS_PROFILE": "p", "AWS_CONFIG_FILE": "{tmp}/config"}
    return Row(name, status, said, options=options, env=env, files=files)


_KEYS = '"AccessKeyId": "AKIAMARKED", "SecretAccessKey": "{secret}"'
_OURS = {"AWS_ACCESS_KEY_ID": "AKIAMARKED", "AWS_SECRET_ACCESS_KEY": "{secret}"}
_DENIED = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEDENIED001",
    "AWS_SECRET_ACCESS_KEY": "denied-EXAMPLE-secret-key-0123456789abcd",
}
_TOKEN_FILE = {
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/token",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
    "AWS_REGION": "us-east-1",
}
_CONTAINER, _CONTAINER_TOKEN = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
_MFA = """role_arn = arn:aws:iam::123456789012:role/r
source_profile = q
mfa_serial = 1
[profile q]
aws_access_key_id = AKIAMARKED
aws_secret_access_key = {secret}"""
_SSO = "sso_start_url = https://sso.example\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = r"
#: Gives credentials eight times, then none.
_FAILS_LATER = """import datetime, json, pathlib
count = pathlib.Path('{tmp}/count')
n = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(n))
soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=2)
keys = dict(Version=1, Expiration=soon.isoformat(), AccessKeyId='ASIAEXAMPLETEMP00001')
keys['SecretAccessKey'] = 'temporary-EXAMPLE-secret-key-012345678901'
keys['SessionToken'] = 'EXAMPLE-session-token'
print(json.dumps(keys) if n < 9 else '{secret}')"""
_UNREAD, _FAILED = "cannot be read as credentials", "credentials for caller: ...the credential_process failed"

CREDENTIALS = [
    _profile("no helper", "No such file.../nonexistent/helper", "credential_process = /nonexistent/helper"),
    _helper("a helper prints no JSON", _UNREAD, "print('{secret}')"),
    _helper("a helper prints no JSON, shown in full", _UNREAD, "print('{secret}')", "-l --full-trace"),
    _helper("a helper fails and prints a secret", _FAILED, "import sys; sys.exit('{secret}')"),
    _helper(
        "a helper's expiry is no date",
        _UNREAD,
        f"""print('{{"Version": 1, {_KEYS}, "SessionToken": "t", "Expiration": "soon"}}')""",
    ),
    _helper("a helper prints a list", "cannot be read", "print('[1]')"),
    _helper("a helper leaves a key out", _FAILED, """print('{"Version": 1, "AccessKeyId": "{secret}"}')"""),
    _helper("a helper fails later", "cannot be re", _FAILS_LATER, status=(4, 6)),
    _profile("a code of MFA is asked for", "MFA code", _MFA),
    _profile("half of the credentials", "Partial credentials", "aws_access_key_id = AKIAMARKED"),
    _profile("nobody is logged in", "SSO", _SSO),
    _profile("a source profile that does not exist", "p2", "role_arn = arn\nsource_profile = p2"),
    Row("no such profile", 4, "The config profile (none) could not be found", env={"AWS_PROFILE": "none"}),
    Row(
        "a configuration that is none",
        4,
        "Unable to parse config file",
        env={"AWS_CONFIG_FILE": "{tmp}/config", "AWS_PROFILE": "p"},
        files={"config": "[profile p\n{secret}"},
    ),
    Row("a token file that is not there", 4, "No such file.../nonexistent/token", env=_TOKEN_FILE),
    Row(
        "a container of somebody else", 4, "credentials for caller: ", env={_CONTAINER: "http://203.0.113.1/"}
    ),
    Row(
        "a container that answers no JSON",
        4,
        "the provider container-role failed",
        "secretive",
        env={_CONTAINER: "{url}/"},
    ),
    Row(
        "a container's token file is not there",
        4,
        "No such file.../nonexistent/token",
        env={_CONTAINER: "http://127.0.0.1:1/", _CONTAINER_TOKEN: "/nonexistent/token"},
    ),
    Row("a key with a line break", 4, "printable ASCII", env=_OURS | {"AWS_ACCESS_KEY_ID": "A\nB"}),
    Row("a secret of no ASCII", 4, "printable ASCII", env=_OURS | {"AWS_SECRET_ACCESS_KEY": "gehe\u00efm"}),
    Row(
        "credentials that are refused",
        6,
        "refuses the credentials of the caller: 403 UnrecognizedClientException...for region us-east-1",
        env=_OURS,
    ),
    Row(
        "a secret that is another's",
        6,
        "refuses the credentials of the caller: 403...key ****R001 (botocore's chain: env)...its clock",
        env=_OURS | {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLECALLER001"},
    ),
    Row("credentials that run out", 6, "the caller's credentials ran out after", "expiring"),
    Row(
        "credentials that run out while writing",
        6,
        "the caller's credentials ran out after",
        "expiring-late",
        tests="test_state.py",
    ),
]

CLOCKS = [
    Row("a server's clock is ahead", 6, "refuses the credentials...ahead of this one", "skewed"),
    Row("a server's clock cannot be read", 6, "refuses the credentials", "skewed-unreadably"),
    Row("a server's clock is ahead and nobody minds", 0, server="ahead"),
    Row("a time zone that does not exist", 0, env={"TZ": "Nowhere/Never"}),
]

_PROXY = {"HTTP_PROXY": "http://me:{secret}@127.0.0.1:1"}
_NO_BUNDLE = "/nonexistent/ca.pem"
_NOBODY = "nothing listens at http://127.0.0.1:1"
_QUICK = "--request-timeout 1"
NETWORK = [
    Row("a proxy that is not there", 6, "proxy...127.0.0.1:1", env=_PROXY),
    Row("a proxy before the shipped emulator", 0, server="", env=_PROXY),
    Row("a proxy for others", 0, env=_PROXY | {"NO_PROXY": "127.0.0.1"}),
    Row("a proxy that is no address", (4, 6), "proxy", env={"HTTP_PROXY": "http://["}),
    Row("a proxy of an unknown kind", (4, 6), "proxy", env={"HTTP_PROXY": "gopher://127.0.0.1:1"}),
    Row(
        "a proxy that refuses",
        6,
        "proxy",
        "refusing-proxy",
        "--endpoint-url http://mock.invalid",
        {"HTTP_PROXY": "{url}", **_OURS},
    ),
    Row("no bundle of AWS's variable", (4, 6), _NO_BUNDLE, env={"AWS_CA_BUNDLE": _NO_BUNDLE}),
    Row("no bundle of requests' variable", (4, 6), _NO_BUNDLE, env={"REQUESTS_CA_BUNDLE": _NO_BUNDLE}),
    Row(
        "a folder of certificates",
        0,
        env={"REQUESTS_CA_BUNDLE": "{tmp}"},
        tests="test_missing.py test_sdk.py::test_botocore",
    ),
    Row(
        "certificates that are none",
        6,
        "certificates",
        options="--endpoint-url https://127.0.0.1:{port}",
        env={"AWS_CA_BUNDLE": "{tmp}/ca.pem"},
        files={"ca.pem": "none"},
    ),
    Row("https where http is spoken", 6, "TLS", options="--endpoint-url https://127.0.0.1:{port}"),
    Row("an unknown name", 6, "nothing listens at", options="--endpoint-url http://mock.invalid", env=_OURS),
    Row("nothing listens", 6, _NOBODY, options="--endpoint-url http://127.0.0.1:1"),
    Row("no answer", 6, "does not answer: no answer within", "silent", "--request-timeout 0.2"),
    Row("connections that are closed", 6, "does not answer: the connection was closed", "dropping"),
    Row("one connection at a time", 6, "answers on 1 of the 4 connections", "one-at-a-time", _QUICK),
    Row("three connections at a time", 6, "answers on 3 of the 4", "three-at-a-time", _QUICK),
    Row("another protocol", 6, "does not answer: ", "smtp"),
    Row("a server that dies", 6, "nothing listens at {url}...(tests/contract/test_", "dying", "-n 2"),
]

_GIVEN = "--domain-name d --integration-uri u"
_FORBIDDEN = "denies the caller access: 403"
STARTS = [
    Row("503 at the start", 6, "is unavailable: it answered 503...--wait", "unavailable"),
    Row(
        "503 for longer than is waited", 6, "waits up to 0.5 s...is unavailable", "unavailable", "--wait 0.5"
    ),
    Row("503 at first", 0, "waits up to 20 s", "starting", "--wait 20"),
    Row("nothing listens at first", 0, server="late", options="--wait 20"),
    Row("nothing listens for long", 6, _NOBODY, options="--endpoint-url http://127.0.0.1:1 --wait 0.5"),
    Row("a server that restarts without its state", 6, "lost the domain", "restarting"),
    Row("somebody removes the domain", 6, "lost the domain", "forgetting", tests="test_valid.py"),
    Row(
        "writing that was asked for and is refused",
        6,
        "CreateDomain answered 403 AccessDeniedException",
        "read-only",
        "--allow-writes",
    ),
    Row("no operation of AWS", 6, "does not implement GetIntegration", "website"),
    Row("no such method", 6, "does not implement GetIntegration", "methodless", _GIVEN),
    Row("a crash at the start", 6, "500", "crashing"),
    Row("no state", 6, "give --domain-name and --integration-uri of one that exists", "unwritable"),
    Row(
        "given state that does not exist",
        6,
        "the integration 'u' of domain 'd' does not exist: change --domain-name and --integration-uri",
        "unwritable",
        _GIVEN,
    ),
    Row("a caller without permission", 6, f"{_FORBIDDEN} AccessDeniedException", "emulator", _GIVEN, _DENIED),
    Row("a gateway that refuses everybody", 6, _FORBIDDEN, "forbidding"),
    Row(
        "throttled from the start",
        6,
        "3 requests in...the limit of 3 requests is reached",
        "throttling",
        f"{_GIVEN} --max-requests 3",
    ),
    Row("a limit that is reached", 6, "the limit of 12 requests is reached", options="--max-requests 12"),
    Row("an empty page and then more", 0, server="paging", options="--no-writes"),
    Row("pages without an end", 6, "no integration to test with", "endless", "--no-writes"),
]

_FULL, _PIPE = "ulimit -f 1; {run}", "mkfifo {tmp}/pipe; {run}"
_TARGET = "--target {tmp}/t.toml"
DISK = [
    Row("reports under a file", 4, "cannot write to", "", "--report-dir {tmp}/file/a", files={"file": ""}),
    Row("a recording into a pipe", 4, "--record", "", "--record {tmp}/pipe", shell=_PIPE),
    Row("waivers into a pipe", 4, "--write-waivers", "", "--write-waivers {tmp}/pipe", shell=_PIPE),
    Row("a full disk under reports", (3, 4), "cannot write", "emulator", "--report-dir {tmp}/a", shell=_FULL),
    Row(
        "a full disk under a recording",
        (3, 4),
        "cannot write",
        "emulator",
        "--record {tmp}/a.har",
        shell=_FULL,
    ),
    Row(
        "a summary that has no folder",
        0,
        "GITHUB_STEP_SUMMARY",
        env={"GITHUB_STEP_SUMMARY": "{tmp}/none/a.md"},
    ),
    Row("no folder for what is temporary", 0, options="--rate 900", env={"TMPDIR": "/nonexistent"}),
    Row("no home", 0, env={"HOME": "/nonexistent"}),
    Row("a target file that is a folder", 4, "--target: cannot read", "", "--target {tmp}"),
    Row("a target file of bytes", 4, "is not TOML", "", _TARGET, files={"t.toml": "\x00\x01"}),
    Row(
        "a target file that begins with a mark",
        4,
        "depth must be one of",
        "",
        _TARGET,
        files={"t.toml": "\ufeffdepth = 'x'"},
    ),
]

STREAMS = [
    Row("standard output is closed", (0, 3), shell="{run} >&-"),
    Row("standard error is closed", 0, shell="{run} 2>&-"),
    Row("standard error is full", 4, shell="{run} --rate 0 2>/dev/full"),
    Row("standard input is closed", 0, shell="{run} <&-"),
    Row("an encoding of seven bits", 0, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}),
    Row("a terminal of one column", 0, env={"COLUMNS": "1"}),
    Row("a width that is no number", 0, env={"COLUMNS": "wide"}),
]


def _signalled(name: str, *numbers: str, server: str = "slow") -> Row:
    """A run that is sent signals while it asks."""
    kills = " ".join(f"kill -{number} $!; sleep 0.05;" for number in numbers)
    return Row(
        name,
        2,
        "INTERRUPTED",
        server,
        "-p signals",
        {"PYTHONPATH": "{tmp}"},
        {"signals.py": "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"},
        "{run} & while [ ! -e {tmp}/asked ]; do sleep 0.05; done; " + kills + " wait $!",
        "test_malformed.py",
    )


SIGNALS = [
    _signalled("SIGINT", "INT"),
    _signalled("SIGTERM", "TERM"),
    _signalled("SIGHUP", "HUP"),
    _signalled("SIGTERM twice", "TERM", "TERM"),
    _signalled("SIGINT after SIGTERM", "TERM", "INT"),
    _signalled("SIGTERM before the tests", "TERM", server="slow-at-once"),
]

_GENERATED, _SDK = "test_generated.py::test_coverage", "test_sdk.py::test_botocore"
_HOOKS = {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": "{tmp}", "HYPOTHESIS_PROFILE": "ci", "CI": "1"}
_AWS = {"AWS_ENDPOINT_URL": "https://profile.us-east-1.amazonaws.com"}
TOOLS = [
    Row("options of pytest that do not exist", 4, "--bogus", env={"PYTEST_ADDOPTS": "--bogus"}),
    Row("each worker does everything", 4, "--dist", options="--dist each --tx 2*popen"),
    Row("no xdist", 0, options="-p no:xdist"),
    Row("nothing is remembered", 0, options="-p no:cacheprovider"),
    Row(
        "somebody's hooks of Schemathesis",
        0,
        env=_HOOKS,
        files={"hooks.py": "raise SystemExit('{secret}')\n"},
        tests=_GENERATED,
    ),
    Row("hooks that are not there", 0, env={"SCHEMATHESIS_HOOKS": "none"}, tests=_GENERATED),
    Row("continuous integration", 0, env={"CI": "true", "GITHUB_ACTIONS": "true", "TF_BUILD": "1"}),
    Row("warnings are errors", 0, env={"PYTHONWARNINGS": "error"}),
    Row("colour is forced", 0, env={"FORCE_COLOR": "1", "PY_COLORS": "1"}),
    Row("no such retries", 0, env={"AWS_RETRY_MODE": "none", "AWS_MAX_ATTEMPTS": "many"}, tests=_SDK),
    Row("no such defaults", 0, env={"AWS_DEFAULTS_MODE": "none"}, tests=_SDK),
    Row("a variable holds no address", 4, "is not an address", "", env={"AWS_ENDPOINT_URL": "here"}),
    Row("a variable holds AWS's address", 4, "name it with --endpoint-url", "", env=_AWS),
    Row("a region that is none", 4, "AWS_REGION: ", env={"AWS_REGION": "not a region"}),
    Row("variables that are empty", 0, env={"AWS_REGION": "", "AWS_ENDPOINT_URL": "", "HTTP_PROXY": ""}),
]

FAULTS = [*CREDENTIALS, *CLOCKS, *NETWORK, *STARTS, *DISK, *STREAMS, *SIGNALS, *TOOLS]
