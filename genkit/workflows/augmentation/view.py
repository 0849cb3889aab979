"""Items as a learner takes them where it says nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genkit.data.source import Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from genkit.data.source import Batch


class FieldsOf(Source):
    """The items of a source with what is generated and their labels alone.

    What generated items don't have is dropped: real ones could be told by it.

    Args:
        source: the data.
        generated: names of the fields that a model generates.
    """

    def __init__(self, source: Source, generated: Sequence[str]) -> None:
        self._source, self.assets = source, source.assets
        fields = source.schema.fields
        labels = [name for name, field in fields.items() if field.modality == "label"]
        names = dict.fromkeys((*generated, *labels))
        self.schema = type(source.schema)({name: fields[name] for name in names})

    def __len__(self) -> int:
        return len(self._source)

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        """Return the items at these indices."""
        items = self._source.gather(indices)
        return {name: items[name] for name in self.schema.fields}

    def fingerprint(self) -> str:
        """Return that of the data."""
        return self._source.fingerprint()
