"""The target as a label: what its classes are, and rows of a table with their label."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import genkit
from genkit.data import Batch, Source, pack_text, unpack_text
from genkit.errors import UsageError
from genkit_tabular.columns import Column
from genkit_tabular.features import Judged

KEYS, ABSENT, LABEL = "keys", "absent", "label"
_FIELDS = "fields"


class LabelledRows(Source):
    """Rows of a table as keys of its columns, with the target as their label; ids are dropped.

    Args:
        source: a table.

    Raises:
        DataError: the source is no table.
        UsageError: it has no target whose values are classes.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.judged = Judged.of(source.schema, source.assets)
        fields = pack_text([json.dumps(source.schema.to_dict())])
        self.assets = {**source.assets, _FIELDS: fields}
        if self.judged.target is None:
            raise UsageError(
                "Expected a table with a target, whose values are the classes; it names none.",
                "Name the column: --data target=COLUMN",
            )
        target = self.judged.learned[self.judged.target]
        wide = (len(self.judged.learned),)
        self.schema = genkit.Schema(
            {
                KEYS: genkit.Field(wide, "int64", "vector"),
                ABSENT: genkit.Field(wide, "bool", "vector"),
                LABEL: genkit.Field(
                    (), "int32", "label", classes=classes_of(target.column, target.classes)
                ),
            }
        )

    def __len__(self) -> int:
        return len(self._source)

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        """Return the keys of rows, which of their values are missing, and their labels."""
        keys, absent = self.judged.keys(self._source.gather(indices))
        return {KEYS: keys, ABSENT: absent, LABEL: keys[:, self.judged.target].astype(np.int32)}

    def fingerprint(self) -> str:
        """Return that of the table."""
        return self._source.fingerprint()


def columns_of(assets: dict[str, np.ndarray]) -> Judged:
    """Return the columns of labelled rows, from their assets."""
    (fields,) = unpack_text(assets[_FIELDS])
    return Judged.of(genkit.Schema.from_dict(json.loads(fields)), assets)


def classes_of(target: Column, names: Sequence[str]) -> tuple[str, ...]:
    """Return the classes of a target, in order of its keys.

    Args:
        target: the column.
        names: of its values, where they are names.

    Raises:
        UsageError: it is no category, or is missing in some rows.
    """
    if not (target.is_named or target.kind == "boolean"):
        raise UsageError(
            f"Expected a category or a boolean as the target; {target.name!r} is a {target.kind}.",
            'Say kind = "category" of it in table.toml: genkit table inspect',
        )
    if target.missing:
        raise UsageError(
            f"Expected a target in every row; {target.name!r} is missing in some.",
            "Leave those rows out of the file: nobody could say which class they are of.",
        )
    return tuple(names) if target.is_named else ("false", "true")
