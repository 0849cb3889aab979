"""Workers that meet in threads of one process, as processes do."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from genkit.workers.line import free_port, meeting
from genkit.workers.team import Team

FACTS = {"plan": "a" * 64, "version of Keras": "3.15"}


def teams(size):
    port = free_port("127.0.0.1")
    return [Team(rank, size, rank, "127.0.0.1", port) for rank in range(size)]


class Losses(list):
    """What would have ended each process: pairs of exit code and reason."""

    def __init__(self):
        super().__init__()
        self.came = threading.Event()

    def __call__(self, code, what):
        self.append((code, what))
        self.came.set()


@contextmanager
def hired(size):
    """Yield a pool in which each worker can wait for the others."""
    with ThreadPoolExecutor(size) as pool:
        yield pool


def meet_and(teams, deed, facts=None):
    """Have all workers meet and do something on the line; return what each gave, or raised."""

    def work(team):
        given = (facts or {}).get(team.rank, FACTS)
        with meeting(team, given, Losses()) as line:
            return deed(line)

    with hired(len(teams)) as pool:
        futures = [pool.submit(work, team) for team in teams]
        return [future.exception() or future.result() for future in futures]
