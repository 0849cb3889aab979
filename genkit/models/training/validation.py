"""Looking at held-out data while training goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genkit.data import in_order
from genkit.engine.steps import merge, split_schedule
from genkit.models.training.stepping import schedule_of
from genkit.plan.fitting import VALIDATION

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.engine import Engine
    from genkit.models.training.protocols import Trainable
    from genkit.plan.fitting import FitSettings


class Validation:
    """The losses of a model on held-out data, from the same batches and noise each time.

    Where optimizers average the weights, the averages are looked at: generation uses them.

    Args:
        engine: the model's.
        model: in training.
        source: data that it doesn't learn from.
        settings: of the training.
    """

    def __init__(
        self, engine: Engine, model: Trainable, source: Source, settings: FitSettings
    ) -> None:
        self._engine, self._model, self._settings = engine, model, settings
        self._examples = model.examples(source)
        self._schedule = schedule_of(model)
        self._evaluate = engine.compile_evaluation(model.validation_step)

    def losses(self, step: int, total: float) -> dict[str, float]:
        """Return the mean of each loss over the items, after this many steps, by its name.

        Args:
            step: how many steps were done.
            total: how many the run has in all; see ``Model.schedule``.
        """
        static, inputs = split_schedule(self._schedule(step - 1, total))
        sums: dict[str, float] = {}
        with self._model.averaged_weights():
            batches = in_order(
                self._examples,
                batch_size=self._settings.batch_size,
                seed=self._settings.seed,
                noise=self._model.training_noise,
            )
            for count, batch in batches:
                taken = self._model.batches_per_step
                given = batch if taken == 1 else (batch,) * taken
                found = self._engine.fetch(self._evaluate(merge(given, inputs), static))
                for name, value in found.items():
                    sums[name] = sums.get(name, 0.0) + value * count
        return {f"{VALIDATION}{name}": value / len(self._examples) for name, value in sums.items()}
