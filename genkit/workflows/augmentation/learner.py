"""What learns from real and generated items: the base, and the one that fits a model."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from genkit.errors import UsageError
from genkit.plugins.choosing import only_of
from genkit.workflows.augmentation.view import FieldsOf

if TYPE_CHECKING:
    import numpy as np

    from genkit.data import Batch, Source
    from genkit.plugins.entries import Entry
    from genkit.plugins.registry import Registry
    from genkit.plugins.specs import ModelSpec, Schema

Part = tuple[str, "Source", Sequence[Mapping[str, Any]]]
"""A part of a mixed data set: its origin, the items, and the facts about each."""


class Learner(abc.ABC):
    """Learns the labels of items of one modality, to see whether generated items help it.

    In every arm it must be the same and be trained the same way; only its data differs. Nothing may
    be chosen by the test items.

    Args:
        schema: what the items are: that of its ``view``, with a label.
        assets: those of the data, by name.
    """

    measures: ClassVar[tuple[str, ...]] = ("accuracy",)
    """What ``scores`` measures, shares each. The verdict rests on the first."""

    corruptions: ClassVar[Mapping[str, str]] = {}
    """What test items can be corrupted by, and how that is done, in words."""

    condition = "label"
    """What a model is asked for, to generate items of a class: the name of the condition."""

    def __init__(
        self, schema: Schema, assets: Mapping[str, np.ndarray] = MappingProxyType({})
    ) -> None:
        self.schema, self.assets = schema, assets
        self.label = schema.name_of("label")

    @classmethod
    def view(cls, source: Source, generated: Sequence[str]) -> Source:
        """Return the items of data as they are learned from: what is generated, and the label.

        A learner whose labels are no field of the data returns a source of its own here: with
        fields of fixed shapes, a label among them, and the data's assets.

        Args:
            source: the data.
            generated: names of the fields that the model generates.

        Raises:
            UsageError: the data has nothing that could be the label.
        """
        return FieldsOf(source, generated)

    def viewed(self, items: Batch) -> Batch:
        """Return generated items as ``view`` has those of data, without their label.

        Args:
            items: by field, as the model presents them.
        """
        return items

    @classmethod
    def unfit(cls, schema: Schema) -> str:  # noqa: ARG003
        """Return what was expected of the items, a sentence; empty if they can be learned from."""
        return ""

    @abc.abstractmethod
    def train(
        self,
        source: Source,
        classical: Sequence[str],
        *,
        steps: int,
        seed: int,
        callbacks: Sequence[Any] = (),
    ) -> tuple[Any, int]:
        """Learn from items.

        Args:
            source: the items, with labels.
            classical: classical augmentation, of the kinds that its record names; none if empty.
            steps: how long; the same in every arm, however many items there are.
            seed: of everything random; with the same seed every arm begins alike.
            callbacks: ``keras.callbacks.Callback`` objects, for those whose training has any.

        Returns:
            what was learned, for ``scores``; and the number of the signal that ended it early, or
            0.
        """

    @abc.abstractmethod
    def scores(self, trained: Any, source: Source, corruption: str = "") -> tuple[float, ...]:
        """Return how well labels are found, by each of ``measures``: from 0 to 1, 1 is best.

        Args:
            trained: what ``train`` gave.
            source: the test items.
            corruption: one of ``corruptions``, or none.
        """

    @abc.abstractmethod
    def write(self, folder: Path, parts: Sequence[Part]) -> None:
        """Write the mixed data set as files that other tools read, each item with its facts.

        Args:
            folder: an empty one; it gets its name when all is written.
            parts: ``("real", source, facts)`` and ``("synthetic", source, facts)``: where each item
                comes from, JSON values by name.
        """


def find_learner(registry: Registry, model: ModelSpec) -> Entry:
    """Find the learner of what a model generates; one of GenKit's own is taken before others.

    Raises:
        UsageError: there is none.
        AmbiguousNameError: two plugins have one.
    """
    modality = (model.generates or model.accepts)[0]
    entries = registry.entries("learners")
    fitting = [entry for entry in entries if entry.spec.modality == modality]
    chosen = only_of(fitting, f"learner of the modality {modality!r}")
    if chosen is None:
        known = " or ".join(sorted({entry.spec.modality for entry in entries}))
        raise UsageError(
            f"Expected a model of {known}: nothing learns labels of {modality}, which {model.name} "
            "generates.",
            "A plugin brings one: the hook genkit_learners.",
        )
    return chosen
