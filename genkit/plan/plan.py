"""The plan of a run: defaults < preset < recipe < flags, validated and fully resolved."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic
from pydantic import Field

from genkit.errors import DataError, UsageError
from genkit.plan import activation
from genkit.plan.fitting import FitSettings, LearningRateSchedule
from genkit.plan.misplaced import refuse_misplaced
from genkit.plan.precision import Precision
from genkit.plugins.config import Config, parse
from genkit.plugins.names import suggestion

if TYPE_CHECKING:
    from genkit.plugins.registry import Registry

# A layer that says how long to train replaces all that lower layers said about it.
LENGTH = ("steps", "epochs", "time")
_Count = Annotated[int, Field(ge=1)]
_Length = Annotated[int, Field(ge=0)]
_Seed = Annotated[int, Field(ge=0, lt=2**31)]
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Recipe(Config):
    """What a recipe file, a preset or the flags may say; all of it optional."""

    model: str | None = Field(None, description="Name of the model")
    preset: str | None = Field(None, description="Preset of the model to start from")
    backend: str | None = Field(None, description="Backend to run on")
    dataset: str | None = Field(None, description="Name of the data set")
    trainer: str | None = Field(None, description="Name of the trainer")
    precision: Precision | None = Field(
        None, description="What to compute in: float32, bfloat16, float16 or auto"
    )
    config: dict[str, Any] = Field({}, description="The model's settings: genkit info MODEL")
    data: dict[str, Any] = Field({}, description="The data set's settings: genkit info DATASET")
    trainer_config: dict[str, Any] = Field(
        {}, description="The trainer's settings: genkit info TRAINER"
    )
    callbacks: dict[str, dict[str, Any]] = Field(
        {}, description="Callbacks by name, each with its arguments"
    )
    log: list[str] | None = Field(
        None, description="Callbacks that log, by name, with their defaults: tensorboard, mlflow"
    )
    batch_size: _Count | None = Field(None, description="Items in a batch")
    steps: _Length | None = Field(None, description="Training steps")
    epochs: _Length | None = Field(None, description="Passes over the data")
    time: str | float | None = Field(None, description="Training time: seconds, or '10m', '1h30m'")
    seed: _Seed | None = Field(None, description="Seed of all randomness")
    checkpoint_every: _Count | None = Field(None, description="Steps between checkpoints")
    sample_every: _Count | None = Field(
        None, description="Steps between sample grids, after those of steps 1, 10 and 100"
    )
    keep: _Count | None = Field(None, description="How many of the newest checkpoints stay")
    keep_best: str | None = Field(
        None, description="A loss or a watched figure; the checkpoint where it was best stays too"
    )
    validate_every: _Count | None = Field(
        None, description="Steps between looks at held-out data, after that of step 1"
    )
    watch: list[str] | None = Field(
        None, description="Metrics to measure while training goes on, by name: fid"
    )
    watch_every: _Count | None = Field(
        None, description="Steps between their figures, after those of step 1"
    )
    learning_rate_schedule: LearningRateSchedule | None = Field(
        None, description="How learning rates fall over the run: constant, linear or cosine"
    )
    warmup_steps: int | None = Field(
        None, ge=0, description="Steps over which learning rates rise to their values"
    )
    init: str | None = Field(None, description="Run or exported model whose weights to start from")


class Plan(Config):
    """Everything that decides a run, fully resolved."""

    version: Literal[1] = 1
    model: str
    preset: str
    dataset: str
    trainer: str
    backend: Literal["jax", "torch", "tensorflow"]
    precision: Precision = "float32"
    distributions: dict[str, str]
    config: dict[str, Any]
    data: dict[str, Any]
    trainer_config: dict[str, Any] = Field({})
    callbacks: dict[str, dict[str, Any]] = Field({})
    batch_size: _Count = FitSettings.batch_size
    steps: _Length | None = None
    epochs: _Length | None = None
    time: float | None = Field(None, gt=0)
    seed: _Seed = FitSettings.seed
    checkpoint_every: _Count = FitSettings.checkpoint_every
    sample_every: _Count = FitSettings.sample_every
    keep: _Count = FitSettings.keep
    keep_best: str | None = None
    validate_every: _Count | None = None
    watch: tuple[str, ...] = ()
    watch_every: _Count = FitSettings.watch_every
    learning_rate_schedule: LearningRateSchedule = FitSettings.learning_rate_schedule
    warmup_steps: int = Field(FitSettings.warmup_steps, ge=0)
    init: str | None = None

    def qualified(self, kind: str) -> str:
        """Return the full name of its ``"model"``, ``"dataset"`` or ``"trainer"``."""
        return f"{self.distributions.get(kind, '?')}/{getattr(self, kind)}"

    def model_record(self) -> tuple[str, str, dict[str, Any]]:
        """Return the model's name, the distribution that offers it, and its settings."""
        return self.model, self.distributions["model"], self.config

    def settings(self) -> FitSettings:
        """Return what the training loop needs."""
        shared = {field.name for field in fields(FitSettings)} - {"seconds", "planned"}
        return FitSettings(**{name: getattr(self, name) for name in shared}, seconds=self.time)


def make_plan(
    registry: Registry, flags: Mapping[str, Any], recipe: Mapping[str, Any] | None = None
) -> Plan:
    """Merge and validate what was asked for; imports no framework.

    Args:
        registry: where names are looked up.
        flags: keys of ``Recipe``; None stands for not given.
        recipe: the same, from a file.

    Raises:
        UsageError: an unknown name or setting, a value out of range.
    """
    refuse_misplaced(registry, {**(recipe or {}), **flags}, Recipe.model_fields)
    top = [
        parse(Recipe, {k: v for k, v in layer.items() if _is_wish(k, v)}, what)
        for layer, what in ((recipe or {}, "recipe"), (flags, "run"))
    ]
    asked = _merge(layer.model_dump(exclude_unset=True) for layer in top)
    if not asked.get("model"):
        raise UsageError(
            "Expected a model; received none.", "Name one: genkit run MODEL (see genkit list)"
        )
    model = registry.find("models", asked["model"])
    preset_name = asked.get("preset", "default")
    if preset_name not in model.spec.presets:
        known = ", ".join(model.spec.presets)
        raise UsageError(
            f"The model {model.spec.name} has no preset {preset_name!r}; it has {known}.",
            suggestion(preset_name, model.spec.presets),
        )
    preset = parse(
        Recipe, model.spec.presets[preset_name], f"preset {preset_name} of {model.spec.name}"
    )
    merged = _merge([preset.model_dump(exclude_unset=True), asked])
    return _resolve(registry, model, preset_name, merged)


def _resolve(registry: Registry, model: Any, preset: str, merged: dict[str, Any]) -> Plan:
    if not merged.get("dataset"):
        raise UsageError(
            f"The preset {preset!r} of {model.spec.name} names no data set.",
            "Name one: --dataset NAME (see genkit list datasets)",
        )
    dataset = registry.find("datasets", merged["dataset"])
    trainer = registry.find("trainers", merged.get("trainer") or model.spec.trainer)
    callbacks = {**{name: {} for name in merged.get("log", ())}, **merged.get("callbacks", {})}
    watched = [registry.find("metrics", name) for name in merged.get("watch", ())]
    called = [registry.find("callbacks", name) for name in callbacks]
    for entry in (model, dataset, trainer, *called, *watched):
        entry.check_packages()
    config = model.settings(merged.get("config", {}))
    data = dataset.settings(merged.get("data", {}))
    trainer_config = trainer.settings(merged.get("trainer_config", {}))
    named = {"model": model, "dataset": dataset, "trainer": trainer}
    parsed = {"config": config, "data": data, "trainer_config": trainer_config}
    rest = {
        key: merged[key]
        for key in Recipe.model_fields
        if key in merged and key in Plan.model_fields and key not in (*named, *parsed)
    }
    rest["callbacks"] = callbacks
    rest["time"] = parse_duration(rest["time"]) if rest.get("time") is not None else None
    if all(rest.get(key) is None for key in LENGTH):
        rest["epochs"] = 1
    if rest.get("init"):
        rest["init"] = str(Path(rest["init"]).resolve())
    return parse(
        Plan,
        {
            **rest,
            **{kind: entry.spec.name for kind, entry in named.items()},
            "distributions": {kind: entry.distribution for kind, entry in named.items()},
            "preset": preset,
            "backend": activation.choose_backend(merged.get("backend")),
            **{key: settings.model_dump(mode="json") for key, settings in parsed.items()},
        },
        "plan",
    )


def _is_wish(key: str, value: Any) -> bool:
    return value is not None and (key, value) != ("backend", "auto")


def _merge(layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Lay settings over one another; tables merge key by key, lengths replace one another."""
    merged: dict[str, Any] = {}
    for layer in layers:
        if any(layer.get(key) is not None for key in LENGTH):
            merged = {k: v for k, v in merged.items() if k not in LENGTH}
        if merged.get("dataset") and layer.get("dataset") not in (None, merged["dataset"]):
            merged.pop("data", None)  # settings of another data set
        for key, value in layer.items():
            both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
            merged[key] = {**merged[key], **value} if both else value
    return merged


def read_recipe(path: Path) -> dict[str, Any]:
    """Read a TOML recipe.

    Raises:
        UsageError: it can't be read, or isn't TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"The recipe {path} can't be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The recipe {path} is not TOML: {error}.") from error


def parse_settings(pairs: Iterable[str], flag: str) -> dict[str, str]:
    """Read ``key=value`` pairs; what a value means, the setting's type decides later.

    Raises:
        UsageError: a pair without ``=``.
    """
    settings: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"Expected {flag} key=value; received {pair!r}.")
        settings[key.strip()] = value
    return settings


def parse_duration(text: str | float) -> float:
    """Read a time in seconds, or as ``90s``, ``10m``, ``1h30m``.

    Raises:
        UsageError: it is no positive time.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", str(text))
    if parts and "".join(number + unit for number, unit in parts) == str(text):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    else:
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(f"Expected a time such as 90s, 10m or 1h30m; received {text!r}.")
    return seconds


def load_plan(text: str) -> Plan:
    """Read a ``plan.json``.

    Raises:
        DataError: it is not a plan.
    """
    try:
        return Plan.model_validate_json(text)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DataError(
            f"The plan is damaged at {place or 'its beginning'}: {first['msg']}."
        ) from None
