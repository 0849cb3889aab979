"""What every launcher is: it starts workers and waits for them, or knows that they were started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from genkit.workers.team import Team

LOST, BEREFT = 75, 76
"""Exit codes of a process that another worker was lost to, and of one whose other one failed."""


class Stop(Protocol):
    """A wish to stop."""

    received: int
    """The number of the signal that came, 0 before."""


@dataclass(frozen=True)
class Ended:
    """How a worker ended.

    Args:
        rank: which it was.
        code: its exit code, of a signal the number below 0; None if it was ended because of
            another one.
        result: what it left: ``outcome``, ``error`` or ``lost``.
        last: the last line that it wrote on stderr.
    """

    rank: int
    code: int | None
    result: Mapping[str, Any]
    last: str

    @property
    def dead(self) -> bool:
        """Whether it was killed, or had lost another one."""
        return self.code is not None and (self.code < 0 or self.code == LOST)


class Launcher:
    """Starts the workers of a training, or knows that something else has.

    A subclass overrides one of the two methods. Whoever calls ``run`` starts all workers again from
    the last checkpoint when one dies.
    """

    def place(self, size: int | None) -> Team | None:  # noqa: ARG002 - a subclass's to look at
        """Return the place of this process among workers that were started already.

        Args:
            size: how many are expected; None for as many as there are.

        Returns:
            its place; None if this process is no worker and ``run`` starts them.

        Raises:
            UsageError: it isn't told, or another number was started.
        """
        return None

    def run(
        self, command: Sequence[str], size: int, order: Mapping[str, Any], stop: Stop
    ) -> list[Ended]:
        """Start workers, and wait until all have ended; when one ends badly the others end, too.

        ``genkit.workers.local.run_here`` does so for those of one machine.

        Args:
            command: the program of each.
            size: how many.
            order: what each is told.
            stop: what it receives is passed on to all, once.

        Returns:
            how each has ended, by rank.

        Raises:
            UsageError: there is no room for so many.
        """
        raise NotImplementedError
