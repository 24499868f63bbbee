"""Report documents, and a real browser."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from . import documents


@pytest.fixture
def healthy() -> dict[str, Any]:
    """A run in which nothing is wrong."""
    return documents.healthy()


@pytest.fixture
def failing() -> dict[str, Any]:
    """A run with six violations of four causes, two reported ones and a waived one."""
    return documents.failing()


@pytest.fixture
def hostile() -> dict[str, Any]:
    """A run against a server that attacks who reads the report."""
    return documents.hostile()


@pytest.fixture(params=["healthy", "failing", "hostile"])
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Every kind of document in turn."""
    report: dict[str, Any] = getattr(documents, request.param)()
    return report


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a headless-capable browser."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    return path
