"""One process of an augmentation: it does what is left of one seed; the job comes on stdin.

python -m genkit.workflows.augmentation.worker
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from genkit.files import read_json
from genkit.workflows.jobs import Job, serve

SEED = "seed"


def job_of(folder: Path, part: Path, run: Path, seed: int) -> Job:
    """Return the job that does what is left of a seed.

    Args:
        folder: of the augmentation.
        part: where it leaves what it has measured, see ``Scoreboard``.
        run: the run directory of the generator.
        seed: which repetition.
    """
    settings = {"folder": str(folder), "part": str(part), "seed": seed}
    return Job(__name__, SEED, part / "job.json", run, settings=settings)


def _do_seed(order: Mapping[str, Any]) -> dict[str, Any]:
    from genkit.workflows.augmentation.scoreboard import Scoreboard
    from genkit.workflows.augmentation.settings import Settings
    from genkit.workflows.augmentation.trial import Stopped, Trial

    wanted = order["settings"]
    folder, seed = Path(wanted["folder"]), wanted["seed"]
    settings = Settings.model_validate(read_json(folder / "settings.json"))
    tell = partial(print, file=sys.stderr, flush=True)
    trial = Trial(settings, folder, tell, progress=False)
    arms = Scoreboard(folder).missing(seed, trial.arms)
    try:
        for arm, score in trial.try_arms(seed, arms, Scoreboard(Path(wanted["part"]))):
            tell(f"seed {seed + 1} of {settings.seeds}: {arm.key}: {score:.2%}")
    except Stopped:
        return {}
    return {"done": True}


if __name__ == "__main__":
    serve({SEED: _do_seed})
