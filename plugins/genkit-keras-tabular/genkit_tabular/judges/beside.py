"""What a figure of generated rows stands beside: independent columns, real rows, tab-cart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genkit.data import Subset
from genkit.evaluation import Context
from genkit_tabular.features import Judged, shuffled

_MOST = 50_000
"""Rows that tab-cart learns from at most: seconds, however large the table is."""


def beside(
    context: Context, judged: Judged, made: NDArray[np.float64], training: NDArray[np.float64]
) -> dict[str, tuple[NDArray[np.float64], str]]:
    """Return the rows that are judged alike, and what they are, by the end of a figure's name.

    Args:
        context: of the evaluation.
        judged: its columns.
        made: generated rows, as numbers.
        training: training rows.

    Returns:
        the generated rows under "", the others under " (floor)", " (ceiling)" and " (tab-cart)".
        The last is left out where the model is one itself.
    """
    from genkit_tabular.models.cart import TableCART  # imports Keras

    found = {
        "": (made, ""),
        " (floor)": (shuffled(training, context.seed), "independent columns"),
        " (ceiling)": (training, "real training rows"),
    }
    if not isinstance(context.model, TableCART):
        few = min(len(training), _MOST)
        rows = _of_trees(context, judged, len(made), few)
        found[" (tab-cart)"] = rows, f"tab-cart, learned from {few:,} rows"
    return found


def _of_trees(context: Context, judged: Judged, n: int, few: int) -> NDArray[np.float64]:
    """Return rows of tab-cart, learned from some training rows."""
    from genkit_tabular.configs import CARTConfig
    from genkit_tabular.models.cart import TableCART

    source = context.training
    assert source is not None, "metrics without training rows are left out"

    def make() -> dict[str, np.ndarray]:
        model = TableCART(CARTConfig(), context.schema)
        model.bind(context.schema, context.assets)
        order = np.random.Generator(np.random.Philox(key=context.seed)).permutation(len(source))
        model.solve(source if few == len(source) else Subset(source, np.sort(order[:few])))
        made = model.generate_items(n, context.seed)
        return {"rows": np.concatenate([judged.rows(items) for items in made])}

    return context.of_real(f"{n} rows of tab-cart from {few}", make)["rows"]
