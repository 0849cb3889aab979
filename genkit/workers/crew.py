"""How many workers are asked for, and how they come to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genkit.errors import UsageError
from genkit.plan.from_program import data_is_handed_over, model_is_handed_over
from genkit.plugins.registry import installed
from genkit.plugins.specs import resolve

if TYPE_CHECKING:
    from genkit.plan.plan import Plan
    from genkit.workers.launcher import Launcher
    from genkit.workers.team import Team

LOCAL = "local"
"""The launcher that is taken when none is named."""

_MOST_WORKERS = 1024


@dataclass(frozen=True)
class Crew:
    """The workers that are asked for.

    Args:
        size: how many; None for one, or for as many as the environment says.
        launcher: the name of what starts them, or knows that they were started.
    """

    size: int | None = None
    launcher: str = LOCAL

    @property
    def is_alone(self) -> bool:
        """Whether this process trains by itself."""
        return self.launcher == LOCAL and self.size in (None, 1)

    def made_launcher(self) -> Launcher:
        """Return what starts them.

        Raises:
            UnknownNameError: there is no such launcher.
            UsageError: what it needs isn't installed.
        """
        entry = installed().find("launchers", self.launcher)
        entry.check_packages()
        launcher: Launcher = resolve(entry.spec.launcher)()
        return launcher

    def place(self) -> Team | None:
        """Return the place of this process if it is one of them already; None if it starts them.

        Raises:
            GenkitError: there is no such launcher, or it doesn't know the place.
        """
        return None if self.is_alone else self.made_launcher().place(self.size)

    def leads(self) -> bool:
        """Whether this process shows what comes of it: not so a worker other than the first.

        Raises:
            GenkitError: as ``place``.
        """
        place = self.place()
        return place is None or place.rank == 0


ALONE = Crew()


def check_crew(crew: Crew, plan: Plan, callbacks: Sequence[Any] = ()) -> None:
    """Refuse workers that can't do a plan.

    Raises:
        GenkitError: there is no such launcher, no such number, the batch can't be divided, or
            something of this program can't be handed to other processes.
    """
    if crew.size is not None:
        if not 1 <= crew.size <= _MOST_WORKERS:
            raise UsageError(
                f"Expected a number of workers from 1 to {_MOST_WORKERS}; received {crew.size}."
            )
        from genkit.data.loader import check_divides

        check_divides(plan.batch_size, crew.size)
    if crew.is_alone or crew.place() is not None:
        return
    if crew.size is None:
        raise UsageError(
            f"Expected a number of workers for the launcher {crew.launcher}; received none.",
            "Pass --workers N.",
        )
    check_found_by_name(plan, callbacks)


def check_found_by_name(plan: Plan, callbacks: Sequence[Any] = ()) -> None:
    """Refuse what other processes can't be handed.

    Raises:
        UsageError: a model, data or callbacks of this program.
    """
    handed = {
        "a model": model_is_handed_over(plan),
        "data": data_is_handed_over(plan),
        "a callback": bool(callbacks),
    }
    for what in (what for what, there in handed.items() if there):
        raise UsageError(
            f"Expected what workers, which are other processes, find by name; received {what} "
            "of this program.",
            "Name one of a plugin; or start the program itself with torchrun, and pass "
            'launcher="env".',
        )
