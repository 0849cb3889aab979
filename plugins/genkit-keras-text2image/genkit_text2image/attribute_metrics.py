"""Figures of what pictures show of their prompts, without a judge that is trained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import genkit
from genkit.evaluation import Batch, Context, Figure, proportion_interval
from genkit_text2image.attributes import HEART_COLOURS, is_of_hue, shown
from genkit_text2image.prompted import PROMPT
from genkit_text2image.shapes import Scene, scene_of
from genkit_text2image.source import CAPTION, IMAGE

_ITEMS = 64
_HEARTS = 8  # of each colour
_INTERVAL = "95 % Wilson score interval"


class ShapeAttributes(genkit.Metric):
    """The shares of colours, shapes and places that pictures of drawn shapes have right.

    Prompts are held-out captions; beside each figure stands that of the real pictures, the ceiling.
    """

    streams = ()

    @classmethod
    def unfit(cls, context: Context) -> str:
        if not _takes_prompts(context):
            return "the model takes no prompt"
        if context.real is None or CAPTION not in context.real.schema:
            return "the data has no captions"
        told = len(_scenes(context)[0])
        return "" if told else "the captions tell of no drawn shapes"

    def update(self, stream: str, batch: Batch) -> None:
        """Nothing is shown: pictures are made of held-out captions."""

    def compute(self) -> Iterable[Figure]:
        scenes, numbers, real = _scenes(self.context)
        model: Any = self.context.model
        made = model.generate(len(scenes), self.context.seed, given={PROMPT.name: list(numbers)})
        for name, pictures in (("", _in_bytes(made, model)), (" (real)", _in_bytes(real, model))):
            for attribute, right in _counted(pictures, scenes).items():
                interval = proportion_interval(sum(right), len(right))
                card = {"interval": _INTERVAL, "prompts": len(scenes)}
                yield self.context.figure(f"{attribute}{name}", interval, "max", **card)


class HeartHue(genkit.Metric):
    """The share of pictures of ``red heart``, ``blue heart`` and so on that have the hue."""

    streams = ()

    @classmethod
    def unfit(cls, context: Context) -> str:
        if not _takes_prompts(context):
            return "the model takes no prompt"
        return "" if len(_hearts(context)) > 1 else "the captions have no hearts of several colours"

    def update(self, stream: str, batch: Batch) -> None:
        """Nothing is shown: pictures are made of prompts."""

    def compute(self) -> Iterable[Figure]:
        model: Any = self.context.model
        colours = [colour for colour in _hearts(self.context) for _ in range(_HEARTS)]
        prompts = [f"{colour} heart" for colour in colours]
        made = model.generate(len(prompts), self.context.seed, given={PROMPT.name: prompts})
        pictures = _in_bytes(made, model)
        right = [is_of_hue(each, colour) for each, colour in zip(pictures, colours, strict=True)]
        interval = proportion_interval(sum(right), len(right))
        yield self.context.figure(
            "heart-hue", interval, "max", interval=_INTERVAL, prompts=len(right)
        )


def _takes_prompts(context: Context) -> bool:
    model: Any = context.model
    colours = len(context.items.shape) == 3 and context.items.shape[-1] == 3  # noqa: PLR2004
    return colours and model is not None and PROMPT in model.conditions


def _scenes(context: Context) -> tuple[list[Scene], np.ndarray, np.ndarray]:
    """Return scenes of held-out captions, the captions in numbers, and their pictures."""
    model: Any = context.model
    assert context.real is not None, "unfit without"
    rows = context.real.gather(np.arange(min(_ITEMS, len(context.real))))
    scenes = [scene_of(model.text_of(numbers)) for numbers in rows[CAPTION]]
    kept = [place for place, scene in enumerate(scenes) if scene is not None]
    return [scene for scene in scenes if scene is not None], rows[CAPTION][kept], rows[IMAGE][kept]


def _hearts(context: Context) -> list[str]:
    model: Any = context.model
    known = "heart" in model.words
    return [colour for colour in HEART_COLOURS if known and colour in model.words]


def _counted(pictures: np.ndarray, scenes: Sequence[Scene]) -> dict[str, list[bool]]:
    found = [shown(picture, scene) for picture, scene in zip(pictures, scenes, strict=True)]
    counted = {name: [right for each in found for right in each[name]] for name in found[0]}
    return {name: right for name, right in counted.items() if right}


def _in_bytes(pictures: np.ndarray, model: Any) -> np.ndarray:
    """Return pictures in the data's range as bytes."""
    low, high = model.schema[model.image].range
    share = (np.asarray(pictures, np.float32) - low) / (high - low)
    return np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
