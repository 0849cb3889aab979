"""Folders of images for tests."""

import numpy as np
from PIL import Image

from genkit.builtin.datasets.image_folder import ImageFolderConfig, open_image_folder


def paint(path, size=(6, 4), mode="RGB", colour=None):
    """Write an image; ``size`` is (width, height), as Pillow has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = colour if colour is not None else (200 if mode in ("L", "P") else "red")
    Image.new(mode, size, colour).save(path)
    return path


def paint_all(folder, *names):
    """Write an image at each path in a folder."""
    for name in names:
        paint(folder / name)
    return folder


def opened(path, **settings):
    return open_image_folder(ImageFolderConfig(path=path, **settings))


def images_of(source):
    return source.gather(np.arange(len(source)))["image"]
