"""The exported model: a folder that can be copied, shown and loaded on any backend.

model/
  config.json           which model, its settings, the schema, the conditions it takes
  weights.safetensors   averaged weights where there are any; not of a model that keeps items
  assets.safetensors    what it needs of the data when it is used, for some data
  README.md             the model card: genkit.report.card
  samples.png           the samples that the card shows, if they were drawn
"""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from genkit.errors import RunError, UsageError
from genkit.files import check_path, exists, read_json, refuse_links, write_bytes, write_json
from genkit.plugins.condition import LABEL
from genkit.plugins.entry_points import own_version
from genkit.plugins.registry import installed
from genkit.plugins.schema import Schema
from genkit.runs.assets import read_assets, write_assets
from genkit.runs.inputs import build_model
from genkit.runs.names import EXPORT_CONFIG, EXPORT_WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from genkit.models.model import Model
    from genkit.plugins.entries import Entry

_COPY = "Bring it back from a copy of the model."


def save(model: Model, folder: str | Path) -> None:
    """Write a model as an exported one, whole or not at all: ``genkit.load(folder)`` gives it back.

    Args:
        model: of an installed plugin, bound to its data; averaged weights are used where there are
            any.
        folder: a new one.

    Raises:
        UsageError: the folder exists; the model is of no installed plugin, or not bound; or it
            keeps items of its data.
    """
    folder = Path(folder)
    if exists(folder):
        raise UsageError(f"Expected a new folder; {folder} exists already.", "Choose another name.")
    check_path(folder)
    if model.schema is None:
        raise UsageError("Expected a model that knows its data; it was never bound to any.")
    entry = _entry_of(model)
    if model.keeps_items:
        raise UsageError(
            f"Expected a model that may leave its run; the weights of {entry.spec.name!r} are "
            "items of its data as they were.",
            "Hand on what it generates, or train a model that keeps none.",
        )
    config = {} if model.config is None else model.config.model_dump(mode="json")
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_export(partial, model, entry.spec.name, entry.distribution, config)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _entry_of(model: Model) -> Entry:
    """Return the record that a model was bound with, and who offers it."""
    for entry in installed().entries("models"):
        if entry.spec == model.record:
            return entry
    raise UsageError(
        f"Expected a model that an installed plugin brings; {type(model).__name__} is a program's "
        "own.",
        "Train it in a run, which keeps it: genkit.train(model, ...)",
    )


def write_export(
    folder: Path, model: Model, name: str, distribution: str, config: Mapping[str, Any]
) -> None:
    """Write a trained model's exported copy, replacing an older one; its card is a run's matter.

    Of a model that keeps items its weights are left out: nothing there can be loaded.

    Args:
        folder: where.
        model: bound to its data.
        name: of its record.
        distribution: the one that offers it.
        config: its settings, for JSON.
    """
    from safetensors.numpy import save as serialize

    from genkit.engine.state import ModelState

    assert model.schema is not None, "a trained model knows its data"
    conditions = (*(LABEL,) * model.conditional, *model.conditions)
    folder.mkdir(exist_ok=True)
    if not model.keeps_items:
        with model.averaged_weights():
            weights, _ = ModelState(model).read()
        write_bytes(folder / EXPORT_WEIGHTS, serialize(weights))
    write_assets(folder, model.assets)
    write_json(
        folder / EXPORT_CONFIG,
        {
            "model": name,
            "distribution": distribution,
            "genkit": own_version(),
            "config": dict(config),
            "schema": model.schema.to_dict(),
            **({"conditions": list(map(asdict, conditions))} if conditions else {}),
            **({"keeps_items": True} if model.keeps_items else {}),
        },
    )


def read_export(folder: Path) -> Model:
    """Load an exported model; the backend must be active.

    Raises:
        RunError: the folder is damaged, or the model is not installed.
    """
    from genkit.engine.state import ModelState
    from genkit.runs.checkpoint_files import file_holds, load_arrays

    refuse_links(folder)
    data = read_json(folder / EXPORT_CONFIG, _COPY)
    try:
        model = build_model(
            str(data["model"]),
            str(data["distribution"]),
            data["config"],
            Schema.from_dict(data["schema"]),
            assets=read_assets(folder),
            at_most=file_holds(folder / EXPORT_WEIGHTS),
        )
    except (KeyError, TypeError) as error:
        raise RunError(
            f"The file {folder / EXPORT_CONFIG} is damaged: {error!r}.", _COPY
        ) from error
    load_arrays(folder / EXPORT_WEIGHTS, ModelState(model))
    return model


def weights_file(folder: Path) -> Path:
    """Return the file of an exported model's weights."""
    return folder / EXPORT_WEIGHTS
