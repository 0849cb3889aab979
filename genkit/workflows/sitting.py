"""One sitting of training: a plan's parts put together, and carried out in a run directory."""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.errors import CallbackError, TrainingError, UsageError
from genkit.files import reason_of, refuse_links
from genkit.live import print_line
from genkit.plan import activation, precision
from genkit.plan.compute_settings import compute_settings
from genkit.plan.fitting import Outcome
from genkit.plan.plan import Plan
from genkit.plugins.entry_points import own_version
from genkit.plugins.registry import installed
from genkit.report.card import renew_card
from genkit.runs.assets import read_assets
from genkit.runs.export import weights_file, write_export
from genkit.runs.followed_run import FollowedRun
from genkit.runs.initial_weights import InitialWeights
from genkit.runs.inputs import (
    new_callbacks,
    new_model,
    new_trainer,
    on_this_device,
    open_divided,
    seeded,
)
from genkit.runs.names import is_export
from genkit.runs.run import Run
from genkit.runs.statement import Statement, write_statement
from genkit.workflows.together import check_others, connect_backend

if TYPE_CHECKING:
    import numpy as np

    from genkit.data import Source
    from genkit.evaluation.watching import WatchedMetrics
    from genkit.models.training.trainer import Trainer
    from genkit.workers.line import Line


class Sitting:
    """Data, model, trainer and callbacks of a plan, made and checked before a file is written.

    Args:
        plan: what to do; its backend becomes the process's.
        callbacks: ``keras.callbacks.Callback`` objects besides the plan's own.
        verbose: show progress.
        folder: the run directory, in which the plan's callbacks write; it need not exist yet.
        at_most: how many weights the model may have; what the memory holds when left out.
        line: to the other workers, of one that trains with them; only the first one writes, shows
            progress and has callbacks.

    Raises:
        GenkitError: the data, model, trainer or callbacks don't go together.
    """

    def __init__(
        self,
        plan: Plan,
        callbacks: Sequence[Any],
        *,
        verbose: bool,
        folder: Path,
        at_most: int | None = None,
        line: Line | None = None,
    ) -> None:
        self.registry = installed()
        activation.activate(plan.backend)
        self.workers = 1 if line is None else line.team.size
        self.leads = line is None or line.team.rank == 0
        verbose = verbose and self.leads
        if line is not None:
            connect_backend(line)
        self.plan = plan = on_this_device(plan)
        self.source, self.held_out = open_divided(plan, self.registry)
        self.model = new_model(plan, self.source, self.registry, at_most=at_most)
        trainer = self.registry.find("trainers", plan.qualified("trainer"))
        self.trainer: Trainer = new_trainer(trainer, plan.trainer_config)
        self.trainer.check(self.model, self.source, plan.settings())
        if self.held_out is not None:
            self._check_held_out(self.held_out, verbose=verbose)
        if self.trainer.protects_data:
            self._refuse_what_would_tell()
        if self.workers > 1 and not self.trainer.stepwise:
            raise UsageError(
                f"The trainer {plan.trainer} can't divide its work among workers.",
                "Leave out --workers.",
            )
        self.watch = self._open_watch(verbose=verbose) if plan.watch and self.leads else None
        self.callbacks = (
            [*callbacks, *new_callbacks(plan, self.registry, folder)] if self.leads else []
        )
        if self.callbacks and not self.trainer.stepwise:
            raise UsageError(f"The trainer {plan.trainer} takes no callbacks: it has no loop.")
        if verbose and self.trainer.stepwise:
            from genkit.models.training.progress import Progress

            self.callbacks.append(Progress())
        self.initial: InitialWeights | None = None
        if line is not None:
            check_others(line, self.source)

    def _refuse_what_would_tell(self) -> None:
        """Refuse what a trainer that protects its data could not keep in.

        Raises:
            UsageError: the model would keep assets made of the data, or training look at held-out
                items, which may decide when it ends.
        """
        name = self.plan.trainer
        if self.source.assets and self.source.assets_cost is None:
            raise UsageError(
                f"The trainer {name} lets nothing out of the data but the model; one of "
                f"{self.plan.dataset} keeps {', '.join(self.source.assets)}, made of its items."
            )
        if self.held_out is not None:
            raise UsageError(
                f"The trainer {name} lets nothing out of the data but the model; validation would, "
                "where it decides when training ends.",
                "Leave it out: --validate-every none; and callbacks that wait for it.",
            )

    def _check_held_out(self, held_out: Source, *, verbose: bool) -> None:
        """Refuse a trainer that has no loop to validate in; say how much is held out.

        Raises:
            UsageError: the trainer has no loop.
        """
        if not self.trainer.stepwise:
            raise UsageError(f"The trainer {self.plan.trainer} can't validate: it has no loop.")
        if verbose:
            count, learned = len(held_out), len(self.source)
            print_line(f"Held out: {count:,} items for validation; {learned:,} are learned from")

    def _open_watch(self, *, verbose: bool) -> WatchedMetrics:
        """Open the metrics that the plan watches; say what they are measured of.

        Raises:
            UsageError: a metric doesn't fit, or the trainer can't have any.
        """
        from genkit.evaluation.watching import WatchedMetrics

        plan = self.plan
        if not self.trainer.stepwise:
            raise UsageError(f"The trainer {plan.trainer} can't watch a metric: it has no loop.")
        if self.trainer.protects_data:
            raise UsageError(
                f"The trainer {plan.trainer} lets nothing out of the data but the model; a watched "
                "metric would.",
                "Measure the trained model: genkit evaluate RUN",
            )
        with seeded(plan.seed):  # an extractor's layers draw seeds: training must not notice
            watch = WatchedMetrics(
                plan.watch,
                self.model,
                self.registry.find("datasets", plan.qualified("dataset")),
                learned=self.source,
                held_out=self.held_out,
                registry=self.registry,
                seed=plan.seed,
            )
        if verbose:
            print_line(f"Watched: {watch}")
        return watch

    def load_initial_weights(self, init: str) -> None:
        """Take over what fits of the weights of a run's last checkpoint, or an exported model.

        Raises:
            RunError: nothing fits, or it can't be read.
        """
        from genkit.engine.state import ModelState
        from genkit.runs import checkpoint_files, checkpoints

        path, state = Path(init), ModelState(self.model)
        theirs = read_assets(path)

        def adopt(name: str, ours: np.ndarray, array: np.ndarray) -> np.ndarray:
            return self.model.adopt(name, ours, array, theirs)

        if is_export(path):
            refuse_links(path)
            left_out = checkpoint_files.load_fitting_arrays(weights_file(path), state, adopt)
        else:
            run = Run.open(path)
            left_out = checkpoints.read_steadily(
                lambda: checkpoints.last(run.checkpoints),
                lambda folder: checkpoint_files.load_fitting(folder, state, adopt),
            )
        self.initial = InitialWeights(init, tuple(state.weights.keys() - left_out), left_out)
        self.initial.check()

    def environment(self) -> dict[str, Any]:
        """Describe what the run is made with, for ``environment.json``."""
        from genkit import engine

        name = self.plan.backend
        return {
            "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "genkit": own_version(),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "processor": precision.cpu_name(),
            "cpus": os.cpu_count(),
            "versions": {
                "keras": version("keras"),
                "numpy": version("numpy"),
                name: activation.backend_version(name),
            },
            "plugins": {p.distribution: p.version for p in self.registry.plugins},
            "device": engine.device(),
            **({"workers": self.workers} if self.workers > 1 else {}),
            "settings": compute_settings(),
            "data": {
                "items": len(self.source),
                "fingerprint": self.source.fingerprint(),
                "schema": self.source.schema.to_dict(),
                **({"left_out": dict(self.source.left_out)} if self.source.left_out else {}),
                **({"held_out": len(self.held_out)} if self.held_out else {}),
            },
            **({"watch": self.watch.cards} if self.watch else {}),
            **({"init": self.initial.to_dict()} if self.initial else {}),
        }

    def train(self, run: Run, later: Mapping[str, Any] | None = None) -> Outcome:
        """Train in a run directory and export the model; the directory is held meanwhile.

        Args:
            run: the run.
            later: the environment of a sitting after the first.
        """
        if not self.leads:
            followed = FollowedRun(run)
            return self.trainer.fit(self.model, self.source, followed, self.callbacks)
        from genkit.models.training.callbacks import call
        from genkit.report.page import attach_report
        from genkit.runs import checkpoints
        from genkit.workflows.sample_grids import draw_samples

        shown = None if self.trainer.protects_data else self.held_out or self.source
        run.draw = partial(draw_samples, source=shown)
        run.held_out, run.watch = self.held_out, self.watch
        with run.writing():
            if later is not None:
                run.note_sitting(later)
            try:
                call(self.callbacks, "on_run_begin", run.path)
                outcome = self.trainer.fit(self.model, self.source, run, self.callbacks)
                self.model.trained_steps = outcome.steps
                if all(map(math.isfinite, outcome.metrics.values())):
                    write_export(run.export, self.model, *self.plan.model_record())
                    self._state_facts(run, outcome.steps)
                    renew_card(run.path)
            except BaseException as error:
                step = max(checkpoints.steps(run.checkpoints), default=0)
                told = reason_of(error) if isinstance(error, OSError) else str(error)
                with suppress(OSError):  # on a full disk the first error is the one to tell
                    run.set_status("failed", step, error=told)
                with suppress(CallbackError):
                    call(self.callbacks, "on_run_end", "failed")
                if isinstance(error, TrainingError):  # its curves tell what went wrong
                    attach_report(run, self.registry)
                raise
            state = "stopped" if outcome.signal else "done"
            run.set_status(state, outcome.steps)
            attach_report(run, self.registry)
            call(self.callbacks, "on_run_end", state)
        return outcome

    def _state_facts(self, run: Run, step: int) -> None:
        """Keep in the run what the trainer has to say on the model's card."""
        facts, protects_data = self.trainer.statement(step), self.trainer.protects_data
        if facts or protects_data:
            write_statement(run.path, Statement(protects_data, dict(facts)))
