"""Many requests at once, each thread with a client of its own, since a client is for one thread.

It is a sibling of the worker's, with the same rate budget. Answers are judged after the threads have ended.
"""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from getintegration_contract.exchange import Exchange
from getintegration_contract.identity import Identity
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.faults import transient_fault
from getintegration_contract.target.target import Target

#: Times that all ask at once, while too many faults may still be an accident.
ROUNDS = 3
#: Readers beside a writer, and readings of each during one write.
READERS, READINGS = 3, 2

T = TypeVar("T")


class Question(NamedTuple):
    """What is asked for, and by whom."""

    identity: Identity
    domain: str
    uri: str

    def ask(self, client: Client) -> Exchange:
        """Ask it."""
        return client.send(get_integration(self.domain, self.uri), self.identity)


Answers = list[tuple[Question, Exchange]]


@dataclass
class Crowd:
    """Threads that ask a number of questions each; at any moment they ask different ones.

    Attributes:
        faults_alone, faults_at_once: The share of requests that met a fault: of single ones, and of those at
            once, in the middle one of the rounds.
        rounds: How often all asked at once.
        most_under_way, worst: Of the last round, how many requests met, and the exchange with most faults.
    """

    client: Client
    target: Target
    threads: int
    each: int
    seed: int
    faults_alone: float = 0.0
    faults_at_once: float = 0.0
    rounds: int = 0
    most_under_way: int = 0
    worst: Exchange | None = None

    def one_by_one(self, questions: Sequence[Question]) -> dict[Question, tuple[Exchange, Exchange]]:
        """Two answers to each question, with nobody else asking."""
        alone = {one: (one.ask(self.client), one.ask(self.client)) for one in questions}
        self.faults_alone = _share_of_faults([exchange for both in alone.values() for exchange in both])
        return alone

    def at_once(self, questions: Sequence[Question], bearable: float) -> Answers:
        """The answers, each with its question.

        If more met a fault than is bearable, they are asked again, and two rounds of three decide.
        """
        shares: list[float] = []
        while not shares or (len(shares) < ROUNDS and sum(share > bearable for share in shares) == 1):
            answers = self._ask(questions)
            exchanges = [exchange for _, exchange in answers]
            shares.append(_share_of_faults(exchanges))
        self.rounds, self.faults_at_once = len(shares), sorted(shares)[len(shares) // 2]
        self.most_under_way = _most_under_way(exchanges)
        self.worst = max(exchanges, key=_count_faults)
        return answers

    def _ask(self, questions: Sequence[Question]) -> Answers:
        deadline = time.monotonic() + 3 * self.target.request_timeout

        def job(order: list[Question]) -> Callable[[Client], Answers]:
            return lambda sibling: [(one, one.ask(sibling)) for one in order if time.monotonic() < deadline]

        jobs = [job(order) for order in self._orders(questions)]
        gathered = at_once(self.client, jobs, self.target.request_timeout)
        return [answer for answers in gathered for answer in answers]

    def _orders(self, questions: Sequence[Question]) -> list[list[Question]]:
        chance = random.Random(self.seed)
        orders = []
        for thread in range(self.threads):
            in_turn = itertools.islice(itertools.cycle(questions), thread, thread + self.each)
            orders.append([one if chance.random() < 0.7 else chance.choice(questions) for one in in_turn])
        return orders


def at_once(client: Client, jobs: Sequence[Callable[[Client], T]], timeout: float) -> list[T]:
    """Do jobs at the same time, a thread for each, and return their results in order."""
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[Client], T]) -> T:
        with closing(client.sibling()) as sibling:
            start.wait(timeout)
            return job(sibling)

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def read_during(
    client: Client, question: Question, writes: Iterable[Callable[[], T]]
) -> tuple[list[T], list[Exchange]]:
    """Write while others read, and return what the writes gave and what was read.

    Readers begin together with each write, so that readings fall into it.
    """
    together = threading.Barrier(READERS + 1)
    writing = list(writes)
    written: list[T] = []

    def read() -> list[Exchange]:
        exchanges: list[Exchange] = []
        try:
            with closing(client.sibling()) as sibling:
                for _ in writing:
                    together.wait()
                    exchanges += [question.ask(sibling) for _ in range(READINGS)]
        except threading.BrokenBarrierError:
            pass  # a write was refused, which is said where it was asked for
        except BaseException:
            together.abort()  # not at a good end: others may still be about to leave the barrier
            raise
        return exchanges

    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read) for _ in range(READERS)]
        try:
            for write in writing:
                together.wait()
                written.append(write())
        except threading.BrokenBarrierError:
            pass  # a reader ended early, and says why
        except BaseException:
            together.abort()
            raise
    return written, [exchange for reader in readers for exchange in reader.result()]


def _most_under_way(exchanges: Sequence[Exchange]) -> int:
    """How many requests were under way at once, at most."""
    moments = [(exchange.started, 1) for exchange in exchanges]
    moments += [(exchange.started + exchange.seconds, -1) for exchange in exchanges]
    return max(itertools.accumulate(change for _, change in sorted(moments)), default=0)


def lasting_fault(exchange: Exchange) -> str | None:
    """A fault that repeats did not mend; throttling is none."""
    fault = transient_fault(exchange.response)
    return None if fault == "429" else fault


def _count_faults(exchange: Exchange) -> int:
    """Faults that a client sees of a server that is asked too much at once; its 429 are none."""
    return sum(fault != "429" for fault in exchange.faults) + (lasting_fault(exchange) is not None)


def _share_of_faults(exchanges: Sequence[Exchange]) -> float:
    """The share of exchanges that met a fault."""
    return sum(_count_faults(exchange) > 0 for exchange in exchanges) / len(exchanges)
