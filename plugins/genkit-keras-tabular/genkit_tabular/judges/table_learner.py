"""What learns the target of a table, to see whether generated rows help it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import genkit
from genkit.data import Batch, Source
from genkit_tabular.codec import PLACES
from genkit_tabular.configs import SMOTEConfig
from genkit_tabular.features import Judged, forest
from genkit_tabular.frames import frame_of
from genkit_tabular.held import HeldColumn
from genkit_tabular.judges.judging import auc, chances_of, macro_f1
from genkit_tabular.labels import ABSENT, KEYS, LabelledRows, columns_of
from genkit_tabular.models.smote import TableSMOTE
from genkit_tabular.source import TableSource, codec_of
from genkit_tabular.writing import write_table

_BLOCK = 1 << 16
_BINS, _MOST = 100, 1000
LEAF = 10
"""Rows that a leaf has at least. Of scikit-learn's 20, forty rows make one split at most, and any
more rows would seem to help."""

Part = tuple[str, Source, Sequence[Mapping[str, Any]]]


class TableLearner(genkit.Learner):
    """Foretells the target by a gradient boosting of trees; ``steps`` is how many.

    The classical augmentation, ``smote``, puts as many rows as there are between them and their
    neighbours of the same class, as ``tab-smote`` does, and learns from all.
    """

    measures: ClassVar = ("AUC", "macro-F1")

    def __init__(self, schema: genkit.Schema, assets: Mapping[str, np.ndarray]) -> None:
        super().__init__(schema, assets)
        self.judged = columns_of(dict(assets))
        self.condition = self.judged.table.target
        self._others = np.delete(np.arange(len(self.judged.learned)), self._target)

    @property
    def _target(self) -> int:
        assert self.judged.target is not None, "LabelledRows refuses a table without one"
        return self.judged.target

    @classmethod
    def view(cls, source: Source, generated: Sequence[str]) -> Source:  # noqa: ARG003 - all are
        return LabelledRows(source)

    def viewed(self, items: Batch) -> Batch:
        return dict(zip((KEYS, ABSENT), self.judged.keys(items), strict=True))

    def train(
        self,
        source: Source,
        classical: Sequence[str],
        *,
        steps: int,
        seed: int,
        callbacks: Sequence[Any] = (),  # noqa: ARG002 - they are for training in steps
    ) -> tuple[Any, int]:
        items = source.gather(np.arange(len(source)))
        rows = self.judged.numbers(items[KEYS], items[ABSENT])
        if "smote" in classical:
            between = rows_between(self.judged, items[KEYS], items[ABSENT], seed)
            rows = np.concatenate([rows, between])
        trees = forest(self.judged.named[self._others], steps, seed, LEAF)
        return trees.fit(rows[:, self._others], rows[:, self._target]), 0

    def scores(self, trained: Any, source: Source, corruption: str = "") -> tuple[float, ...]:  # noqa: ARG002
        classes = np.arange(len(self.schema[self.label].classes))
        labels, chances = [], []
        for start in range(0, len(source), _BLOCK):
            items = source.gather(np.arange(start, min(start + _BLOCK, len(source))))
            rows = self.judged.numbers(items[KEYS], items[ABSENT])
            labels.append(items[self.label])
            chances.append(chances_of(trained, rows[:, self._others], classes))
        found = np.concatenate(labels), np.concatenate(chances)
        return auc(classes, *found), macro_f1(classes, *found)

    def write(self, folder: Path, parts: Sequence[Part]) -> None:
        """Write ``rows.parquet``, the mixed table; and ``metadata.jsonl``, a line for each row."""
        sources = [source.gather(np.arange(len(source))) for _, source, _ in parts]
        learned = self.judged.learned
        batches = [
            {
                each.name: each.shown(items[KEYS][:, place], items[ABSENT][:, place])
                for place, each in enumerate(learned)
            }
            for items in sources
        ]
        table = replace(self.judged.table, columns=self.judged.table.modelled, frame="arrow")
        write_table(frame_of(table, learned, batches), folder / "rows.parquet")
        lines = [{"origin": origin, **each} for origin, _, facts in parts for each in facts]
        text = "".join(json.dumps({"row": row, **each}) + "\n" for row, each in enumerate(lines))
        (folder / "metadata.jsonl").write_text(text, encoding="utf-8")


def rows_between(
    judged: Judged, keys: NDArray[np.int64], absent: NDArray[np.bool_], seed: int
) -> NDArray[np.float64]:
    """Return rows between real ones and their neighbours, as numbers; as many as there are.

    Args:
        judged: the columns.
        keys: of the rows, shape ``(n, columns)``.
        absent: which of their values are missing.
        seed: of the rows.
    """
    held = [
        HeldColumn(each.column, keys[:, place], absent[:, place], each.classes)
        for place, each in enumerate(judged.learned)
    ]
    everything = np.arange(len(keys))
    codecs = {each.column.name: codec_of(each, everything, _BINS, _MOST) for each in held}
    table = replace(judged.table, columns=judged.table.modelled, rules=())
    source = TableSource(held, table, codecs)
    model = TableSMOTE(SMOTEConfig(), source.schema)
    model.bind(source.schema, source.assets)
    model.solve(source)
    rng = np.random.Generator(np.random.Philox(key=seed))
    draws = rng.integers(0, PLACES - 1, (len(keys), 2), dtype=np.int32)
    return judged.rows(model.present(dict.fromkeys(codecs, draws)))
