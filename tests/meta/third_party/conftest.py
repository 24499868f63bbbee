"""Third-party servers are tests' targets only where ``CONTRACT_THIRD_PARTY`` is set.

Its value is the folder that they are installed in; with ``1`` that is one in pytest's cache.
"""

import os
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from ..support import Result, emulator
from .servers import Microburst, Server, install

VARIABLE = "CONTRACT_THIRD_PARTY"

CALLER_ALONE = """
[identities.caller]
access-key-id = "AKIAEXAMPLECALLER001"
secret-access-key = "caller-EXAMPLE-secret-key-0123456789abcd"
account = "111122223333"
"""

Programs = Callable[[str], Path]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "third_party: has a server that is not ours as its target")


@pytest.fixture(scope="session")
def programs(pytestconfig: pytest.Config) -> Programs:
    """Installs a server and gives the folder of its programs."""
    value = os.environ.get(VARIABLE)
    if not value:
        pytest.skip(f"{VARIABLE} is not set: third-party servers are installed on demand only")
    folder = Path(value).resolve()
    if value == "1":
        if pytestconfig.cache is None:
            pytest.skip(f"pytest has no cache to install into: {VARIABLE} has to name a folder")
        folder = pytestconfig.cache.mkdir("third-party")
    return partial(install, folder)


@pytest.fixture(scope="module")
def mock(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Prism as people start it."""
    with closing(Server("prism", programs("prism"), tmp_path_factory.mktemp("prism"))) as server:
        yield server


@pytest.fixture(scope="session")
def microburst(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Microburst]:
    """The fault-injecting proxy, in front of the shipped emulator; it changes Host, so nobody verifies.

    The emulator throttles nobody itself: every identity is its caller.
    """
    folder = tmp_path_factory.mktemp("microburst")
    identities = folder / "identities.toml"
    identities.write_text(CALLER_ALONE, encoding="utf-8")
    with (
        closing(emulator("--no-signatures", "--identities", str(identities))) as behind,
        closing(Microburst(programs("microburst"), folder, behind.url)) as proxy,
    ):
        yield proxy


@pytest.fixture(scope="session")
def expected() -> Callable[[str, str], set[str]]:
    """The clauses that a server was found to violate, by hand."""
    text = Path(__file__).with_name("expectations.toml").read_text(encoding="utf-8")
    expectations = tomllib.loads(text)
    return lambda server, case: set(expectations[server][case])


def violated(result: Result) -> set[str]:
    """The clauses that a run found violated, those that are only reported among them."""
    return {clause for clause, outcome in result.outcomes.items() if outcome == "violated"}
