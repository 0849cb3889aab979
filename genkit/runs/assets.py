"""Assets: arrays of the data that a model needs when it is used, beside the schema.

They stand in one safetensors file, ``assets.safetensors``, of a run and of an exported model.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from genkit.errors import RunError
from genkit.files import reason_of, write_bytes

if TYPE_CHECKING:
    import numpy as np

_FILE = "assets.safetensors"


def write_assets(folder: Path, assets: Mapping[str, np.ndarray]) -> None:
    """Write a folder's assets, replacing older ones; without any there is no file.

    Args:
        folder: of a run or an exported model.
        assets: arrays of numbers by name.
    """
    if not assets:
        (folder / _FILE).unlink(missing_ok=True)
        return
    from safetensors.numpy import save

    write_bytes(folder / _FILE, save(dict(assets)))


def read_assets(folder: Path) -> Mapping[str, np.ndarray]:
    """Read a folder's assets; none where there is no file.

    Raises:
        RunError: the file can't be read.
    """
    if not (folder / _FILE).is_file():
        return MappingProxyType({})
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load((folder / _FILE).read_bytes())
    except (OSError, SafetensorError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError(f"The file {folder / _FILE} can't be read: {reason_of(error)}.") from error
    return MappingProxyType(arrays)
