"""Fashion-MNIST: from a folder where its files lie already, or else downloaded.

Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", 2017, arXiv:1708.07747.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genkit.builtin.datasets.configs import FashionMnistConfig
from genkit.builtin.datasets.idx import read_idx
from genkit.builtin.datasets.images import open_labelled
from genkit.data.downloads import download

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genkit.data.source import Source

BASE_URL = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"
HINT = (
    "Put the four files into $GENKIT_DATA/fashion-mnist, or install Debian's dataset-fashion-mnist."
)
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
# MD5 of the files as published: the README of the data set. Debian compressed them anew.
MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
# SHA-256 of what they hold, whoever compressed it.
SHA256 = {
    "train-images-idx3-ubyte.gz": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
    ),
    "train-labels-idx1-ubyte.gz": (
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
    ),
}


def open_fashion_mnist(config: FashionMnistConfig) -> Source:
    """Open Fashion-MNIST: fields ``image``, shape ``(28, 28, 1)``, uint8, and ``label``.

    Its files are looked for in ``$GENKIT_DATA/fashion-mnist`` and where Debian's package
    ``dataset-fashion-mnist`` puts them; failing that they are downloaded, once.

    Raises:
        DataError: a file can't be had, or is damaged.
    """
    parts = {"train": ("train",), "test": ("t10k",), "all": ("train", "t10k")}[config.split]
    folder = find() or download(BASE_URL, MD5, "fashion-mnist", HINT)
    images, labels = (
        np.concatenate([_read(folder, f"{part}-{kind}-ubyte.gz") for part in parts])
        for kind in ("images-idx3", "labels-idx1")
    )
    return open_labelled(images[..., None], labels, CLASSES, (0, 255), config)


def find() -> Path | None:
    """Find a folder that has all four files."""
    own = os.environ.get("GENKIT_DATA")
    candidates = [Path(own) / "fashion-mnist"] if own else []
    for folder in (*candidates, DEBIAN_FOLDER):
        if all((folder / name).is_file() for name in MD5):
            return folder
    return None


def _read(folder: Path, name: str) -> NDArray[np.uint8]:
    return read_idx(folder / name, sha256=SHA256[name])
