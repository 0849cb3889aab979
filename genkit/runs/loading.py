"""What a run has left, opened again: its trained model and its data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from genkit.errors import UsageError
from genkit.plan.activation import activate, active_backend, installed_backends
from genkit.plugins.registry import installed
from genkit.plugins.schema import Schema
from genkit.runs import inputs
from genkit.runs.assets import read_assets
from genkit.runs.export import read_export
from genkit.runs.finding import find_run
from genkit.runs.handed_over import hand_over, offer_model
from genkit.runs.names import is_export
from genkit.runs.run import Run
from genkit.runs.saved_model import named_model

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.models.model import Model


class HasPath(Protocol):
    """What knows its folder: a ``Run``, or what ``train`` returned."""

    @property
    def path(self) -> Path:
        """The folder."""


def path_of(run_or_path: HasPath | str | Path) -> Path:
    """Return the folder that a caller names, or that what it hands over knows.

    Args:
        run_or_path: what has a path; or a directory; or, of a run in the runs folder, its name
            alone; or ``"latest"``, the newest run there.

    Raises:
        RunError: there is no such run.
    """
    return find_run(run_or_path) if isinstance(run_or_path, (str, Path)) else run_or_path.path


def open_run(run_or_path: HasPath | str | Path) -> Run:
    """Open a run: its losses, its figures and its plan. Nothing is loaded.

    Args:
        run_or_path: what ``train`` returned, a run's directory, its name or ``"latest"``.

    Returns:
        the run: ``run.history`` is its log as columns, ``run.plan`` what it carries out,
        ``run.status()`` where it stands, and a notebook displays its samples and curves.

    Raises:
        RunError: there is no such run, or its plan is damaged.
    """
    return Run.open(path_of(run_or_path))


def load(
    run_or_path: HasPath | str | Path,
    backend: str | None = None,
    checkpoint: str | int | None = None,
    *,
    model: Any = None,
) -> Model:
    """Load a trained model, whichever backend made it.

    Args:
        run_or_path: what ``train`` returned, a run's directory, its name or ``"latest"``, or an
            exported ``model`` folder.
        backend: backend to use; by default the active one, or else the run's own if installed.
        checkpoint: the step of a checkpoint that the run has kept, or ``"best"``; by default the
            newest complete one. A run that still trains may be read.
        model: of a run of a program's own model: that model again, or what builds it. In the
            process that trained it it is known.

    Returns:
        the model, with averaged weights where there are any.

    Raises:
        RunError: no run or model there, or it is damaged.
    """
    path = path_of(run_or_path)
    if is_export(path):
        if checkpoint is not None:
            raise UsageError("An exported model has no checkpoints.", "Give the run instead.")
        activate(backend)
        if model is not None:
            offer_model(model, named_model(path)[0])
        return read_export(path)
    run = Run.open(path)
    hand_over(run.plan, model=model)
    if backend is None and run.plan.backend in installed_backends():
        backend = active_backend() or run.plan.backend
    activate(backend)
    from genkit.engine.state import ModelState
    from genkit.runs import checkpoint_files, checkpoints

    schema = Schema.from_dict(run.environment().get("data", {}).get("schema") or {})

    def which() -> Path:
        return checkpoints.chosen(run.checkpoints, checkpoint, run.settings)

    loaded = inputs.build_model(
        run.plan.model,
        run.plan.distributions["model"],
        run.plan.config,
        schema,
        assets=read_assets(run.path),
        at_most=checkpoints.read_steadily(which, checkpoint_files.most_weights),
    )
    state = ModelState(loaded)
    position = checkpoints.read_steadily(
        which, lambda folder: checkpoint_files.restore(folder, state)
    )
    loaded.trained_steps = position.step
    loaded.use_averaged_weights()
    return loaded


def open_data(run_or_path: HasPath | str | Path, *, unseen: bool = False) -> Source:
    """Open the data of a run.

    Args:
        run_or_path: what ``train`` returned, or a run's directory, its name or ``"latest"``.
        unseen: prefer items that training didn't see: the test split, where the data has one.

    Raises:
        GenkitError: no run there, no such data set any more, or data that can't be read.
    """
    plan = Run.open(path_of(run_or_path)).plan
    return inputs.open_data(plan, installed(), unseen=unseen)


def open_dataset(
    name: str,
    settings: Mapping[str, Any] = MappingProxyType({}),
    *,
    unseen: bool | None = None,
) -> Source:
    """Open a data set of ``genkit list``, as ``genkit run MODEL --dataset NAME`` does.

    Args:
        name: its name, or ``distribution/name``.
        settings: those of the data set that are not to be as usual.
        unseen: choose the split: that for training, or that which training doesn't see; data
            without splits is taken as a whole. Left out, the settings say it.

    Raises:
        GenkitError: no such data set, a bad setting, or data that can't be read.

    Example:
        >>> len(genkit.open_dataset("digits", {"per_class": 3}))
        30
    """
    entry = installed().find("datasets", name)
    splits = entry.spec.splits
    if unseen is not None and splits:
        settings = {**settings, "split": entry.spec.held_out if unseen else splits[0]}
    return inputs.open_entry(entry, settings)
