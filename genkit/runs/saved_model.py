"""Which model a run or an exported model has; nothing heavy is imported to tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genkit.errors import PluginError, RunError, UnknownNameError
from genkit.files import exists, read_json
from genkit.plan.from_program import PROGRAM
from genkit.plugins.condition import Condition, describe_condition
from genkit.plugins.entries import Entry
from genkit.plugins.registry import Registry, installed
from genkit.plugins.repository import install_hint
from genkit.plugins.schema import Schema
from genkit.runs.finding import known_run
from genkit.runs.names import EXPORT_CONFIG, MODEL_FOLDER, is_export
from genkit.runs.run import Run

_COPY = "Bring it back from a copy of the model."


def saved_model_entry(given: str | Path) -> Entry | None:
    """Return the record of a run's or an exported model's model; None if there is neither.

    Args:
        given: a directory, a run's name, or ``latest``.

    Raises:
        GenkitError: its files are damaged, or no installed plugin offers the model.
    """
    path = known_run(given)
    if path is None:
        return None
    if is_export(path):
        return model_entry(*named_model(path))
    plan = Run.open(path).plan
    return model_entry(plan.model, plan.distributions["model"])


def named_model(folder: Path) -> tuple[str, str]:
    """Return the name of an exported model, and the distribution that offers it.

    Raises:
        RunError: the folder is damaged.
    """
    data = read_json(folder / EXPORT_CONFIG, _COPY)
    try:
        return str(data["model"]), str(data["distribution"])
    except KeyError as error:
        raise RunError(
            f"The file {folder / EXPORT_CONFIG} is damaged: {error!r}.", _COPY
        ) from error


def stays_in_run(folder: Path) -> bool:
    """Whether the model folder of a run has no weights because they are items of the data.

    Raises:
        RunError: the folder is damaged.
    """
    file = folder / EXPORT_CONFIG
    return exists(file) and read_json(file, _COPY).get("keeps_items") is True


def saved_conditions(given: str | Path) -> list[dict[str, Any]]:
    """Describe the conditions that the model of a run or an exported model takes.

    Args:
        given: a directory, a run's name, or ``latest``.

    Returns:
        what ``describe_condition`` gives of each; none of a run that has no exported model yet, or
        one of a GenKit that didn't write them.

    Raises:
        GenkitError: the files are damaged.
    """
    path = known_run(given)
    if path is None:
        return []
    folder = path if is_export(path) else path / MODEL_FOLDER
    if not is_export(folder) and not stays_in_run(folder):
        return []
    data = read_json(folder / EXPORT_CONFIG, _COPY)
    try:
        conditions = [Condition(**each) for each in data.get("conditions", ())]
        schema = Schema.from_dict(data["schema"])
    except (KeyError, TypeError, AttributeError, PluginError) as error:
        raise RunError(
            f"The file {folder / EXPORT_CONFIG} is damaged: {error!r}.", _COPY
        ) from error
    described = []
    for condition in conditions:
        name = condition.field_name(schema)
        described.append(describe_condition(condition, schema[name], _names(folder, schema, name)))
    return described


def _names(folder: Path, schema: Schema, field: str) -> tuple[str, ...]:
    """Return what a field's numbers stand for; only a vocabulary takes NumPy to read."""
    if not schema[field].vocabulary:
        return schema[field].classes
    from genkit.data.vocabulary import vocabulary_of
    from genkit.runs.assets import read_assets

    return vocabulary_of(schema, field, read_assets(folder))


def model_entry(name: str, distribution: str, registry: Registry | None = None) -> Entry:
    """Find the model that a file names.

    Args:
        name: of the model.
        distribution: the one that offers it.
        registry: where the name is looked up; what is installed when left out.

    Raises:
        RunError: no installed plugin offers the model; the hint installs the one that did, or
            says how a program's own is handed over again.
    """
    try:
        return (registry or installed()).find("models", f"{distribution}/{name}")
    except UnknownNameError:
        if distribution == PROGRAM:
            raise RunError(
                f"The model {name!r} was handed over by a Python program, which isn't this one.",
                "Hand it over again in Python: genkit.load(run, model=...), with what built it",
            ) from None
        raise RunError(
            f"The model {name!r} of {distribution} is not installed here.",
            install_hint(distribution),
        ) from None
