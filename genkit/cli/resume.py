"""``genkit resume``: go on with a run."""

from __future__ import annotations

from typing import Annotated

import typer

from genkit.cli import completion
from genkit.cli.output import JsonFlag, note
from genkit.cli.run import show_result
from genkit.cli.run_argument import RunArgument
from genkit.cli.workers import LauncherOption, WorkersOption


def resume(  # noqa: PLR0917 - flags, all of them
    run: RunArgument,
    steps: Annotated[
        int | None,
        typer.Option(metavar="MORE", help="Train this many steps more than were done."),
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            help="jax, torch or tensorflow; by default the one it was begun with.",
            autocompletion=completion.backends,
        ),
    ] = None,
    workers: WorkersOption = None,
    launcher: LauncherOption = "local",
    as_json: JsonFlag = False,
) -> int:
    """Go on with a run from its last checkpoint, as if it had never stopped.

    On the same machine, backend and thread count the result is the same, bit for bit.

    Examples:
      genkit resume runs/dcgan-mnist-20260101-120000
      genkit resume runs/mine --steps 1000
      genkit resume runs/mine --backend torch
      genkit resume runs/mine --workers 2
    """
    from genkit.plan.activation import choose_backend
    from genkit.runs.run import Run
    from genkit.workers.crew import Crew, check_crew
    from genkit.workflows import resume as resuming

    begun = Run.open(run)
    # What is refused is refused before anything is said to go on.
    if steps is not None:
        begun.go_on_for(steps)
    if backend is not None:
        choose_backend(backend)
    crew = Crew(workers, launcher)
    check_crew(crew, begun.plan)
    leads = crew.leads()
    finished = steps is None and resuming.finished_outcome(begun) is not None
    if leads and not (finished or as_json):
        plan = begun.plan
        note(f"Going on with {plan.model} on {plan.dataset} with {backend or plan.backend} ...")
    result = resuming.resume(run, steps, backend=backend, workers=workers, launcher=launcher)
    code = show_result(result, as_json) if leads else 0
    if finished and leads:
        note(f"The run was finished: nothing is left. Train on with: genkit resume {run} --steps N")
    return code
