"""The exported model: a folder that can be copied, shown and loaded on any backend.

model/
  config.json           which model, its settings, the schema
  weights.safetensors   averaged weights where there are any
  assets.safetensors    what it needs of the data when it is used, for some data
  README.md             the model card: genkit.card
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.assets import read_assets, write_assets
from genkit.config import parse
from genkit.entry_points import own_version
from genkit.errors import RunError, UnknownNameError
from genkit.files import read_json, refuse_links, write_bytes, write_json
from genkit.memory import bounded_weights, machine_holds
from genkit.registry import Entry, Registry, installed
from genkit.specs import Schema, resolve

if TYPE_CHECKING:
    from genkit.model import Model
    from genkit.plan import Plan

_CONFIG, _WEIGHTS = "config.json", "weights.safetensors"


def build_model(
    name: str,
    distribution: str,
    config: Mapping[str, Any],
    schema: Schema,
    registry: Registry | None = None,
    *,
    at_most: int | None = None,
) -> Model:
    """Build an untrained model; the backend must be active.

    The name is looked up in the registry: nothing a file says is ever imported.

    Args:
        name: of the model.
        distribution: the one that offers it.
        config: the model's settings.
        schema: what the data is.
        registry: where the name is looked up; what is installed when left out.
        at_most: how many numbers its weights may have, for settings that a file says; what this
            machine's memory holds when left out.

    Raises:
        RunError: no installed plugin offers the model; the hint installs the one that did. Or
            it has more weights than it may: none of the surplus took memory. Or what a file
            says fits no model.
    """
    entry = model_entry(name, distribution, registry)
    settings = parse(resolve(entry.spec.config), config, f"model {name}")
    for modality in entry.spec.accepts:
        schema.name_of(modality)
    make = resolve(entry.spec.model)
    try:
        with bounded_weights(machine_holds() if at_most is None else at_most):
            model: Model = make(settings, schema)
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        if at_most is None:
            raise
        fault = " ".join(str(error).split())[:300]
        raise RunError(f"The model {name} can't be built as its file says: {fault}") from error
    model.capabilities = entry.spec.capabilities
    model.modality = next(iter(entry.spec.accepts), None)
    model.options = entry.spec.options
    return model


def model_entry(name: str, distribution: str, registry: Registry | None = None) -> Entry:
    """Find the model that a file names.

    Args:
        name: of the model.
        distribution: the one that offers it.
        registry: where the name is looked up; what is installed when left out.

    Raises:
        RunError: no installed plugin offers the model; the hint installs the one that did.
    """
    try:
        return (registry or installed()).find("models", f"{distribution}/{name}")
    except UnknownNameError:
        raise RunError(
            f"The model {name!r} of {distribution} is not installed here.",
            f"Install it with: pip install {distribution}",
        ) from None


def write_export(folder: Path, model: Model, plan: Plan) -> None:
    """Write a trained model's exported copy, replacing an older one; its card is a run's matter."""
    from safetensors.numpy import save as serialize

    from genkit.engine.state import ModelState

    assert model.schema is not None, "a trained model knows its data"
    folder.mkdir(exist_ok=True)
    with model.averaged_weights():
        weights, _ = ModelState(model).read()
    write_bytes(folder / _WEIGHTS, serialize(weights))
    write_assets(folder, model.assets)
    write_json(
        folder / _CONFIG,
        {
            "model": plan.model,
            "distribution": plan.distributions["model"],
            "genkit": own_version(),
            "config": plan.config,
            "schema": model.schema.to_dict(),
        },
    )


def read_export(folder: Path) -> Model:
    """Load an exported model; the backend must be active.

    Raises:
        RunError: the folder is damaged, or the model is not installed.
    """
    from genkit.engine.state import ModelState
    from genkit.training.checkpoint_files import file_holds, load_arrays

    refuse_links(folder)
    data = read_json(folder / _CONFIG)
    try:
        model = build_model(
            str(data["model"]),
            str(data["distribution"]),
            data["config"],
            Schema.from_dict(data["schema"]),
            at_most=file_holds(folder / _WEIGHTS),
        )
    except (KeyError, TypeError) as error:
        raise RunError(f"The file {folder / _CONFIG} is damaged: {error!r}.") from error
    load_arrays(folder / _WEIGHTS, ModelState(model))
    model.assets = read_assets(folder)
    return model


def is_export(path: Path) -> bool:
    """Say whether a folder looks like an exported model."""
    return (path / _CONFIG).is_file() and (path / _WEIGHTS).is_file()
