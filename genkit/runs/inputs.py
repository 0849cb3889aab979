"""All that a plan names, made: its data set, its model, its trainer and its callbacks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from genkit.data import hold_out
from genkit.data.memory import bounded_weights, machine_holds
from genkit.errors import DataError, MissingSplitError, RunError, UsageError
from genkit.files import inside
from genkit.plan import precision
from genkit.plan.from_program import PROGRAM
from genkit.plugins.entries import Entry
from genkit.plugins.registry import Registry
from genkit.plugins.specs import resolve
from genkit.runs.saved_model import model_entry

if TYPE_CHECKING:
    import numpy as np

    from genkit.data import Source
    from genkit.models.model import Model
    from genkit.models.training.trainer import Trainer
    from genkit.plan.plan import Plan
    from genkit.plugins.schema import Schema


def open_data(
    plan: Plan,
    registry: Registry,
    changes: Mapping[str, Any] | None = None,
    *,
    unseen: bool = False,
) -> Source:
    """Open a plan's data set; without the items that it holds out, where it validates.

    Args:
        plan: names it, with its settings.
        registry: knows it.
        changes: settings to use instead of the plan's.
        unseen: prefer items that training didn't see: the split held out, where there is one.

    Raises:
        GenkitError: no such data set, a bad setting, or data that can't be read.
    """
    if not unseen and not changes:
        return open_divided(plan, registry)[0]
    entry = registry.find("datasets", plan.qualified("dataset"))
    split = {"split": entry.spec.held_out} if unseen and entry.spec.splits else {}
    return open_entry(entry, {**plan.data, **split, **(changes or {})})


def open_divided(plan: Plan, registry: Registry) -> tuple[Source, Source | None]:
    """Open what a plan learns from, and what it validates on, if it does.

    Returns:
        the items to learn from; and those of the validation split or, without one, a tenth of the
        items, which are then not learned from.

    Raises:
        GenkitError: as ``open_data``; or too few items.
    """
    entry = registry.find("datasets", plan.qualified("dataset"))
    source = open_entry(entry, plan.data)
    if plan.validate_every is None:
        return source, None
    validation = _open_validation(plan, entry)
    return hold_out(source, plan.seed) if validation is None else (source, validation)


def _open_validation(plan: Plan, entry: Entry) -> Source | None:
    """Open the validation split of the data that a plan trains on, if there is one.

    Raises:
        DataError: there is one, and it can't be read.
    """
    splits = entry.spec.splits
    if "validation" not in splits or plan.data.get("split") != splits[0]:
        return None
    try:
        return open_entry(entry, {**plan.data, "split": "validation"})
    except MissingSplitError:
        return None
    except DataError as error:
        raise DataError(
            f"The validation split of {entry.spec.name} can't be read: {error}",
            "Mend it, or remove it: without one a tenth of the training items is held out.",
        ) from error


def open_entry(entry: Entry, settings: Mapping[str, Any]) -> Source:
    """Open a data set of the registry.

    Raises:
        GenkitError: a bad setting, or data that can't be read.
    """
    source: Source = resolve(entry.spec.source)(entry.settings(settings))
    return source


def build_model(
    name: str,
    distribution: str,
    config: Mapping[str, Any],
    schema: Schema,
    registry: Registry | None = None,
    *,
    assets: Mapping[str, np.ndarray] = MappingProxyType({}),
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
        assets: arrays of the data that it needs when it is used.
        at_most: how many numbers its weights may have, for a model whose weights come from a
            file: they are zero until then. When left out what this machine's memory holds.

    Raises:
        RunError: no installed plugin offers the model; the hint installs the one that did. Or
            it has more weights than it may: none of the surplus took memory. Or what a file
            says fits no model.
    """
    entry = model_entry(name, distribution, registry)
    settings = entry.settings(config)
    for modality in entry.spec.accepts:
        schema.name_of(modality)
    entry.spec.output_fields(schema)
    make = resolve(entry.spec.model)
    try:
        with bounded_weights(
            machine_holds() if at_most is None else at_most, blank=at_most is not None
        ):
            model: Model = make(settings, schema)
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        if at_most is None:
            raise
        fault = " ".join(str(error).split())[:300]
        raise RunError(f"The model {name} can't be built as its file says: {fault}") from error
    # A program's own model says itself what it can do.
    model.bind(schema, assets, entry.spec if entry.distribution != PROGRAM else None)
    return model


def new_model(
    plan: Plan, source: Source, registry: Registry | None = None, *, at_most: int | None = None
) -> Model:
    """Build a plan's model, its weights drawn from the plan's seed; the backend must be active.

    Args:
        plan: names it, with its settings.
        source: the data that it learns from.
        registry: knows it; what is installed when left out.
        at_most: see ``build_model``.

    Raises:
        GenkitError: it is not installed, or can't be built for this data or this machine.
    """
    with seeded(plan.seed), precision.computing_in(plan.precision):
        return build_model(
            plan.model,
            plan.distributions["model"],
            plan.config,
            source.schema,
            registry,
            assets=source.assets,
            at_most=at_most,
        )


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Build Keras layers, inside the block, as a seed says.

    Keras draws the seeds of initial weights and of layer randomness from ``random``. Its own
    ``set_random_seed`` would import every installed framework.
    """
    kept = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(kept)


def new_trainer(entry: Entry, settings: Mapping[str, Any]) -> Trainer:
    """Make a trainer of the registry; the backend must be active.

    Raises:
        GenkitError: a bad setting.
    """
    trainer: Trainer = resolve(entry.spec.trainer)(entry.settings(settings))
    return trainer


def new_callbacks(plan: Plan, registry: Registry, folder: Path) -> list[Any]:
    """Make the callbacks that a plan names.

    Args:
        plan: names them, with their arguments.
        registry: knows them.
        folder: the run directory, in which they write; it need not exist yet.

    Raises:
        GenkitError: no such callback, bad arguments, or a path out of the folder.
    """
    made = []
    for name, settings in plan.callbacks.items():
        spec = registry.find("callbacks", name).spec
        callback = resolve(spec.callback)
        given = {**spec.writes, **settings}
        paths = {key: str(inside(folder, str(given[key]), f"{name}.{key}")) for key in spec.writes}
        try:
            made.append(callback(**{**given, **paths}))
        except (TypeError, ValueError) as error:
            raise UsageError(f"The callback {name!r} can't be made: {error}.") from error
    return made


def on_this_device(plan: Plan) -> Plan:
    """Return a plan with what only the device can tell settled; its backend must be active."""
    from genkit import engine

    settled = precision.settle(plan.precision, plan.backend, engine.device())
    return plan.model_copy(update={"precision": settled})
