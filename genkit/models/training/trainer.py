"""The default trainer: it steps along gradients."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genkit.data import check_sizes
from genkit.errors import DataError, DivergedError, RunError, UsageError
from genkit.models.training import agreement, replay
from genkit.models.training.gradient_transforms import check_order
from genkit.models.training.loop import Loop
from genkit.models.training.signals import StopOnSignal
from genkit.models.training.stepping import Stepping
from genkit.plan.fitting import FitSettings, Outcome

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.models.training.protocols import RunKeeper
    from genkit.plugins.config import Config
    from genkit.plugins.schema import Schema


def check_computable(model: Any, schema: Schema) -> None:
    """Refuse a model that needs what no batch can hold, text or dates.

    Raises:
        DataError: with the field's name.
    """
    for name in dict.fromkeys((*model.output_fields, *model.input_fields)):
        field = schema.fields.get(name)
        if field is not None and not field.computable:
            raise DataError(
                f"Expected numbers in the field {name!r} that {type(model).__name__} is trained "
                f"on; received {field.dtype}, which networks can't compute with.",
                "Encode it: return a source of numbers from the model's examples().",
            )
    left = [name for name, field in schema.fields.items() if not field.computable]
    if left and model.modality is None:  # no record tells that it doesn't need them
        warnings.warn(
            f"Left out of the batches, which hold numbers alone: {', '.join(left)}.", stacklevel=2
        )


class Trainer(Stepping):
    """Turns a model, data and a run into a trained model.

    What is done to gradients between a loss and an update stands in ``transforms``, a sequence of
    ``genkit.GradientTransform`` that are applied in order: set it for a class or an object.

    ``minimize`` is made of three verbs; a trainer of another kind overrides one of them
    (``gradients``, ``transform_gradients``: by default they ask the transforms), what the loop
    asks for (``open_loader``, ``training_step``, ``measures``, ``is_spent``), what the card says
    (``statement``), or all of ``fit``.

    Args:
        config: its settings, of the class that its spec names.
    """

    stepwise = True
    """Whether ``fit`` goes step by step, so that callbacks and progress make sense."""

    protects_data = False
    """Whether what is published must tell of the data no more than the model does: losses and the
    data's fingerprint then stay out of the card."""

    def __init__(self, config: Config | None = None) -> None:
        self.config = config

    def check(self, model: Any, source: Source, settings: FitSettings) -> None:
        """Refuse, before anything is written, what ``fit`` could not train.

        Raises:
            GenkitError: the model has no training step or needs text or dates as they are, a
                batch is larger than the data, or a transform undoes another.
        """
        if not model.has_training_step:
            raise UsageError(
                f"{type(model).__name__} has no training_step for this trainer to do.",
                "Train it with --trainer closed-form.",
            )
        check_order(self.transforms)
        agreement.check_mergeable(model)
        examples = model.examples(source)
        check_computable(model, examples.schema)
        check_sizes(examples, settings.batch_size, model.batches_per_step)

    def fit(
        self,
        model: Any,
        source: Source,
        run: RunKeeper,
        callbacks: Sequence[Any] = (),
    ) -> Outcome:
        """Train until the run's settings, a callback or a signal ends it.

        Args:
            model: the model, built.
            source: the data.
            run: gives the settings and the last checkpoint, takes losses, samples, checkpoints.
            callbacks: ``keras.callbacks.Callback`` objects.

        Raises:
            DivergedError: a loss became NaN or infinite, or exploded.
            CallbackError: a callback raised.
            GenkitError: see ``check``.
        """
        self.check(model, source, run.settings)
        self.open_engine(model)
        position = run.restore(self.engine.state)
        agreement.check_positions(self.engine, position.step)
        examples = model.examples(source)
        loader = self.open_loader(model, examples, run.settings, position.step)
        agreement.check_part(self.engine, loader.part, type(self).__name__)
        with loader, StopOnSignal() as stop:
            loop = Loop(self, model, loader, run, position, callbacks=callbacks)
            try:
                return loop.go(stop)
            except DivergedError as error:
                if self.engine.collective.size > 1:
                    raise  # the others would have to do the steps again with us
                loader.close()
                last = loop.position.step
                explained = replay.with_gradients(
                    error, self, model, examples, run, last=last, stop=stop
                )
                raise explained from None
            except self.engine.collective.unreachable as error:
                raise RunError(
                    "Another worker can't be reached any more.",
                    "Once it can, go on from the last checkpoint: genkit resume.",
                ) from error
            finally:
                loop.watchers.close()
