"""The trainer for models that solve instead of step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genkit.errors import UsageError
from genkit.models.training import divergence
from genkit.models.training.trainer import Trainer
from genkit.plan.fitting import FitSettings, Outcome

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.models.training.protocols import RunKeeper


class ClosedFormTrainer(Trainer):
    """Calls the model's ``solve(source) -> losses`` once: the whole of training is one step."""

    stepwise = False

    def check(self, model: Any, source: Source, settings: FitSettings) -> None:  # noqa: ARG002
        if not hasattr(model, "solve"):
            raise UsageError(
                f"The closed-form trainer needs a model with solve(data); "
                f"{type(model).__name__} has none.",
                "Train it with --trainer gradient.",
            )

    def fit(
        self,
        model: Any,
        source: Source,
        run: RunKeeper,
        callbacks: Sequence[Any] = (),  # noqa: ARG002 - there is no loop to call them from
    ) -> Outcome:
        self.open_engine(model)
        position = run.restore(self.engine.state)
        started = time.perf_counter()
        if position.step == 0:
            losses = {name: float(value) for name, value in (model.solve(source) or {}).items()}
            divergence.check_losses(losses, 1, losses)
            position.step, position.metrics = 1, losses
            position.seconds = time.perf_counter() - started
            run.log({"step": 1, "epoch": 1, "seconds": round(position.seconds, 3), **losses})
            run.save_samples(1, model)
            run.save_checkpoint(self.engine.state, position)
        return Outcome(
            steps=position.step,
            seconds=position.seconds,
            steps_per_second=1 / position.seconds if position.seconds else 0.0,
            metrics=position.metrics or {},
        )
