"""Several workers: started here, or this process is one of them."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.errors import UsageError
from genkit.plan import activation
from genkit.plan.fitting import Outcome
from genkit.plugins.entry_points import own_version
from genkit.runs.names import check_free, is_run
from genkit.runs.run import Run
from genkit.workers.crew import Crew
from genkit.workers.line import Line, end_process, meeting
from genkit.workers.local import run_workers
from genkit.workers.team import Team, patient_threads, take_device

if TYPE_CHECKING:
    from collections.abc import Callable

    from genkit.data import Source
    from genkit.plan.plan import Plan

_WORKER = (sys.executable, "-m", "genkit.workflows.worker")


def start(crew: Crew, path: Path, plan: Plan, order: Mapping[str, Any]) -> Outcome:
    """Have workers carry out an order, and begin again when one dies.

    Args:
        crew: how many, and what starts them.
        path: the run directory; what was begun in it is gone on with.
        plan: what they do there.
        order: what else they are told; see ``genkit.workflows.worker``.
    """
    from genkit.runs import checkpoints

    def step() -> int:
        return max(checkpoints.steps(Run(path, plan).checkpoints), default=0)

    def next_order() -> dict[str, Any]:
        begun = {"do": "resume"} if is_run(path) else {}
        return {**order, **begun, "plan": plan.model_dump(mode="json"), "path": str(path)}

    assert crew.size is not None, "who is not alone has a number"
    return Outcome(**run_workers(crew.made_launcher(), _WORKER, crew.size, next_order, step))


@contextmanager
def joining(team: Team, plan: Plan, path: Path, *, new: bool = True) -> Iterator[tuple[Line, Path]]:
    """Be one of the workers that something else has started, inside the block.

    Args:
        team: the place of this process.
        plan: what they do.
        path: the run directory; the first worker's is that of all.
        new: whether it must not be there yet.

    Yields:
        the line to the others, and the run directory.
    """
    from genkit.data.loader import check_divides

    check_divides(plan.batch_size, team.size)
    with together(team, plan) as line:
        if new and team.rank == 0:
            check_free(path)
        yield line, Path(line.exchange(str(path))[0])


@contextmanager
def together(
    team: Team, plan: Plan, on_loss: Callable[[int, str], None] = end_process
) -> Iterator[Line]:
    """Be one of several workers inside the block; nothing was computed in this process before.

    Args:
        team: the place of this one.
        plan: what they do, all the same.
        on_loss: see ``genkit.workers.line.Line``.
    """
    take_device(team)
    text = plan.model_dump_json()
    facts = {
        "version of Python": platform.python_version(),
        "version of GenKit": own_version(),
        "version of Keras": version("keras"),
        "backend": plan.backend,
        f"version of {plan.backend}": activation.backend_version(plan.backend),
        "plan": hashlib.sha256(text.encode()).hexdigest(),
    }
    with patient_threads(), meeting(team, facts, on_loss) as line:
        yield line
    from genkit.engine import disconnect

    disconnect()


def connect_backend(line: Line) -> None:
    """Connect the active backend of this process with that of the other workers."""
    from genkit import engine

    engine.connect(line.team.rank, line.team.size, line.exchange, line.addresses)


def check_others(line: Line, source: Source) -> None:
    """Refuse workers with other data, or another kind of device, than the first one.

    Raises:
        UsageError: with what differs.
    """
    from genkit import engine

    mine = {"kind of device": engine.device()["platform"], "data": source.fingerprint()}
    found = line.exchange(mine)
    for rank, theirs in enumerate(found):
        for name, value in found[0].items():
            if theirs.get(name) != value:
                raise UsageError(
                    f"Worker {rank} has another {name} than the first one.",
                    "Start no more workers on a machine than it has devices; give all the same "
                    "files.",
                )
