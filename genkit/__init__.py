"""GenKit: generative models written once, trained on TensorFlow, PyTorch or JAX.

The names below load on first use (PEP 562): importing ``genkit`` imports no framework.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genkit.builtin.models.gan import GAN
    from genkit.engine import gradient, loop
    from genkit.errors import GenkitError
    from genkit.evaluation.extractors.base import Extractor
    from genkit.evaluation.metric import Metric
    from genkit.models.autoencoder import Autoencoder
    from genkit.models.model import Model
    from genkit.models.training.gradient_transforms import GradientTransform
    from genkit.models.training.trainer import Trainer
    from genkit.plan.activation import activate
    from genkit.plan.fitting import Outcome
    from genkit.plugins.catalogue import info, list_datasets, list_models
    from genkit.plugins.condition import Condition
    from genkit.plugins.config import AbsolutePath, Config
    from genkit.plugins.hookspecs import hookimpl
    from genkit.plugins.item_specs import (
        ExtractorSpec,
        LearnerSpec,
        RendererSpec,
        ReviewerSpec,
        TransformSpec,
    )
    from genkit.plugins.launcher_spec import LauncherSpec
    from genkit.plugins.opener_spec import OpenerSpec
    from genkit.plugins.registry import Registry
    from genkit.plugins.schema import Field, Schema
    from genkit.plugins.specs import (
        CallbackSpec,
        CommandSpec,
        DatasetSpec,
        MetricSpec,
        ModelSpec,
        TrainerSpec,
    )
    from genkit.report.page import write_report
    from genkit.report.rendering import Renderer
    from genkit.report.reviewing import Review, Reviewer
    from genkit.runs.export import save
    from genkit.runs.folder import list_runs
    from genkit.runs.loading import load, open_data, open_dataset, open_run
    from genkit.runs.model_workers import ModelWorkers
    from genkit.workers.launcher import Launcher
    from genkit.workflows.augment import augment
    from genkit.workflows.augmentation.learner import Learner
    from genkit.workflows.compare import compare
    from genkit.workflows.evaluate import evaluate
    from genkit.workflows.resume import resume
    from genkit.workflows.train import Result, train

# Keras binds to a backend when it is imported: ours must be chosen before.
_NEEDS_BACKEND = {"GAN", "Autoencoder", "GradientTransform", "Model", "Trainer", "gradient", "loop"}
_HOME = {
    "AbsolutePath": "genkit.plugins.config",
    "Autoencoder": "genkit.models.autoencoder",
    "CallbackSpec": "genkit.plugins.specs",
    "CommandSpec": "genkit.plugins.specs",
    "Condition": "genkit.plugins.condition",
    "Config": "genkit.plugins.config",
    "DatasetSpec": "genkit.plugins.specs",
    "Extractor": "genkit.evaluation.extractors.base",
    "ExtractorSpec": "genkit.plugins.item_specs",
    "Field": "genkit.plugins.schema",
    "GAN": "genkit.builtin.models.gan",
    "GenkitError": "genkit.errors",
    "GradientTransform": "genkit.models.training.gradient_transforms",
    "Launcher": "genkit.workers.launcher",
    "LauncherSpec": "genkit.plugins.launcher_spec",
    "Learner": "genkit.workflows.augmentation.learner",
    "LearnerSpec": "genkit.plugins.item_specs",
    "Metric": "genkit.evaluation.metric",
    "MetricSpec": "genkit.plugins.specs",
    "Model": "genkit.models.model",
    "ModelSpec": "genkit.plugins.specs",
    "ModelWorkers": "genkit.runs.model_workers",
    "OpenerSpec": "genkit.plugins.opener_spec",
    "Outcome": "genkit.plan.fitting",
    "Registry": "genkit.plugins.registry",
    "Renderer": "genkit.report.rendering",
    "RendererSpec": "genkit.plugins.item_specs",
    "Result": "genkit.workflows.train",
    "Review": "genkit.report.reviewing",
    "Reviewer": "genkit.report.reviewing",
    "ReviewerSpec": "genkit.plugins.item_specs",
    "Schema": "genkit.plugins.schema",
    "Trainer": "genkit.models.training.trainer",
    "TrainerSpec": "genkit.plugins.specs",
    "TransformSpec": "genkit.plugins.item_specs",
    "activate": "genkit.plan.activation",
    "augment": "genkit.workflows.augment",
    "compare": "genkit.workflows.compare",
    "evaluate": "genkit.workflows.evaluate",
    "gradient": "genkit.engine",
    "hookimpl": "genkit.plugins.hookspecs",
    "info": "genkit.plugins.catalogue",
    "list_datasets": "genkit.plugins.catalogue",
    "list_models": "genkit.plugins.catalogue",
    "list_runs": "genkit.runs.folder",
    "load": "genkit.runs.loading",
    "loop": "genkit.engine",
    "open_data": "genkit.runs.loading",
    "open_dataset": "genkit.runs.loading",
    "open_run": "genkit.runs.loading",
    "resume": "genkit.workflows.resume",
    "save": "genkit.runs.export",
    "train": "genkit.workflows.train",
    "write_report": "genkit.report.page",
}

__all__ = [
    "GAN",
    "AbsolutePath",
    "Autoencoder",
    "CallbackSpec",
    "CommandSpec",
    "Condition",
    "Config",
    "DatasetSpec",
    "Extractor",
    "ExtractorSpec",
    "Field",
    "GenkitError",
    "GradientTransform",
    "Launcher",
    "LauncherSpec",
    "Learner",
    "LearnerSpec",
    "Metric",
    "MetricSpec",
    "Model",
    "ModelSpec",
    "ModelWorkers",
    "OpenerSpec",
    "Outcome",
    "Registry",
    "Renderer",
    "RendererSpec",
    "Result",
    "Review",
    "Reviewer",
    "ReviewerSpec",
    "Schema",
    "Trainer",
    "TrainerSpec",
    "TransformSpec",
    "activate",
    "augment",
    "compare",
    "evaluate",
    "gradient",
    "hookimpl",
    "info",
    "list_datasets",
    "list_models",
    "list_runs",
    "load",
    "loop",
    "open_data",
    "open_dataset",
    "open_run",
    "resume",
    "save",
    "train",
    "write_report",
]

RENAMED: Mapping[str, str] = {}
"""Names of ``genkit`` that were replaced, with the names to use; kept for a minor version."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from genkit.plugins.entry_points import own_version

        return own_version()
    if name in RENAMED:
        _deprecate(f"genkit.{name}", f"genkit.{RENAMED[name]}")
        return globals().get(RENAMED[name]) or __getattr__(RENAMED[name])
    if name not in _HOME:
        raise AttributeError(f"module 'genkit' has no attribute {name!r}")
    if name in _NEEDS_BACKEND:
        from genkit.plan.activation import bind_keras

        bind_keras()
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def moved(old: str, new: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module's old place: its names, with a warning."""

    def __getattr__(name: str) -> Any:  # noqa: N807 - a module's
        value = getattr(import_module(_HOME.get(name, new)), name)
        _deprecate(f"{old}.{name}", f"genkit.{name}" if name in __all__ else f"{new}.{name}")
        return value

    return __getattr__


def _deprecate(old: str, new: str) -> None:
    text = f"{old} is deprecated and will be removed; use {new}."
    warnings.warn(text, DeprecationWarning, stacklevel=3)
