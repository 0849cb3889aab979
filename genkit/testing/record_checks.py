"""Checks of records: what can be told without training anything."""

from __future__ import annotations

import json
from typing import Any

from genkit.errors import PluginError, UnknownNameError, UsageError
from genkit.plan.plan import Recipe
from genkit.plugins.config import parse
from genkit.plugins.entries import KINDS
from genkit.plugins.registry import installed
from genkit.plugins.specs import resolve
from genkit.testing.check import checks
from genkit.testing.outcomes import CheckFailed
from genkit.testing.subjects import FRAMEWORKS, HEAVY, Subject, imports_of

_REFERENCES = {
    "models": "model",
    "datasets": "source",
    "trainers": "trainer",
    "metrics": "metric",
    "extractors": "extractor",
    "callbacks": "callback",
    "commands": "command",
    "renderers": "renderer",
    "reviewers": "reviewer",
    "transforms": "transform",
    "openers": "opener",
    "learners": "learner",
    "launchers": "launcher",
}


@checks("plugins")
def check_plugin_loads_whole(subject: Subject) -> None:
    """The plugin is imported, its hooks are called, and every record is taken."""
    for fault in installed().broken:
        if fault.plugin == subject.name:
            raise CheckFailed(
                f"Expected the plugin to load; it failed at {fault.stage}: {fault.error}",
                "See the traceback with: genkit doctor",
            )


@checks("plugins")
def check_import_is_light(subject: Subject) -> None:
    """Importing the plugin and calling its hooks imports neither Keras nor NumPy nor their like."""
    if heavy := HEAVY & set(imports_of(subject.distribution)["plugin"]):
        raise CheckFailed(
            f"Expected a light import; it brings {', '.join(sorted(heavy))}.",
            "Name heavy code as 'module:attribute', and import it inside functions.",
        )


@checks(*KINDS)
def check_record_is_valid(subject: Subject) -> None:
    """The summary is one sentence's worth; what the record or its presets name exists."""
    spec = subject.spec
    if spec.summary.rstrip().endswith("."):
        raise CheckFailed(
            f"Expected a summary without a full stop, for lists; received {spec.summary!r}."
        )
    if subject.kind == "datasets" and spec.extractor:
        _check_known("extractors", spec.extractor, "extractor")
    if subject.kind == "models":
        _check_known("trainers", spec.trainer, "trainer")
        for name, preset in spec.presets.items():
            _check_preset(subject, name, preset)


@checks(*KINDS)
def check_factory_resolves(subject: Subject) -> None:
    """The reference of the record can be imported and is of the right kind."""
    attribute = _REFERENCES[subject.kind]
    found = resolve(getattr(subject.spec, attribute))
    base = _base_of(subject.kind)
    if base is None:
        right, expected = callable(found), "a callable"
    else:
        right = isinstance(found, type) and issubclass(found, base)
        expected = f"a subclass of {base.__module__}.{base.__qualname__}"
    if not right:
        raise CheckFailed(
            f"Expected {getattr(subject.spec, attribute)!r} to be {expected}; received {found!r}."
        )


@checks("models", "datasets", "trainers")
def check_config_round_trips_through_json(subject: Subject) -> None:
    """The settings, written as JSON and read again, are the same."""
    config = subject.config
    text = config.model_dump_json()
    again = parse(subject.config_class, json.loads(text), subject.name)
    if again != config:
        raise CheckFailed(
            f"Expected the settings back from JSON; wrote {config!r} and read {again!r}.",
            "Use types that JSON has, or give them a pydantic validator.",
        )


@checks("models", "datasets", "trainers")
def check_config_rejects_unknown_keys(subject: Subject) -> None:
    """A setting that there isn't is refused, instead of ignored."""
    settings = {**subject.config.model_dump(mode="json"), "no_such_setting": 1}
    try:
        parse(subject.config_class, settings, subject.name)
    except UsageError:
        return
    raise CheckFailed(
        "Expected the setting 'no_such_setting' to be refused; it was taken.",
        "Derive the settings from genkit.Config, and leave its extra='forbid'.",
    )


@checks("models", "datasets", "trainers")
def check_config_explains_every_setting(subject: Subject) -> None:
    """Each setting has a description, which ``genkit info`` shows."""
    fields = subject.config_class.model_fields.items()
    if silent := [name for name, field in fields if not field.description]:
        raise CheckFailed(
            f"Expected a description of each setting; {', '.join(silent)} have none.",
            'Give it: Field(default, description="...").',
        )


@checks("models", "datasets", "trainers")
def check_config_is_free_of_frameworks(subject: Subject) -> None:
    """The module of the settings imports neither Keras nor a framework."""
    name = f"{subject.kind} {subject.spec.name}"
    imported = imports_of(subject.distribution)["configs"].get(name, [])
    if heavy := FRAMEWORKS & set(imported):
        raise CheckFailed(
            f"Expected settings that are free of frameworks; theirs bring {sorted(heavy)}.",
            "Move the config class into a module of its own, apart from the networks.",
        )


def _check_known(kind: str, name: str, what: str) -> None:
    try:
        installed().find(kind, name)
    except UnknownNameError as error:
        raise CheckFailed(f"The {what} {name!r} is not installed. {error}") from error


def _check_preset(subject: Subject, name: str, preset: Any) -> None:
    what = f"preset {name} of {subject.name}"
    recipe = parse(Recipe, preset, what)
    parse(subject.config_class, recipe.config, what)
    if recipe.dataset:
        _check_known("datasets", recipe.dataset, f"data set of the {what}")
        data = resolve(installed().find("datasets", recipe.dataset).spec.config)
        required = {n for n, field in data.model_fields.items() if field.is_required()}
        if required <= recipe.data.keys():  # else a person gives the rest
            parse(data, recipe.data, what)
    if recipe.trainer:
        _check_known("trainers", recipe.trainer, f"trainer of the {what}")
    for callback in recipe.callbacks:
        _check_known("callbacks", callback, f"callback of the {what}")


def _base_of(kind: str) -> type | None:
    """Return the class that the record's reference must name a subclass of; None for functions."""
    if kind in ("datasets", "commands", "openers"):
        return None
    import keras

    from genkit.data import Transform
    from genkit.evaluation.extractors import Extractor
    from genkit.evaluation.metric import Metric
    from genkit.models.model import Model
    from genkit.models.training.trainer import Trainer
    from genkit.report.rendering import Renderer
    from genkit.report.reviewing import Reviewer
    from genkit.workers.launcher import Launcher
    from genkit.workflows.augmentation.learner import Learner

    bases: dict[str, type] = {
        "models": Model,
        "trainers": Trainer,
        "metrics": Metric,
        "extractors": Extractor,
        "callbacks": keras.callbacks.Callback,
        "renderers": Renderer,
        "reviewers": Reviewer,
        "transforms": Transform,
        "learners": Learner,
        "launchers": Launcher,
    }
    if kind not in bases:
        raise PluginError(f"Expected one of {', '.join(KINDS)}; received {kind!r}.")
    return bases[kind]
