"""The records of what handles items of one modality: shows, reviews, changes, learns them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from genkit.plugins.specs import Schema, Spec


def made_for(
    factory: Callable[..., Any], schema: Schema, field: str, assets: Mapping[str, Any]
) -> Any:
    """Make what handles the items of a field: a renderer, a reviewer.

    A class of before there were assets takes two arguments; its object gets them as an attribute.

    Args:
        factory: takes the schema, the name of the field, and the assets.
        schema: what the data is.
        field: name of the field.
        assets: those of the data, arrays by name.
    """
    try:
        inspect.signature(factory).bind(schema, field, assets)
    except TypeError:
        made = factory(schema, field)
        made.assets = assets
        return made
    return factory(schema, field, assets)


@dataclass(frozen=True, kw_only=True)
class RendererSpec(Spec):
    """A way to show items of one modality, in grids, reports and files.

    Args:
        renderer: reference to a ``genkit.Renderer`` subclass, called with the schema, the name of
            the field, and the assets of the data.
        modality: what it shows.
    """

    renderer: str
    modality: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("renderer")


@dataclass(frozen=True, kw_only=True)
class ReviewerSpec(Spec):
    """A check of everything generated, before it is written.

    Args:
        reviewer: reference to a ``genkit.Reviewer`` subclass, called with the schema, the name of
            the field, and the assets of the data.
        modality: what it reviews.
    """

    reviewer: str
    modality: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("reviewer")


@dataclass(frozen=True, kw_only=True)
class ExtractorSpec(Spec):
    """What turns items of one modality into features: the numbers that metrics compare.

    Args:
        extractor: reference to a ``genkit.Extractor`` subclass, called with the schema, the name of
            the field, and the assets.
        modality: of the items.
        usual: whether it is taken for items of its modality where the data set names none and there
            are several.
    """

    extractor: str
    modality: str
    usual: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("extractor")


@dataclass(frozen=True, kw_only=True)
class TransformSpec(Spec):
    """Something done to items of one modality before a model sees them, named in a recipe.

    Args:
        transform: reference to a ``genkit.data.Transform`` subclass, whose ``parse`` reads what
            stands behind the name.
        modality: of the items; the first field of it is transformed.
        examples: how it is written, ``("resize=32", "resize=32x48")``; each must do for items that
            ``genkit check`` tries it on.
        usage: the same in words, for who writes it wrongly; the examples when left out.
        undone: whether its ``undo`` gives the items back, to rounding.
    """

    transform: str
    modality: str
    examples: tuple[str, ...]
    usage: str = ""
    undone: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("transform")
        named = [str(example).partition("=")[0].strip() == self.name for example in self.examples]
        self._require(
            isinstance(self.examples, tuple) and named and all(named),
            "examples: a tuple of texts that begin with the name",
        )
        object.__setattr__(self, "usage", self.usage or " or ".join(self.examples))


@dataclass(frozen=True, kw_only=True)
class LearnerSpec(Spec):
    """What learns the labels of items of one modality, to see whether generated items help it.

    Args:
        learner: reference to a ``genkit.Learner`` subclass, called with the schema.
        modality: of the items; that of the first field that a model generates.
        classical: names of the classical augmentations that it knows, random changes to training
            items for example; at least one.
        usual: those that it makes unless told otherwise; all when left out.
        steps: how long it learns unless told otherwise.
    """

    learner: str
    modality: str
    classical: tuple[str, ...]
    usual: tuple[str, ...] = ()
    steps: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("learner")
        self._require(isinstance(self.steps, int) and self.steps > 0, "steps: 1 or more")
        self._require(
            isinstance(self.classical, tuple) and self.classical, "classical: a tuple of names"
        )
        object.__setattr__(self, "usual", self.usual or self.classical)
        self._require(set(self.usual) <= set(self.classical), "usual: some of classical")
