"""Report documents, and a real browser."""

from __future__ import annotations

import shutil

import pytest

from . import documents
from .documents import Report

healthy = pytest.fixture(documents.healthy)
failing = pytest.fixture(documents.failing)
hostile = pytest.fixture(documents.hostile)


@pytest.fixture(params=["healthy", "failing", "hostile"])
def document(request: pytest.FixtureRequest) -> Report:
    """Every kind of document in turn."""
    report: Report = getattr(documents, request.param)()
    return report


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a headless-capable browser."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    return path
