"""Sequential trees: each column is drawn from a leaf that the columns before it lead to."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from genkit.data import Source
from genkit_tabular.configs import CARTConfig
from genkit_tabular.models.on_host import LEAST, Asked, HostModel

_LEAF = -1


class TableCART(HostModel):
    """A decision tree a column, of the columns before it.

    Nowok, Raab and Dibben 2016, "synthpop: Bespoke Creation of Synthetic Data in R": a code is that
    of a training row of the leaf, drawn at random. scikit-learn grows the trees; they are kept as
    arrays. A tree holds at most ``rows / leaf`` leaves, so the arrays' size is known.

    Args:
        config: see ``genkit info tab-cart``.
        schema: of a table.
    """

    config: CARTConfig

    def make(self) -> None:
        columns = len(self.learned)
        rows = int(max(each.codec.counts.sum() for each in self.learned))
        nodes = 2 * max(1, rows // self.config.leaf) + 1
        shapes = {
            "feature": (columns, nodes),  # what a node looks at; -1 for a leaf
            "left": (columns, nodes),  # where smaller values go
            "right": (columns, nodes),
            "first": (columns, nodes),  # a leaf's rows among the donors
            "count": (columns, nodes),
            "donors": (columns, rows),  # codes of the training rows, leaf after leaf
        }
        for name, shape in shapes.items():
            weight = self.add_weight(
                shape=shape,
                dtype="int32",
                initializer="zeros",
                trainable=False,
                name=name,
            )
            setattr(self, f"tree_{name}", weight)
        self.tree_threshold = self.add_weight(
            shape=(columns, nodes), initializer="zeros", trainable=False, name="threshold"
        )

    def solve(self, source: Source) -> dict[str, float]:
        """Grow the trees, one after the other."""
        codes = self.examples(source).codes
        n, columns = codes.shape
        names = ("feature", "left", "right", "first", "count", "threshold")
        kept = {name: np.zeros(getattr(self, f"tree_{name}").shape) for name in names}
        donors = np.zeros(self.tree_donors.shape, np.int32)
        leaves = 0
        for place in range(columns):
            arrays, donors[place, :n] = self._grow(codes, place)
            leaves += int((arrays["feature"] == _LEAF).sum())
            for name, array in arrays.items():
                kept[name][place, : len(array)] = array
        self.tree_donors.assign(donors)
        for name, array in kept.items():
            dtype = np.float32 if name == "threshold" else np.int32
            getattr(self, f"tree_{name}").assign(array.astype(dtype))
        return {"leaves": float(leaves)}

    def _grow(
        self, codes: NDArray[np.int32], place: int
    ) -> tuple[dict[str, NDArray[np.generic]], NDArray[np.int32]]:
        """Return a column's tree, and the codes of its rows, leaf after leaf."""
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        n, own = len(codes), codes[:, place]
        if place == 0 or n < 2 * self.config.leaf or len(np.unique(own)) == 1:
            whole = {name: np.zeros(1) for name in ("left", "right", "first", "threshold")}
            return {"feature": np.array([_LEAF]), "count": np.array([n]), **whole}, own
        # Of names no order counts, but where most rows have their own there is no class to learn.
        named = self.learned[place].column.is_named and len(np.unique(own)) <= n / 2
        kind = DecisionTreeClassifier if named else DecisionTreeRegressor
        grown = kind(min_samples_leaf=self.config.leaf, random_state=0)
        grown.fit(codes[:, :place].astype(np.float32), own)
        tree = grown.tree_
        leaf_of = grown.apply(codes[:, :place].astype(np.float32))
        order = np.argsort(leaf_of, kind="stable")
        count = np.bincount(leaf_of, minlength=tree.node_count)
        first = np.concatenate([[0], np.cumsum(count)[:-1]])
        return {
            "feature": np.where(tree.children_left < 0, _LEAF, tree.feature),
            "left": np.maximum(tree.children_left, 0),
            "right": np.maximum(tree.children_right, 0),
            "threshold": tree.threshold,
            "first": first,
            "count": count,
        }, own[order]

    def draw_codes(
        self, uniform: NDArray[np.float64], asked: Asked, rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        arrays = self._arrays()
        codes, likely = np.zeros(uniform.shape, np.int32), np.ones(len(uniform))
        for place in range(codes.shape[1]):
            tree = {name: array[place] for name, array in arrays.items()}
            leaf = _leaves(tree, codes)
            first, count, donors = tree["first"][leaf], tree["count"][leaf], tree["donors"]
            row = first + (uniform[:, place] * count).astype(np.int64)
            codes[:, place] = donors[np.minimum(row, len(donors) - 1)]
            for some, (begin, end) in asked.kinds(place, rows):
                # Donors weigh as much as is asked of their codes; sums along them tell each leaf's.
                sums = np.concatenate([[0], np.cumsum((end - begin)[donors])])
                low, high = sums[first[some]], sums[first[some] + count[some]]
                likely[some] *= np.maximum((high - low) / np.maximum(count[some], 1), LEAST)
                strange = high <= low  # no donor of the leaf has it: any other's
                low, high = np.where(strange, 0, low), np.where(strange, sums[-1], high)
                row = np.searchsorted(sums, low + uniform[some, place] * (high - low), "right") - 1
                codes[some, place] = donors[np.minimum(row, len(donors) - 1)]
        return codes, likely

    def _arrays(self) -> dict[str, Any]:
        names = ("feature", "left", "right", "first", "count", "threshold", "donors")
        return {name: ops.convert_to_numpy(getattr(self, f"tree_{name}")) for name in names}


def _leaves(tree: dict[str, Any], codes: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the leaf that each row comes to, by the columns before."""
    node = np.zeros(len(codes), np.int64)
    inner = np.arange(len(codes))
    while inner.size:
        at = node[inner]
        smaller = codes[inner, tree["feature"][at]] <= tree["threshold"][at]
        below = np.where(smaller, tree["left"][at], tree["right"][at])
        # Children stand behind their parent: so it ends whatever a file says.
        further = (tree["feature"][at] != _LEAF) & (below > at)
        inner = inner[further]
        node[inner] = below[further]
    return node
