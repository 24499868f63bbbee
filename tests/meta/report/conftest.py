"""Report documents."""

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
