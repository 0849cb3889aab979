"""Small data and models that the tests share."""

import json

import keras
import numpy as np
from genkit_text2image.clip import Clip
from genkit_text2image.configs import ClipConfig, DalleConfig, FolderConfig, ShapesConfig
from genkit_text2image.dalle import Dalle
from genkit_text2image.folder import open_folder
from genkit_text2image.shapes import open_shapes
from PIL import Image

SHAPES = {"items": 96, "side": 8, "known": 1, "longest": 6}
DALLE = {
    "first_stage": 4,
    "codebook_size": 8,
    "code_dim": 4,
    "halvings": 1,
    "picture_width": 4,
    "residual_blocks": 1,
    "layers": 2,
    "heads": 2,
    "width": 16,
}
CLIP = {"halvings": 2, "width": 8, "dimension": 16, "word_dimension": 16}


def shapes(**settings):
    return open_shapes(ShapesConfig(**{**SHAPES, **settings}))


def bound(model, source):
    model.bind(source.schema, source.assets)
    return model


def dalle(source, **settings):
    """Return an untrained model, the same each time."""
    keras.utils.set_random_seed(0)
    return bound(Dalle(DalleConfig(**{**DALLE, **settings}), source.schema), source)


def clip(source, **settings):
    keras.utils.set_random_seed(0)
    return bound(Clip(ClipConfig(**{**CLIP, **settings}), source.schema), source)


def write_pictures(folder, texts, more=()):
    """Write a picture and a line of metadata for each text; then more lines as they are."""
    lines = []
    for number, text in enumerate(texts):
        shade = (37 * number % 256, 91 * number % 256, 0)
        Image.new("RGB", (8, 8), shade).save(folder / f"{number}.png")
        extra = text if isinstance(text, dict) else {"text": text}
        lines.append(json.dumps({"file_name": f"{number}.png", **extra}))
    (folder / "metadata.jsonl").write_text("\n".join([*lines, *more]), encoding="utf-8")
    return folder


def opened(folder, **settings):
    usual = {"path": folder, "side": 8, "held_out": 0.0, "drop_words": 0.0, "widen": 0.0}
    return open_folder(FolderConfig(**{**usual, **settings}))


def captions_of(source):
    """Return the captions of a source as models see them, as text."""
    numbers = source.gather(np.arange(len(source)))["caption"]
    from genkit_text2image.source import words_in

    words = words_in(source.schema, source.assets)
    return [words.decode(row) for row in numbers]
