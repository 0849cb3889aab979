"""The base of every model: networks, named optimizers, one training step for all backends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from genkit.data import as_source
from genkit.engine.keras_inside import own_sublayers
from genkit.engine.steps import split_loss
from genkit.errors import UsageError
from genkit.models import reserved_names
from genkit.models.conditional import Conditional
from genkit.models.generating import Generating
from genkit.models.inference import Inference
from genkit.models.optimizing import Optimizing
from genkit.models.presented import Presented
from genkit.models.running_numbers import Running
from genkit.models.streaming import Streaming
from genkit.models.training.closed_form import ClosedFormTrainer
from genkit.models.training.progress import Progress
from genkit.models.training.trainer import Trainer
from genkit.models.training.unsaved_run import UnsavedRun
from genkit.plan import activation
from genkit.plan.fitting import FitSettings, LearningRateSchedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from genkit.data import Source
    from genkit.plugins.config import Config
    from genkit.plugins.specs import ModelSpec, Schema


class Model(
    Presented, Streaming, Generating, Conditional, Inference, Optimizing, Running, keras.Model
):
    """A generative model.

    A subclass builds its networks and names their optimizers in ``__init__``, and writes one
    ``training_step``; GenKit compiles that step on whichever backend is active.

    Args:
        config: the model's settings.
        schema: what the data is; None until ``fit`` sees data.

    Attributes:
        assets: arrays by name that came with the data, ``Source.assets``; ``bind`` sets it.
        trained_steps: training steps behind its weights, where that is known; else 0.
        record: what an installed plugin says of it; None for a program's own model.

    Example:
        class TinyGAN(genkit.Model):
            def __init__(self, config, schema):
                super().__init__(config, schema)
                self.generator, self.discriminator = ...
                self.add_optimizer("discriminator", Adam(2e-4), self.discriminator)
                self.add_optimizer("generator", Adam(2e-4), self.generator)

            def noise(self, rng, n):
                return {"z": rng.standard_normal((n, 32), dtype="float32")}

            def training_step(self, batch, minimize):
                d_loss, _ = minimize("discriminator", self.discriminator_loss, batch)
                g_loss, _ = minimize("generator", self.generator_loss, batch)
                return {"d_loss": d_loss, "g_loss": g_loss}

            def decode(self, z):
                return self.generator(z, training=False)
    """

    batches_per_step = 1
    """Data batches one training step takes; above one, ``training_step`` gets a tuple of them."""

    keeps_items = False
    """Whether its weights are items of its data as they were: such a model stays in its run. The
    run's ``model`` folder then has its card without weights, and ``genkit.save`` refuses it."""

    def __init__(self, config: Config | None = None, schema: Schema | None = None) -> None:
        super().__init__()
        # Keras sets an attribute `loss`, which would hide an author's method of that name.
        self.__dict__.pop("loss", None)
        self.config = config
        self.schema = schema
        self.optimizers: dict[str, Any] = {}
        self._networks: dict[str, tuple[Any, ...]] = {}
        self.weight_averages = {}
        self.running_numbers = {}
        self.capabilities: tuple[str, ...] = ("generate",)
        self.trained_steps = 0
        self.record: ModelSpec | None = None
        self.assets: Mapping[str, np.ndarray] = MappingProxyType({})

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        reserved_names.check_class(cls, Model)

    def __setattr__(self, name: str, value: Any) -> None:
        if "assets" in self.__dict__:  # all that this class and Keras keep is there
            reserved_names.check_attribute(self, Model, name, value)
        super().__setattr__(name, value)

    @property
    def built(self) -> bool:
        """Whether all its networks have their weights."""
        return all(layer.built for layer in own_sublayers(self))

    @built.setter
    def built(self, value: bool) -> None:
        pass  # Keras sets it when a layer is called; a generative model may never be

    def examples(self, source: Source) -> Source:
        """Return what a batch of training is made of; by default the data's own items.

        A model whose example is another than the data's item, a pair or a window of one, gives a
        source of those.
        """
        return source

    def adopt(
        self,
        name: str,  # noqa: ARG002
        ours: np.ndarray,  # noqa: ARG002
        theirs: np.ndarray,
        assets: Mapping[str, np.ndarray],  # noqa: ARG002
    ) -> np.ndarray:
        """Bring a weight of the run that training starts from into this model's form.

        What has another shape than ``ours`` after this is not taken. By default it stays as it is.

        Args:
            name: of the weight, in both models.
            ours: its value in this model.
            theirs: its value in the other run.
            assets: those of the other run's data.
        """
        return theirs

    def schedule(self, step: int, total: float = math.inf) -> dict[str, Any]:  # noqa: ARG002
        """Return what depends on the step; it is merged into the batch.

        Floats become inputs. Booleans, integers and strings choose a compiled variant of the
        step, so let them take few values.

        Args:
            step: how many steps were done.
            total: how many the run has in all, so that ``step / total`` is the share that is done;
                with a limit of time as the share of it that is spent says, infinite before
                anything is. A model whose values don't depend on it need not take it.
        """
        return {}

    def learning_rate_factors(self, step: int, total: float) -> dict[str, float]:  # noqa: ARG002
        """Return what learning rates are multiplied by in a step, by optimizer; else they stay.

        It comes to what ``learning_rate_schedule`` and ``warmup_steps`` of the run do to all of
        them. The factors are inputs of the compiled step.

        Args:
            step: how many steps were done.
            total: as for ``schedule``.
        """
        return {}

    @property
    def has_training_step(self) -> bool:
        """Whether it learns in steps; a model that is solved at once has no ``training_step``."""
        return type(self).training_step is not Model.training_step

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        """Update the model once.

        Args:
            batch: tensors by name: the data's fields, the noise, the schedule's values; a tuple
                of such dicts if ``batches_per_step`` is above one.
            minimize: ``minimize(name, loss_fn, *inputs) -> (loss, logs)`` differentiates
                ``loss_fn(*inputs)`` with respect to what the optimizer ``name`` owns, and updates
                it. ``loss_fn`` returns a scalar loss or ``(loss, logs)``. It must not stand
                inside a traced conditional.

        Returns:
            scalars by name, for the log.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no training_step.")

    def validation_step(self, batch: Any) -> dict[str, Any]:
        """Return the losses of a batch that is not learned from.

        By default those of ``training_step``, without its updates: layers behave as in generation,
        and what is assigned to a variable is forgotten. Here, too.

        Args:
            batch: as for ``training_step``.

        Returns:
            scalars by name; in the log each is called ``validation_`` and its name.
        """
        return self.training_step(batch, lambda _, fn, *inputs: split_loss(fn(*inputs)))

    def fit(
        self,
        data: Any,
        *,
        epochs: int | None = None,
        steps: int | None = None,
        batch_size: int = 64,
        seed: int = 0,
        validation_data: Any = None,
        validate_every: int | None = None,
        learning_rate_schedule: LearningRateSchedule = "constant",
        warmup_steps: int = 0,
        callbacks: Sequence[Any] = (),
        verbose: bool = True,
    ) -> Any:
        """Train on data in memory, or whatever ``genkit.data.as_source`` takes.

        Where optimizers average the weights, the averages are the weights in the end, as Keras'
        own ``fit`` leaves them and as ``genkit.load`` gives them; a further ``fit`` begins there.

        Args:
            data: an array ``(n, height, width, channels)`` or ``(n, features)``; a dict of arrays
                by field; a list of ``str`` or of items; a function that makes an iterator of them;
                a table of pandas, Polars or Arrow; a data set of PyTorch, TensorFlow or Hugging
                Face; or a ``genkit.data.Source``.
            epochs: passes over the data; 1 if neither this nor ``steps`` is given.
            steps: training steps; with both, whichever ends first.
            batch_size: items a step.
            seed: of the order of the data and of the noise.
            validation_data: data as ``data`` that is not learned from; its losses come under names
                that begin with ``validation_``, also for callbacks.
            validate_every: steps between looks at it; once an epoch when left out.
            learning_rate_schedule: ``"constant"``, ``"linear"`` or ``"cosine"``: how learning rates
                fall over the training.
            warmup_steps: steps over which learning rates rise to their values.
            callbacks: ``keras.callbacks.Callback`` objects.
            verbose: show progress.

        Returns:
            the ``keras.callbacks.History`` of mean losses an epoch; None for a model that solves.
        """
        accepts = self.record.accepts if self.record else ()
        source = as_source(data, accepts)
        self.bind(source.schema, source.assets)
        if epochs is None and steps is None:
            epochs = 1
        held_out = None if validation_data is None else as_source(validation_data, accepts)
        if held_out is not None and validate_every is None:
            validate_every = max(1, len(self.examples(source)) // batch_size)
        settings = FitSettings(
            batch_size=batch_size,
            epochs=epochs,
            steps=steps,
            seed=seed,
            validate_every=validate_every,
            learning_rate_schedule=learning_rate_schedule,
            warmup_steps=warmup_steps,
        )
        trainer = ClosedFormTrainer() if hasattr(self, "solve") else Trainer()
        shown = [*callbacks, Progress()] if verbose and trainer.stepwise else list(callbacks)
        activation.keep_freed_memory()
        outcome = trainer.fit(self, source, UnsavedRun(settings, held_out), shown)
        self.trained_steps += outcome.steps
        self.use_averaged_weights()
        return getattr(self, "history", None)

    def bind(
        self,
        schema: Schema,
        assets: Mapping[str, np.ndarray] = MappingProxyType({}),
        spec: ModelSpec | None = None,
    ) -> None:
        """Bind the model to its data and, if a plugin offers it, to what its record says.

        Args:
            schema: what the data is; a schema that the model was built with stays.
            assets: arrays by name that came with the data, ``Source.assets``.
            spec: the model's record: what it can do, and with which options.

        Raises:
            DataError: the data has no field that a condition of the model is a value of.
        """
        if self.schema is None:
            self.schema = schema
        self.assets = assets
        for condition in self.conditions:
            condition.field_name(self.schema)
        if spec is None:
            self.output_fields = self.output_fields or self.usual_output(self.schema)
            return
        self.record = spec
        self.capabilities, self.options = spec.capabilities, spec.options
        self.output_fields = spec.output_fields(self.schema)
        first: dict[str, str] = {}
        for name, field in self.schema.fields.items():
            first.setdefault(field.modality, name)
        self.input_fields = tuple(first[each] for each in spec.accepts if each in first)
        self.modality = self.schema[self.output_fields[0]].modality

    def compile(self, *_: Any, **__: Any) -> None:
        """Refuse: a GenKit model names its optimizers itself.

        Raises:
            UsageError: always, with what to do instead.
        """
        raise UsageError(
            "A genkit.Model needs no compile(): it names its optimizers and losses itself.",
            "Call fit(data) right away; add optimizers with add_optimizer in __init__.",
        )
