"""Drawn pictures whose captions say all there is: coloured shapes, and where they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import genkit
from genkit.data import ArraySource
from genkit_text2image.captions import FILE_NAME, Caption
from genkit_text2image.configs import ShapesConfig
from genkit_text2image.source import IMAGE, CaptionedSource, divided
from genkit_text2image.words import words_of

COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 160, 60),
    "blue": (50, 80, 220),
    "yellow": (240, 210, 40),
    "purple": (150, 60, 190),
    "black": (20, 20, 20),
}
SHAPES = ("circle", "square", "triangle", "cross")
RELATIONS = ("above", "below", "beside")  # beside: to the left of
_FINER = 4  # drawn so many times larger, for smooth edges
_ALONE = 0.25  # share of pictures of one shape


@dataclass(frozen=True)
class Thing:
    """A coloured shape of a caption."""

    colour: str
    shape: str


@dataclass(frozen=True)
class Scene:
    """What a caption tells.

    Args:
        things: one, or two of different colours.
        relation: of the first to the second; empty where there is one.
    """

    things: tuple[Thing, ...]
    relation: str = ""

    @property
    def text(self) -> str:
        """The caption, ``"red circle above blue square"``."""
        return f" {self.relation} ".join(f"{each.colour} {each.shape}" for each in self.things)


def scene_of(text: str) -> Scene | None:
    """Return the scene that a caption tells; None if it isn't one of these captions."""
    match words_of(text):
        case [colour, shape]:
            scene = Scene((Thing(colour, shape),))
        case [colour, shape, relation, other, form] if relation in RELATIONS:
            scene = Scene((Thing(colour, shape), Thing(other, form)), relation)
        case _:
            return None
    told = all(each.colour in COLOURS and each.shape in SHAPES for each in scene.things)
    return scene if told else None


def open_shapes(config: ShapesConfig) -> CaptionedSource:
    """Draw the pictures: ``image``, uint8, and ``caption``, int32.

    Raises:
        DataError: too few pictures to hold some out.
    """
    scenes, pictures = _drawn(config.items, config.side, config.seed)
    captions = [Caption(tuple(words_of(scene.text))) for scene in scenes]
    field = genkit.Field(pictures.shape[1:], "uint8", "image", (0, 255))
    source = ArraySource({IMAGE: pictures}, genkit.Schema({IMAGE: field}))
    return divided(source, captions, config)


def write_shapes(folder: Path, items: int, side: int, seed: int = 0) -> None:
    """Write such pictures as PNG files with their ``metadata.jsonl``."""
    lines = []
    for number, (scene, picture) in enumerate(zip(*_drawn(items, side, seed), strict=True)):
        name = f"{number:04d}.png"
        Image.fromarray(picture).save(folder / name)
        lines.append(json.dumps({"file_name": name, "text": scene.text}))
    (folder / FILE_NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _drawn(items: int, side: int, seed: int) -> tuple[list[Scene], np.ndarray]:
    rng = np.random.default_rng(seed)
    scenes = [_some_scene(rng) for _ in range(items)]
    return scenes, np.stack([draw(scene, side, rng) for scene in scenes])


def _some_scene(rng: np.random.Generator) -> Scene:
    colours = rng.permutation(list(COLOURS))[:2]
    things = tuple(Thing(str(colour), str(rng.choice(SHAPES))) for colour in colours)
    if rng.random() < _ALONE:
        return Scene(things[:1])
    return Scene(things, str(rng.choice(RELATIONS)))


def draw(scene: Scene, side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a scene on white, each shape somewhere in its half, uint8 ``(side, side, 3)``."""
    large = side * _FINER
    picture = Image.new("RGB", (large, large), "white")
    pen = ImageDraw.Draw(picture)
    for thing, (x, y) in zip(scene.things, _centres(scene), strict=True):
        shift = rng.uniform(-0.05, 0.05, 2)
        radius = rng.uniform(0.15, 0.2) if len(scene.things) > 1 else rng.uniform(0.22, 0.35)
        centre = ((x + shift[0]) * large, (y + shift[1]) * large)
        draw_shape(pen, thing.shape, COLOURS[thing.colour], centre, radius * large)
    small = picture.resize((side, side), Image.Resampling.BOX)
    return np.asarray(small, np.uint8)


def _centres(scene: Scene) -> tuple[tuple[float, float], ...]:
    middle, low, high = 0.5, 0.25, 0.75
    return {
        "": ((middle, middle),),
        "above": ((middle, low), (middle, high)),
        "below": ((middle, high), (middle, low)),
        "beside": ((low, middle), (high, middle)),
    }[scene.relation]


def draw_shape(
    pen: ImageDraw.ImageDraw,
    shape: str,
    fill: tuple[int, int, int],
    centre: tuple[float, float],
    radius: float,
) -> None:
    """Draw a shape that fits a square of twice the radius, in pixels."""
    x, y = centre
    box = (x - radius, y - radius, x + radius, y + radius)
    if shape == "circle":
        pen.ellipse(box, fill)
    elif shape == "square":
        pen.rectangle(box, fill)
    elif shape == "triangle":
        pen.polygon([(x, box[1]), (box[2], box[3]), (box[0], box[3])], fill)
    else:
        arm = radius / 3
        pen.rectangle((x - arm, box[1], x + arm, box[3]), fill)
        pen.rectangle((box[0], y - arm, box[2], y + arm), fill)
