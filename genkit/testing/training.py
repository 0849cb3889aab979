"""A model under check, or a toy model under a trainer that is checked, and its toy runs.

Importing this needs a backend. What several checks look at is trained once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genkit import engine
from genkit.data import ArraySource, Loader
from genkit.engine.keras_inside import silence_layers
from genkit.engine.state import ModelState
from genkit.errors import GenkitError
from genkit.models.model import Model
from genkit.models.training.stepping import CompiledStep
from genkit.models.training.unsaved_run import UnsavedRun
from genkit.models.training.validation import Validation
from genkit.plan import activation
from genkit.plan.fitting import FitSettings
from genkit.plan.plan import Plan
from genkit.plugins.entries import Entry
from genkit.plugins.entry_points import DISTRIBUTION
from genkit.plugins.registry import installed
from genkit.runs.export import write_export
from genkit.runs.inputs import build_model, new_trainer, seeded
from genkit.runs.run import Run
from genkit.testing.data import DatasetSubject
from genkit.testing.fakes import MODALITIES, toy_schema, toy_source
from genkit.testing.one_bucket import of_one_bucket
from genkit.testing.outcomes import CheckFailed, Skipped
from genkit.testing.subjects import Subject
from genkit.testing.toys import ToyModel, ToySolver
from genkit.testing.watch import Watch

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.models.training.trainer import Trainer
    from genkit.plugins.specs import Field, Schema

STEPS, PAUSE, BATCH = 6, 3, 8
SIZES = (8, 16, 32, 64)
"""Height and width of the toy images that are tried, until a model takes them."""
_ITEMS = 64
_WATCHED_BATCH = 4


@dataclass(frozen=True)
class Trained:
    """A model, the toy run that trained it, the losses of each step, and why steps were eager."""

    model: Model
    run: Run
    losses: list[dict[str, float]]
    eager: str = ""


class TrainedSubject(Subject):
    """A model with the trainer it wants; or a trainer with the toy model it takes."""

    @cached_property
    def trainer_entry(self) -> Entry:
        """The record of the trainer."""
        name = self.name if self.kind == "trainers" else self.spec.trainer
        return installed().find("trainers", name)

    def trainer(self) -> Trainer:
        """Make the trainer."""
        settings = self.trainer_entry.spec.tiny if self.kind == "trainers" else {}
        return new_trainer(self.trainer_entry, settings)

    @property
    def stepwise(self) -> bool:
        """Whether it trains step by step."""
        return self.trainer().stepwise

    def require_steps(self) -> None:
        """Skip the check of a model that is solved."""
        if not self.stepwise:
            raise Skipped("it is solved, not trained step by step")

    @cached_property
    def source(self) -> Source:
        """Toy data that the model takes; or that of its default preset, for other modalities.

        A model that names none takes data of any: the preset's show it more of them than toys do.
        """
        if self.kind == "trainers":
            return toy_source(items=_ITEMS)
        name = self.spec.presets["default"].get("dataset")
        if self.spec.accepts and set(self.spec.accepts) <= set(MODALITIES):
            try:
                return toy_source(self._toy_schema(), _ITEMS)
            except CheckFailed:
                if not name:
                    raise
        if not name:
            raise Skipped(
                f"there are no toy data with {', '.join(self.spec.accepts) or 'anything'}"
            )
        # Kept: its folder, which the source may still read from, goes when it goes.
        entry = installed().find("datasets", name)
        self._data = DatasetSubject("datasets", entry.qualified_name)
        return self._data.source

    @property
    def schema(self) -> Schema:
        return self.source.schema

    @property
    def output(self) -> Field:
        """The field that the model generates, the first if it has several."""
        return self.schema[self.output_name]

    @property
    def output_name(self) -> str:
        """The name of that field."""
        return "image" if self.kind == "trainers" else self.spec.output_fields(self.schema)[0]

    def _toy_schema(self) -> Schema:
        refusal: GenkitError | None = None
        for size in SIZES if "image" in self.spec.accepts else SIZES[:1]:
            schema = toy_schema(self.spec.accepts, (size, size, 1))
            try:
                self.build(schema)
            except GenkitError as error:
                refusal = refusal or error
            else:
                return schema
        raise CheckFailed(
            f"Expected the model to take toy data ({', '.join(self.spec.accepts)}, images of "
            f"{', '.join(f'{s}x{s}' for s in SIZES)}); it refuses: {refusal}",
            "Let the record's `accepts` and `tiny` tell what it takes.",
        )

    def build(self, schema: Schema | None = None) -> Model:
        """Build the model, always with the same weights on one backend."""
        assets = {} if schema else self.source.assets
        schema = schema or self.schema
        with seeded(0):
            if self.kind == "trainers":
                return self._toy_model(schema)
            settings = self.config.model_dump(mode="json")
            return build_model(self.spec.name, self.distribution, settings, schema, assets=assets)

    def _toy_model(self, schema: Schema) -> Model:
        refusal: GenkitError | None = None
        for make in (ToyModel, ToySolver):
            model = make(None, schema)
            try:
                self.trainer().check(model, self.source, FitSettings(batch_size=BATCH))
            except GenkitError as error:
                refusal = refusal or error
            else:
                return model
        raise CheckFailed(f"Expected the trainer to take a toy model; it refuses: {refusal}")

    @cached_property
    def straight(self) -> Trained:
        """The model after a toy run without a stop; it is exported too."""
        model = self.build()
        run = self.new_run(self.folder / "straight", STEPS)
        trainer = self.trainer()
        trainer.fit(model, self.source, run)
        if self.kind == "models":
            write_export(run.export, model, *run.plan.model_record())
        # A trainer with a `fit` of its own may use no engine.
        eager = trainer.engine.eager if hasattr(trainer, "engine") else ""
        return Trained(model, run, _losses(run), eager)

    @cached_property
    def interrupted(self) -> Trained:
        """The model after the same run in two sittings, each with a model built anew."""
        first = self.new_run(self.folder / "interrupted", PAUSE)
        self.trainer().fit(self.build(), self.source, first)
        run = Run.open(first.path)
        run.go_on_until(STEPS)
        model = self.build()
        self.trainer().fit(model, self.source, run)
        return Trained(model, run, _losses(run))

    @cached_property
    def watched(self) -> Watch:
        """What was seen in a longer toy run, in memory."""
        model = self.build()
        watch = Watch()
        steps = watch.steps(model)
        items = steps * _WATCHED_BATCH * model.batches_per_step
        toy = isinstance(self.source, ArraySource) and set(self.schema.fields) <= set(MODALITIES)
        source: Source = toy_source(self.schema, items) if toy else self.source
        if any(field.varies for field in self.schema.fields.values()):
            source = of_one_bucket(source)  # a bucket more is a step more that is compiled and kept
        settings = FitSettings(batch_size=min(_WATCHED_BATCH, len(source)), steps=steps)
        self.trainer().fit(model, source, UnsavedRun(settings), [watch])
        return watch

    @property
    def looked_at(
        self,
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], list[dict[str, float]]]:
        """The weights before and after looking at data twice, and the losses of each look."""
        model = self.straight.model
        made = engine.create(model)
        validation = Validation(made, model, self.source, FitSettings(batch_size=BATCH))
        before, _ = made.state.read()
        looks = [validation.losses(1, total=2) for _ in range(2)]
        return before, made.state.read()[0], looks

    def new_run(self, path: Path, steps: int) -> Run:
        """Begin a toy run at a path that is free."""
        trainer = self.trainer_entry
        config = self.config.model_dump(mode="json") if self.kind == "models" else {}
        plan = Plan.model_validate(
            {
                "model": self.spec.name,
                "preset": "default",
                "dataset": "toy",
                "trainer": trainer.spec.name,
                "backend": activation.choose_backend(),
                "distributions": {
                    "model": self.distribution,
                    "dataset": DISTRIBUTION,
                    "trainer": trainer.distribution,
                },
                "config": config,
                "data": {},
                "batch_size": min(BATCH, len(self.source)),
                "steps": steps,
                "checkpoint_every": PAUSE,
                "keep": STEPS,
            }
        )
        environment = {"data": {"schema": self.schema.to_dict()}}
        return Run.create(path, plan, environment, self.source.assets)

    def losses_of_steps(
        self,
        steps: int,
        *,
        weights: dict[str, np.ndarray] | None = None,
        layer_seed: int = 0,
    ) -> list[dict[str, float]]:
        """Train some steps with the randomness of layers off, and give the losses of each.

        Args:
            steps: how many.
            weights: the weights to begin with; those the model is built with if not given.
            layer_seed: changes every seed in the model and of the backend; it must not matter.
        """
        model, trainer = self.build(), self.trainer()
        silence_layers(model)
        trainer.open_engine(model)
        state = trainer.engine.state
        if weights is not None:
            state.load_weights(weights)
        _move_seeds(state, layer_seed)
        step = CompiledStep(trainer, model, layer_seed)
        examples = model.examples(self.source)
        loader = Loader(
            examples,
            batch_size=min(BATCH, len(examples)),
            seed=0,
            noise=model.training_noise,
            batches_per_step=model.batches_per_step,
        )
        with loader:
            return [trainer.engine.fetch(step(n, next(loader), total=steps)) for n in range(steps)]


def _move_seeds(state: ModelState, by: int) -> None:
    for key, variable in state.training.items():
        if by and not key.startswith(("optimizers/", "gradient_transforms/")):
            variable.assign(np.asarray(variable.value) + np.asarray(by, variable.dtype))


def _losses(run: Run) -> list[dict[str, float]]:
    apart = ("step", "epoch", "seconds")
    return [{k: v for k, v in row.items() if k not in apart} for row in run.metrics()]
