"""GenKit: generative models written once, trained on TensorFlow, PyTorch or JAX.

The names below load on first use (PEP 562): importing ``genkit`` imports no framework.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genkit.api import resume, train
    from genkit.autoencoder import Autoencoder
    from genkit.backend import activate
    from genkit.builtin.models.gan import GAN
    from genkit.config import Config
    from genkit.engine import gradient
    from genkit.errors import GenkitError
    from genkit.evaluate_run import evaluate
    from genkit.evaluation.metric import Metric
    from genkit.hookspecs import hookimpl
    from genkit.loading import load, open_data
    from genkit.model import Model
    from genkit.registry import Registry
    from genkit.rendering import Renderer
    from genkit.reviewing import Review, Reviewer
    from genkit.schema import Field, Schema
    from genkit.specs import (
        CallbackSpec,
        CommandSpec,
        DatasetSpec,
        MetricSpec,
        ModelSpec,
        RendererSpec,
        ReviewerSpec,
        TrainerSpec,
    )
    from genkit.training.trainer import Trainer
    from genkit.training.transforms import GradientTransform

# Keras binds to a backend when it is imported: ours must be chosen before.
_NEEDS_BACKEND = {"GAN", "Autoencoder", "GradientTransform", "Model", "Trainer", "gradient"}
_HOME = {
    "Autoencoder": "genkit.autoencoder",
    "CallbackSpec": "genkit.specs",
    "CommandSpec": "genkit.specs",
    "Config": "genkit.config",
    "DatasetSpec": "genkit.specs",
    "Field": "genkit.schema",
    "GAN": "genkit.builtin.models.gan",
    "GenkitError": "genkit.errors",
    "GradientTransform": "genkit.training.transforms",
    "Metric": "genkit.evaluation.metric",
    "MetricSpec": "genkit.specs",
    "Model": "genkit.model",
    "ModelSpec": "genkit.specs",
    "Registry": "genkit.registry",
    "Renderer": "genkit.rendering",
    "RendererSpec": "genkit.specs",
    "Review": "genkit.reviewing",
    "Reviewer": "genkit.reviewing",
    "ReviewerSpec": "genkit.specs",
    "Schema": "genkit.schema",
    "Trainer": "genkit.training.trainer",
    "TrainerSpec": "genkit.specs",
    "activate": "genkit.backend",
    "evaluate": "genkit.evaluate_run",
    "gradient": "genkit.engine",
    "hookimpl": "genkit.hookspecs",
    "load": "genkit.loading",
    "open_data": "genkit.loading",
    "resume": "genkit.api",
    "train": "genkit.api",
}

__all__ = [
    "GAN",
    "Autoencoder",
    "CallbackSpec",
    "CommandSpec",
    "Config",
    "DatasetSpec",
    "Field",
    "GenkitError",
    "GradientTransform",
    "Metric",
    "MetricSpec",
    "Model",
    "ModelSpec",
    "Registry",
    "Renderer",
    "RendererSpec",
    "Review",
    "Reviewer",
    "ReviewerSpec",
    "Schema",
    "Trainer",
    "TrainerSpec",
    "activate",
    "evaluate",
    "gradient",
    "hookimpl",
    "load",
    "open_data",
    "resume",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from genkit.entry_points import own_version

        return own_version()
    if name not in _HOME:
        from genkit.deprecation import renamed

        if replacement := renamed(name):
            return globals().get(replacement) or __getattr__(replacement)
        raise AttributeError(f"module 'genkit' has no attribute {name!r}")
    if name in _NEEDS_BACKEND:
        from genkit.backend import bind_keras

        bind_keras()
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
