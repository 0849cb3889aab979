"""The launcher of workers that something else has started: torchrun, srun, mpirun."""

from __future__ import annotations

import os

from genkit.workers.launcher import Launcher
from genkit.workers.team import Team, team_of


class EnvLauncher(Launcher):
    """Reads the place of this process from its environment."""

    def place(self, size: int | None) -> Team | None:
        return team_of(os.environ, size)
