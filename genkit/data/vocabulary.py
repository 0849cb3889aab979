"""Names that are too many for a schema: an asset, with its digest in the field.

A schema stands in every run and exported model, where people read it; 28,523 names of a column
would be published with each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genkit.plugins.schema import Field, Schema


def pack_text(texts: Iterable[str]) -> NDArray[np.uint8]:
    """Return texts as an array of bytes, the form in which they are an asset: JSON in UTF-8."""
    return np.frombuffer(json.dumps(list(texts), ensure_ascii=False).encode(), np.uint8)


def unpack_text(asset: NDArray[Any]) -> tuple[str, ...]:
    """Return the texts of an asset that ``pack_text`` made.

    Raises:
        DataError: it holds something else.
    """
    try:
        texts = json.loads(np.asarray(asset, np.uint8).tobytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"Expected packed text in an asset; it is damaged: {error}.") from error
    if not (isinstance(texts, list) and all(isinstance(text, str) for text in texts)):
        raise DataError("Expected packed text in an asset; received other values.")
    return tuple(texts)


def with_vocabulary(
    name: str, field: Field, names: Iterable[str]
) -> tuple[Field, dict[str, NDArray[np.uint8]]]:
    """Give the numbers of a field their names, in an asset.

    Args:
        name: of the field.
        field: its values are numbers from 0 on.
        names: of the values, in order of their numbers.

    Returns:
        the field with the digest of the names and the range of their numbers; and the asset to
        put into ``Source.assets``.
    """
    names = list(names)
    packed = pack_text(names)
    digest = hashlib.sha256(packed.tobytes()).hexdigest()
    told = replace(field, vocabulary=digest, classes=(), range=(0, len(names) - 1))
    return told, {_asset(name): packed}


def vocabulary_of(schema: Schema, name: str, assets: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    """Return the names that the numbers of a field stand for, in order; none if it names none.

    Args:
        schema: what the data is.
        name: of the field.
        assets: those of the data, ``Source.assets`` or ``Model.assets``.

    Raises:
        DataError: the schema tells of an asset that isn't there, or is another one.
    """
    field = schema[name]
    if not field.vocabulary:
        return field.classes
    packed = assets.get(_asset(name))
    if packed is None:
        raise DataError(
            f"Expected the asset {_asset(name)!r}, the vocabulary of {name!r}; received "
            f"{', '.join(assets) or 'no assets'}.",
            "Put what with_vocabulary() returns into the source's assets.",
        )
    if hashlib.sha256(np.asarray(packed, np.uint8).tobytes()).hexdigest() != field.vocabulary:
        raise DataError(
            f"Expected the vocabulary of {name!r} that the schema tells of; received another.",
            "Bring the assets and the schema from one place.",
        )
    return unpack_text(packed)


def _asset(name: str) -> str:
    return f"vocabulary.{name}"
