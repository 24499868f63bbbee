"""The budget: never above the rate in any second, close below it, one limit for all processes."""

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain, pairwise
from pathlib import Path
from statistics import median

import pytest

from getintegration_contract.errors import BudgetExhausted
from getintegration_contract.sending.budget import MARGIN, Budget


def _stamps(path: Path, rate: float, limit: int | None, start: float, seconds: float) -> list[float]:
    """When requests of one process left."""
    budget, stamps = Budget(str(path), rate, limit), list[float]()
    time.sleep(start - time.monotonic())
    with suppress(BudgetExhausted):
        while time.monotonic() < start + seconds:
            stamps.append(budget.acquire())
    return stamps


def departures(
    path: Path, processes: int, rate: float, seconds: float, limit: int | None = None
) -> list[float]:
    """When requests of several processes left, all together."""
    given = (path, rate, limit, time.monotonic() + 0.5, seconds)
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        return sorted(chain.from_iterable(pool.starmap(_stamps, [given] * processes, chunksize=1)))


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_rate_is_kept_by_all_processes_together(tmp_path: Path, processes: int) -> None:
    rate = 40
    stamps = departures(tmp_path / "budget", processes, rate, 1.1)
    busiest = max(sum(begin <= stamp < begin + 1 for stamp in stamps) for begin in stamps)
    assert busiest <= rate, "in any second, wherever it begins"
    measured = (len(stamps) - 1) / (stamps[-1] - stamps[0])
    assert rate * 0.6 < measured <= rate  # a busy machine may be slow, never fast


def test_limit_holds_for_all_processes_together(tmp_path: Path) -> None:
    assert len(departures(tmp_path / "budget", 2, 1000, 2, limit=37)) == 37


def test_threads_share_the_rate_evenly(tmp_path: Path) -> None:
    budget = Budget(str(tmp_path / "budget"), 25)
    with ThreadPoolExecutor(4) as pool:
        stamps = sorted(pool.map(lambda _: budget.acquire(), range(10)))
    assert stamps[-1] - stamps[0] >= 9 * (1 + MARGIN) / 25 * 0.95
    assert median(late - early for early, late in pairwise(stamps)) > 0.03


def test_limit_alone_does_not_wait_counts_what_it_limits_and_its_file_is_removed() -> None:
    budget = Budget.create(None, 3)
    for limited in (False, True, False, True, True):
        budget.acquire(limited)
    with pytest.raises(BudgetExhausted, match="limit of 3 requests"):
        budget.acquire()
    budget.remove()
    budget.remove()
    assert not Path(budget.path).exists()


def test_rate_goes_on_after_requests_that_ignored_it(tmp_path: Path) -> None:
    path = tmp_path / "budget"
    for _ in range(12):
        Budget(path, None).acquire()
    budget = Budget(path, 50)
    begin = time.monotonic()
    for _ in range(6):
        budget.acquire()
    assert time.monotonic() - begin > 0.09


def test_requests_that_write_have_a_rate_of_their_own(tmp_path: Path) -> None:
    budget = Budget.create(200, 4, 2)
    budget.acquire()
    writes = [budget.acquire(writing=True) for _ in range(3)]
    with pytest.raises(BudgetExhausted):  # they count as requests like any other
        budget.acquire()
    assert writes[-1] - writes[0] >= 1
    budget.remove()
    assert list(Path(budget.path).parent.glob(f"{Path(budget.path).stem}.*")) == []
