"""The data of an augmentation: opened, checked, and its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import UsageError
from genkit.plugins.registry import installed
from genkit.workflows.augmentation.settings import check_conditional

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.workflows.augmentation.learner import Learner
    from genkit.workflows.augmentation.settings import Settings

_CHUNK = 1024  # items looked at together for their labels


def open_split(settings: Settings, *, unseen: bool) -> Source:
    """Open the split for training or the one held out, with all items of each class."""
    from genkit.runs.inputs import open_data

    changes: dict[str, Any] = {"per_class": None}
    if unseen and "limit" in settings.generator.data:
        changes["limit"] = None  # it was asked for to learn from fewer items, not to test on fewer
    return open_data(settings.generator, installed(), changes, unseen=unseen)


def check_data(source: Source, settings: Settings, learner: type[Learner]) -> Source:
    """Refuse data that has no classes, or that nothing can learn from.

    Raises:
        UsageError: with what to choose.
    """
    labels = [f for f in source.schema.fields.values() if f.modality == "label"]
    if not labels or len(labels[0].classes) < 2:  # noqa: PLR2004
        raise UsageError(
            f"Expected data with labels of two classes or more; {settings.generator.dataset} has "
            f"{'one class' if labels else 'no labels'}.",
            "Choose --dataset fashion-mnist, mnist or digits, or put the images of an image-folder "
            "into one sub-folder a class.",
        )
    if reason := learner.unfit(source.schema):
        raise UsageError(reason, "Choose another data set: genkit list datasets")
    return source


def check_model(settings: Settings, source: Source, condition: str) -> None:
    """Refuse a model that can't be asked for a class.

    Args:
        settings: name the model.
        source: what it learns from.
        condition: what it is to be asked for; ``Learner.condition``.

    Raises:
        UsageError: with the models, or the conditions, that there are.
    """
    from genkit.runs.inputs import build_model

    plan = settings.generator
    distribution = plan.distributions["model"]
    model = build_model(plan.model, distribution, plan.config, source.schema, assets=source.assets)
    if condition == "label":
        check_conditional(installed(), plan.model, model.conditional)
    elif condition not in (known := [each.name for each in model.conditions]):
        raise UsageError(
            f"Expected a model that can be asked for {condition!r}; {plan.model} can be asked for "
            f"{', '.join(known) or 'nothing'}.",
            "Choose another model or label: nobody could say which class its items show.",
        )


def labels_of(source: Source) -> np.ndarray:
    """Return the label of each item, in order."""
    label = source.schema.name_of("label")
    chunks = np.array_split(np.arange(len(source)), -(-len(source) // _CHUNK))
    return np.concatenate([source.gather(chunk)[label] for chunk in chunks])
