"""How many workers are asked for, and how they come to be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genkit.errors import UsageError
from genkit.plan.from_program import data_is_handed_over, model_is_handed_over
from genkit.workers.team import team_of

if TYPE_CHECKING:
    from genkit.plan.plan import Plan

LAUNCHERS = ("local", "env")
_MOST_LOCAL = 1024


@dataclass(frozen=True)
class Crew:
    """The workers that are asked for.

    Args:
        size: how many; None for one, or for as many as the environment says.
        launcher: ``"local"`` starts them on this machine; with ``"env"`` they were started.
    """

    size: int | None = None
    launcher: str = "local"

    @property
    def is_alone(self) -> bool:
        """Whether this process trains by itself."""
        return self.launcher == "local" and self.size in (None, 1)

    def leads(self) -> bool:
        """Whether this process shows what comes of it: not so a worker other than the first.

        Raises:
            UsageError: the environment doesn't say which worker it is.
        """
        return self.launcher != "env" or team_of(os.environ, self.size).rank == 0


ALONE = Crew()


def check_crew(crew: Crew, plan: Plan, callbacks: Sequence[Any] = ()) -> None:
    """Refuse workers that can't do a plan.

    Raises:
        UsageError: there is no such launcher, no such number, the batch can't be divided, or
            something of this program can't be handed to other processes.
    """
    if crew.launcher not in LAUNCHERS:
        raise UsageError(f"Expected the launcher local or env; received {crew.launcher!r}.")
    if crew.size is not None:
        if not 1 <= crew.size <= _MOST_LOCAL:
            raise UsageError(
                f"Expected a number of workers from 1 to {_MOST_LOCAL}; received {crew.size}."
            )
        from genkit.data.loader import check_divides

        check_divides(plan.batch_size, crew.size)
    if crew.launcher == "env" or crew.is_alone:
        return
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
