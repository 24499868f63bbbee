"""What may be wrong around a run: the fault, the exit status that is due, and what the sentence must name.

Nothing here is the target's fault, so no row ends with status 1. ``{url}``, ``{port}``, ``{tmp}``,
``{python}`` and ``{secret}`` are filled in; the servers are in servers.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: A secret that no output may show.
SECRET = "MARKED-secret-key-0123456789"


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        status: The exit statuses that are right.
        said: What the output must name.
        server: What listens at ``{url}``; empty for the shipped emulator.
        options: Of pytest, after the address.
        env: Environment variables; None removes one.
        files: Files in ``{tmp}``; a ``.py`` one that begins with ``#!`` can be executed.
        shell: A command of the shell around ``{run}``, where streams, limits or signals are the fault.
        tests: What runs: files of the suite, or tests of them, with spaces between.
    """

    name: str
    status: int | tuple[int, ...]
    said: tuple[str, ...] = ()
    server: str = "emulator"
    options: tuple[str, ...] = ()
    env: dict[str, str | None] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    shell: str = ""
    tests: str = "test_missing.py"


def _profile(
    text: str, *said: str, status: int = 4, name: str, helper: str = "", more: tuple[str, ...] = ()
) -> Row:
    """A row about a profile of AWS's configuration, and the program that it names."""
    files = {"config": f"[profile p]\n{text}\n"} | (
        {"helper.py": f"#!{{python}}\n{helper}\n"} if helper else {}
    )
    env: dict[str, str | None] = {"AWS_PROFILE": "p", "AWS_CONFIG_FILE": "{tmp}/config"}
    return Row(name, status, ("credentials for caller: ", *said), "emulator", more, env, files)


_HELPER = "credential_process = {tmp}/helper.py"
_KEYS = '"AccessKeyId": "AKIAMARKED", "SecretAccessKey": "{secret}"'
_REMOTE: dict[str, str | None] = {"AWS_ACCESS_KEY_ID": "AKIAMARKED", "AWS_SECRET_ACCESS_KEY": "{secret}"}

CREDENTIALS = [
    _profile(
        "credential_process = /nonexistent/helper", "No such file", "/nonexistent/helper", name="no helper"
    ),
    _profile(
        _HELPER, "cannot be read as credentials", name="a helper prints no JSON", helper="print('{secret}')"
    ),
    _profile(
        _HELPER,
        "cannot be read as credentials",
        name="a helper prints no JSON, with locals and a full traceback",
        helper="print('{secret}')",
        more=("-l", "--full-trace"),
    ),
    _profile(
        _HELPER,
        "the credential_process failed",
        name="a helper fails and prints a secret",
        helper="import sys; sys.exit('{secret}')",
    ),
    _profile(
        _HELPER,
        "cannot be read as credentials",
        name="a helper's expiry is no date",
        helper=f"""print('{{"Version": 1, {_KEYS}, "SessionToken": "t", "Expiration": "soon"}}')""",
    ),
    _profile(_HELPER, "cannot be read", name="a helper prints a list", helper="print('[1]')"),
    _profile(
        _HELPER,
        "the credential_process failed",
        name="a helper leaves a key out",
        helper="""print('{"Version": 1, "AccessKeyId": "{secret}"}')""",
    ),
    _profile(
        "role_arn = arn:aws:iam::123456789012:role/r\nsource_profile = q\nmfa_serial = 1\n"
        "[profile q]\naws_access_key_id = AKIAMARKED\naws_secret_access_key = {secret}",
        "MFA code",
        name="a code of MFA is asked for",
    ),
    _profile("aws_access_key_id = AKIAMARKED", "Partial credentials", name="half of the credentials"),
    _profile(
        "sso_start_url = https://sso.example\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = r",
        "SSO",
        name="nobody is logged in",
    ),
    _profile("role_arn = arn\nsource_profile = p2", "p2", name="a source profile that does not exist"),
    Row(
        "a profile that does not exist",
        4,
        ("The config profile (none) could not be found",),
        env={"AWS_PROFILE": "none"},
    ),
    Row(
        "a configuration that is none",
        4,
        ("Unable to parse config file",),
        env={"AWS_CONFIG_FILE": "{tmp}/config", "AWS_PROFILE": "p"},
        files={"config": "[profile p\n{secret}"},
    ),
    Row(
        "a token file that is not there",
        4,
        ("No such file", "/nonexistent/token"),
        env={
            "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/token",
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
            "AWS_REGION": "us-east-1",
        },
    ),
    Row(
        "a container's address of somebody else",
        4,
        ("credentials for caller: ",),
        env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://203.0.113.1/"},
    ),
    Row(
        "a container that answers no JSON",
        4,
        ("the provider container-role failed",),
        server="secretive",
        env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{url}/"},
    ),
    Row(
        "a container's token file is not there",
        4,
        ("No such file", "/nonexistent/token"),
        env={
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nonexistent/token",
        },
    ),
    Row("a key with a line break", 4, ("printable ASCII",), env=_REMOTE | {"AWS_ACCESS_KEY_ID": "A\nB"}),
    Row(
        "a secret that is no ASCII",
        4,
        ("printable ASCII",),
        env=_REMOTE | {"AWS_SECRET_ACCESS_KEY": "gehe\u00efm"},
    ),
    Row(
        "credentials that are refused",
        6,
        ("refuses the credentials of the caller: 403 UnrecognizedClientException", "for region us-east-1"),
        env=_REMOTE,
    ),
    Row(
        "a secret that is another's",
        6,
        ("refuses the credentials of the caller: 403", "its clock"),
        env={"AWS_ACCESS_KEY_ID": "AKIAEXAMPLECALLER001", "AWS_SECRET_ACCESS_KEY": "{secret}"},
    ),
    Row("credentials that run out", 6, ("the caller's credentials ran out after",), server="expiring"),
    Row(
        "credentials that run out while writing",
        6,
        ("the caller's credentials ran out after",),
        server="expiring-late",
        tests="test_state.py",
    ),
    Row(
        "credentials that cannot be refreshed",
        (4, 6),
        ("cannot be re",),
        env={"AWS_PROFILE": "p", "AWS_CONFIG_FILE": "{tmp}/config"},
        files={
            "config": "[profile p]\ncredential_process = {tmp}/helper.py",
            "helper.py": "#!{python}\nimport datetime, json, pathlib\n"
            "count = pathlib.Path('{tmp}/count')\nn = int(count.read_text()) + 1 if count.exists() else 1\n"
            "count.write_text(str(n))\n"
            "soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=2)\n"
            "keys = dict(Version=1, Expiration=soon.isoformat(), AccessKeyId='ASIAEXAMPLETEMP00001')\n"
            "keys['SecretAccessKey'] = 'temporary-EXAMPLE-secret-key-012345678901'\n"
            "keys['SessionToken'] = 'EXAMPLE-session-token'\n"
            "print(json.dumps(keys) if n < 9 else '{secret}')\n",
        },
    ),
]

CLOCKS = [
    Row("a server's clock is ahead", 6, ("refuses the credentials", "ahead of this one"), server="skewed"),
    Row("a server's clock cannot be read", 6, ("refuses the credentials",), server="skewed-unreadably"),
    Row("a server's clock is ahead and nobody minds", 0, server="ahead"),
    Row("a time zone that does not exist", 0, env={"TZ": "Nowhere/Never"}),
]

_PROXY: dict[str, str | None] = {"HTTP_PROXY": "http://me:{secret}@127.0.0.1:1", "NO_PROXY": None}
NETWORK = [
    Row("a proxy that is not there", 6, ("proxy", "127.0.0.1:1"), env=_PROXY),
    Row("a proxy before the shipped emulator", 0, server="", env=_PROXY),
    Row("a proxy for others", 0, env=_PROXY | {"NO_PROXY": "127.0.0.1"}),
    Row("a proxy that is no address", (4, 6), ("proxy",), env={"HTTP_PROXY": "http://[", "NO_PROXY": None}),
    Row("a proxy of an unknown kind", (4, 6), ("proxy",), env={"HTTP_PROXY": "gopher://127.0.0.1:1"}),
    Row(
        "a proxy that refuses",
        6,
        ("proxy",),
        server="refusing-proxy",
        options=("--endpoint-url", "http://mock.invalid"),
        env={"HTTP_PROXY": "{url}", **_REMOTE},
    ),
    Row(
        "certificates that are not there",
        (4, 6),
        ("/nonexistent/ca.pem",),
        env={"AWS_CA_BUNDLE": "/nonexistent/ca.pem"},
    ),
    Row(
        "certificates of requests that are not there",
        (4, 6),
        ("/nonexistent/ca.pem",),
        env={"REQUESTS_CA_BUNDLE": "/nonexistent/ca.pem"},
    ),
    Row(
        "a folder of certificates",
        0,
        env={"REQUESTS_CA_BUNDLE": "{tmp}"},
        tests="test_missing.py test_sdk.py::test_botocore",
    ),
    Row(
        "certificates that are none",
        6,
        ("certificates",),
        options=("--endpoint-url", "https://127.0.0.1:{port}"),
        env={"AWS_CA_BUNDLE": "{tmp}/ca.pem"},
        files={"ca.pem": "none"},
    ),
    Row("https where http is spoken", 6, ("TLS",), options=("--endpoint-url", "https://127.0.0.1:{port}")),
    Row(
        "a name that does not resolve",
        6,
        ("nothing listens at",),
        options=("--endpoint-url", "http://mock.invalid"),
        env=_REMOTE,
    ),
    Row(
        "nothing listens",
        6,
        ("nothing listens at http://127.0.0.1:1",),
        options=("--endpoint-url", "http://127.0.0.1:1"),
    ),
    Row(
        "an answer that never comes",
        6,
        ("does not answer: no answer within",),
        server="silent",
        options=("--request-timeout", "0.2"),
    ),
    Row("connections that are closed", 6, ("does not answer: the connection was closed",), server="dropping"),
    Row("another protocol", 6, ("does not answer: ",), server="smtp"),
]

_GIVEN = ("--domain-name", "d", "--integration-uri", "u")
STARTS = [
    Row("503 at the start", 6, ("is unavailable: it answered 503", "--wait"), server="unavailable"),
    Row(
        "503 for longer than is waited",
        6,
        ("waits up to 0.5 s", "is unavailable"),
        server="unavailable",
        options=("--wait", "0.5"),
    ),
    Row("503 at first", 0, ("waits up to 20 s",), server="starting", options=("--wait", "20")),
    Row("nothing listens at first", 0, server="late", options=("--wait", "20")),
    Row(
        "nothing listens for longer than is waited",
        6,
        ("nothing listens",),
        options=("--endpoint-url", "http://127.0.0.1:1", "--wait", "0.5"),
    ),
    Row("a server that restarts without its state", 6, ("lost the domain",), server="restarting"),
    Row("somebody removes the domain", 6, ("lost the domain",), server="forgetting", tests="test_valid.py"),
    Row(
        "writing that was asked for and is refused",
        6,
        ("CreateDomain answered 403 AccessDeniedException",),
        server="read-only",
        options=("--allow-writes",),
    ),
    Row("no operation of AWS", 6, ("does not implement GetIntegration",), server="website"),
    Row("no such method", 6, ("does not implement GetIntegration",), server="methodless", options=_GIVEN),
    Row("a crash at the start", 6, ("500",), server="crashing"),
    Row("no state", 6, ("give --domain-name and --integration-uri of one that exists",), server="unwritable"),
    Row(
        "given state that does not exist",
        6,
        ("the integration 'u' of domain 'd' does not exist: change --domain-name and --integration-uri",),
        server="unwritable",
        options=_GIVEN,
    ),
    Row(
        "a caller without permission",
        6,
        ("denies the caller access: 403 AccessDeniedException",),
        options=_GIVEN,
        env={
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEDENIED001",
            "AWS_SECRET_ACCESS_KEY": "denied-EXAMPLE-secret-key-0123456789abcd",
        },
    ),
    Row("a gateway that refuses everybody", 6, ("denies the caller access: 403",), server="forbidding"),
    Row(
        "throttled from the start",
        6,
        ("the limit of 3 requests is reached",),
        server="throttling",
        options=(*_GIVEN, "--max-requests", "3"),
    ),
    Row(
        "a limit that is reached",
        6,
        ("the limit of 12 requests is reached",),
        options=("--max-requests", "12"),
    ),
    Row("an empty page and then more", 0, server="paging", options=("--no-writes",)),
    Row(
        "pages without an end",
        6,
        ("no integration to test with",),
        server="endless",
        options=("--no-writes",),
    ),
]

_FULL = "ulimit -f 1; {run}"
DISK = [
    Row(
        "reports under a file",
        4,
        ("cannot write to",),
        options=("--report-dir", "{tmp}/file/reports"),
        files={"file": ""},
    ),
    Row(
        "a recording into a pipe",
        4,
        ("--record",),
        options=("--record", "{tmp}/pipe"),
        shell="mkfifo {tmp}/pipe; {run}",
    ),
    Row(
        "waivers into a pipe",
        4,
        ("--write-waivers",),
        options=("--write-waivers", "{tmp}/pipe"),
        shell="mkfifo {tmp}/pipe; {run}",
    ),
    Row(
        "a full disk under the reports",
        (3, 4),
        ("cannot write",),
        options=("--report-dir", "{tmp}/reports"),
        shell=_FULL,
    ),
    Row(
        "a full disk under a recording",
        (3, 4),
        ("cannot write",),
        options=("--record", "{tmp}/a.har"),
        shell=_FULL,
    ),
    Row(
        "a summary that has no folder",
        0,
        ("GITHUB_STEP_SUMMARY",),
        env={"GITHUB_STEP_SUMMARY": "{tmp}/none/summary.md"},
    ),
    Row("no folder for what is temporary", 0, options=("--rate", "900"), env={"TMPDIR": "/nonexistent"}),
    Row("no home", 0, env={"HOME": "/nonexistent"}),
    Row(
        "a target file that is a folder",
        4,
        ("--target: cannot read",),
        server="",
        options=("--target", "{tmp}"),
    ),
    Row(
        "a target file of bytes",
        4,
        ("is not TOML",),
        server="",
        options=("--target", "{tmp}/t.toml"),
        files={"t.toml": "\x00\x01"},
    ),
    Row(
        "a target file that begins with a mark",
        4,
        ("depth must be one of",),
        server="",
        options=("--target", "{tmp}/t.toml"),
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


def _signalled(name: str, *numbers: str) -> Row:
    kills = " ".join(f"kill -{number} $!; sleep 0.05;" for number in numbers)
    script = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    return Row(
        name,
        2,
        ("INTERRUPTED",),
        server="slow",
        shell="{run} & while [ ! -e {tmp}/asked ]; do sleep 0.05; done; " + kills + " wait $!",
        tests="test_malformed.py",
        files={"signals.py": script},
        env={"PYTHONPATH": "{tmp}"},
        options=("-p", "signals"),
    )


SIGNALS = [
    _signalled("SIGINT", "INT"),
    _signalled("SIGTERM", "TERM"),
    _signalled("SIGHUP", "HUP"),
    _signalled("SIGTERM twice", "TERM", "TERM"),
    _signalled("SIGINT after SIGTERM", "TERM", "INT"),
]

_HOOKS = {"hooks.py": "raise SystemExit('{secret}')\n"}
TOOLS = [
    Row("options of pytest that do not exist", 4, ("--bogus",), env={"PYTEST_ADDOPTS": "--bogus"}),
    Row("each worker does everything", 4, ("--dist",), options=("--dist", "each", "--tx", "2*popen")),
    Row("no xdist", 0, options=("-p", "no:xdist")),
    Row("nothing is remembered", 0, options=("-p", "no:cacheprovider")),
    Row(
        "somebody's hooks of Schemathesis",
        0,
        env={"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": "{tmp}", "HYPOTHESIS_PROFILE": "ci", "CI": "1"},
        files=_HOOKS,
        tests="test_generated.py::test_coverage",
    ),
    Row(
        "somebody's hooks of Schemathesis that are not there",
        0,
        env={"SCHEMATHESIS_HOOKS": "none"},
        tests="test_generated.py::test_coverage",
    ),
    Row("continuous integration", 0, env={"CI": "true", "GITHUB_ACTIONS": "true", "TF_BUILD": "1"}),
    Row("warnings are errors", 0, env={"PYTHONWARNINGS": "error"}),
    Row("colour is forced", 0, env={"FORCE_COLOR": "1", "PY_COLORS": "1"}),
    Row(
        "botocore's retries are none",
        0,
        env={"AWS_RETRY_MODE": "none", "AWS_MAX_ATTEMPTS": "many"},
        tests="test_sdk.py::test_botocore",
    ),
    Row(
        "botocore's defaults are none",
        0,
        env={"AWS_DEFAULTS_MODE": "none"},
        tests="test_sdk.py::test_botocore",
    ),
    Row(
        "an address of the environment that is none",
        4,
        ("is not an address",),
        server="",
        env={"AWS_ENDPOINT_URL": "here"},
    ),
    Row(
        "the environment points at AWS",
        4,
        ("name it with --endpoint-url",),
        server="",
        env={"AWS_ENDPOINT_URL": "https://profile.us-east-1.amazonaws.com"},
    ),
    Row("a region that is none", 4, ("AWS_REGION: ",), env={"AWS_REGION": "not a region"}),
    Row(
        "variables that are empty",
        0,
        env={"AWS_REGION": "", "AWS_ENDPOINT_URL": "", "HTTP_PROXY": ""},
    ),
]

FAULTS = [*CREDENTIALS, *CLOCKS, *NETWORK, *STARTS, *DISK, *STREAMS, *SIGNALS, *TOOLS]
