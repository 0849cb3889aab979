"""SMOTE-NC: rows between a real row and one of its neighbours; a baseline that keeps real rows."""

from __future__ import annotations

import numpy as np
from keras import ops
from numpy.typing import NDArray

from genkit.data import Source
from genkit_tabular.configs import SMOTEConfig
from genkit_tabular.encoded import EncodedRows
from genkit_tabular.keys import floats, ordinals
from genkit_tabular.learned import Learned
from genkit_tabular.models.on_host import Asked, HostModel, uniforms

_WORD = 1 << 32
_BLOCK = 1 << 24
"""Rows times real rows that are looked at together."""


class TableSMOTE(HostModel):
    """Puts each row between a real one and one of its nearest of the same class.

    Chawla et al. 2002, "SMOTE: Synthetic Minority Over-sampling Technique", section 6.1, SMOTE-NC:
    numbers lie between those of both rows, categories are those that most of the neighbours have.
    Rows are near by their numbers, in standard deviations; a category that differs counts as one.
    The class is the target; of a table whose target is no category all rows are one class. A number
    that the row or the neighbour lacks is as the row has it.

    Of what is asked for the real row is one that has as much of it as any, and the rest is changed.

    Args:
        config: see ``genkit info tab-smote``.
        schema: of a table.
    """

    keeps_items = True

    config: SMOTEConfig

    def make(self) -> None:
        rows = int(max(each.codec.counts.sum() for each in self.learned))
        shapes = {
            "codes": (rows, len(self.learned)),
            "high": (rows, len(self.learned)),  # how far in their codes, two words of 32 bits
            "low": (rows, len(self.learned)),
            "near": (rows, self.config.neighbours),
        }
        for name, shape in shapes.items():
            weight = self.add_weight(
                shape=shape, dtype="int32", initializer="zeros", trainable=False, name=name
            )
            setattr(self, f"row_{name}", weight)

    def solve(self, source: Source) -> dict[str, float]:
        """Keep the rows, and find the neighbours of each."""
        examples = self.examples(source)
        high, low = np.divmod(examples.offsets, _WORD)
        self.row_codes.assign(examples.codes)
        self.row_high.assign(high.astype(np.int32))
        self.row_low.assign(low.astype(np.uint32).view(np.int32))
        near = self._neighbours(examples)
        self.row_near.assign(near)
        return {"rows": float(len(near))}

    def _neighbours(self, examples: EncodedRows) -> NDArray[np.int32]:
        """Return the nearest rows of each row's class, the nearest first, shape ``(rows, k)``.

        Where the class has fewer, they stand there again; a row alone is its own neighbour.
        """
        from sklearn.neighbors import NearestNeighbors

        codes, k = examples.codes, self.config.neighbours
        points = self._points(examples)
        near = np.repeat(np.arange(len(codes), dtype=np.int32)[:, None], k, axis=1)
        classes = self._classes(codes)
        for each in np.unique(classes):
            rows = np.flatnonzero(classes == each)
            few = min(k, len(rows) - 1)
            if few:
                found = NearestNeighbors(n_neighbors=few, algorithm="brute").fit(points[rows])
                near[rows] = rows[found.kneighbors(return_distance=False)][:, np.arange(k) % few]
        return near

    def _classes(self, codes: NDArray[np.int32]) -> NDArray[np.int32]:
        for place, each in enumerate(self.learned):
            if each.name == self.table.target and _is_nominal(each):
                return codes[:, place]
        return np.zeros(len(codes), np.int32)

    def _points(self, examples: EncodedRows) -> NDArray[np.float32]:
        """Return rows as points: distances between them are SMOTE-NC's."""
        parts = []
        for place, each in enumerate(self.learned):
            codes = examples.codes[:, place]
            nominal = codes
            if not _is_nominal(each):
                numbers, absent = _numbers(each, codes, examples.offsets[:, place])
                there = numbers[~absent]
                spread = there.std() if len(there) and there.std() > 0 else 1.0
                centre = there.mean() if len(there) else 0.0
                parts.append((np.where(absent, centre, numbers) - centre)[:, None] / spread)
                nominal = absent.astype(np.int32)
            # Two that differ are at a distance of 1: half of its square from each of two places.
            values, place_of = np.unique(nominal, return_inverse=True)
            if len(values) > 1:
                parts.append(np.eye(len(values), dtype=np.float32)[place_of] * 0.5**0.5)
        return np.concatenate(parts or [np.zeros((len(examples), 1))], 1).astype(np.float32)

    def present(self, items: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        keys, asked = self.asked_of(items)
        kept, offsets_of, near = self._kept()
        luck = uniforms(keys, 0, 3)
        rows = self._base_rows(kept, asked, luck[:, 0])
        beside = near[rows]
        other = beside[np.arange(len(rows)), (luck[:, 1] * beside.shape[1]).astype(np.intp)]
        codes, offsets = kept[rows], offsets_of[rows]
        for place, each in enumerate(self.learned):
            if _is_nominal(each):
                most = beside[np.arange(len(rows)), _most_frequent(kept[beside, place])]
                codes[:, place], offsets[:, place] = kept[most, place], offsets_of[most, place]
                continue
            first, absent = each.codec.decode(codes[:, place], offsets[:, place])
            second, lacks = each.codec.decode(kept[other, place], offsets_of[other, place])
            second = np.where(absent | lacks, first, second)
            between = _between(each, first, second, luck[:, 2])
            codes[:, place], _ = each.codec.encode(between, absent)
            # Also between codes, where the data has no value: not as far as the code reaches.
            least = each.codec.low[np.where(absent, 0, codes[:, place])]
            offsets[:, place] = np.where(absent, 0, between - least)
        places = uniforms(keys, 1 << 40, len(self.learned))
        for place in range(len(self.learned)):
            self._change(place, codes, offsets, asked, places[:, place])
        return self.shown(items, codes, offsets)

    def _kept(self) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
        """Return the codes of the real rows, how far in them, and their neighbours."""
        codes, high, low, near = (
            np.asarray(ops.convert_to_numpy(weight))
            for weight in (self.row_codes, self.row_high, self.row_low, self.row_near)
        )
        offsets = high.astype(np.int64) * _WORD + low.view(np.uint32).astype(np.int64)
        return codes, offsets, near

    def _base_rows(
        self, kept: NDArray[np.int32], asked: Asked, luck: NDArray[np.float64]
    ) -> NDArray[np.intp]:
        """Choose a real row for each, one of those that have most of what is asked."""
        rows = (luck * len(kept)).astype(np.intp)
        wanted = np.flatnonzero(np.any(asked.given, axis=0))
        for part in np.array_split(wanted, max(1, len(wanted) * len(kept) // _BLOCK)):
            has = np.zeros((len(part), len(kept)), np.int16)
            for place in range(len(self.learned)):
                for some, (first, last) in asked.kinds(place, part):
                    has[some] += (last > first)[kept[:, place]]
            for number, row in enumerate(part):
                fitting = np.flatnonzero(has[number] == has[number].max())
                rows[row] = fitting[int(luck[row] * len(fitting))]
        return rows

    def _change(
        self,
        place: int,
        codes: NDArray[np.int32],
        offsets: NDArray[np.int64],
        asked: Asked,
        luck: NDArray[np.float64],
    ) -> None:
        """Put what is asked of a column into rows: what they have if it fits, else the nearest."""
        rows, codec = np.flatnonzero(asked.given[place]), self.learned[place].codec
        first, last = asked.first[place][rows], asked.last[place][rows]
        own, span = codes[rows, place], np.arange(codec.size)
        apart = np.where(last > first, np.abs(span - own[:, None]), codec.size)
        nearest = apart.argmin(1).astype(np.int32)
        here = np.arange(len(rows))
        low, high = first[here, nearest], np.maximum(last[here, nearest] - 1, 0)
        drawn = low + (luck[rows] * (high - low)).astype(np.int64)
        ends = codec.offsets(nearest, low), codec.offsets(nearest, high)
        kept = np.clip(offsets[rows, place], *ends)
        offsets[rows, place] = np.where(own == nearest, kept, codec.offsets(nearest, drawn))
        codes[rows, place] = nearest


def _is_nominal(each: Learned) -> bool:
    """Whether a column's values are names, which lie between no others."""
    return each.column.is_named or each.column.kind == "boolean" or not len(each.codec.low)


def _numbers(
    each: Learned, codes: NDArray[np.int32], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a column's values as floats, and which are missing."""
    keys, absent = each.codec.decode(codes, offsets)
    values = floats(keys) if each.column.is_float else keys.astype(np.float64)
    return values, absent


def _between(
    each: Learned, first: NDArray[np.int64], second: NDArray[np.int64], share: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return keys between two, even over what they stand for."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    if each.column.is_float:
        least, most = floats(low), floats(high)
        return np.clip(ordinals(least * (1 - share) + most * share), low, high)
    # As numbers without a sign: of keys far apart the difference is more than 63 bits have.
    width = high.view(np.uint64) - low.view(np.uint64)
    steps = np.minimum(np.rint(width * share), 2.0**63).astype(np.uint64)
    return (low.view(np.uint64) + np.minimum(steps, width)).view(np.int64)


def _most_frequent(codes: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return where in each row the code stands that is the most frequent there; first of such."""
    return (codes[:, :, None] == codes[:, None]).sum(2).argmax(1)
