"""Models that tell how likely a row is to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from genkit_tabular.encoded import CODES
from genkit_tabular.filling import keys_in
from genkit_tabular.models.table_model import TableModel
from genkit_tabular.raw import of_frame


class LikelyRows(TableModel):
    """A model of tables with an exact likelihood.

    Subclasses define ``row_log_likelihood`` too.
    """

    def row_log_likelihood(self, codes: Any) -> Any:
        """Return the log likelihood of each row's codes, in nats, shape ``(n,)``.

        Args:
            codes: int32 of shape ``(n, columns)``.
        """
        raise NotImplementedError

    def validation_step(self, batch: Any) -> dict[str, Any]:
        return {"loss": -ops.mean(self.row_log_likelihood(batch[CODES]))}

    def log_likelihood(self, rows: Any) -> np.ndarray:
        """Return the log likelihood of rows, in nats: exact.

        What is missing counts as the value that it is to the model; a value that it has never seen
        is impossible, minus infinity. A code of many values is even over them; of floats it counts
        as a whole.

        Args:
            rows: a frame of pandas, Polars or Arrow with the columns of the table.

        Returns:
            float64 of shape ``(n,)``.

        Raises:
            DataError: a column is not there, or has values of another kind.
        """
        raw = of_frame(rows)
        codes = np.zeros((raw.rows, len(self.learned)), np.int32)
        spread = np.zeros(raw.rows)
        for place, each in enumerate(self.learned):
            keys, absent, _ = keys_in(each, raw)
            empty = raw.columns[each.name].is_null().to_numpy()
            found, offsets = each.codec.encode(keys, np.zeros_like(absent))
            again, _ = each.codec.decode(found, offsets)
            known = np.where(empty, each.codec.missing, ~absent & (again == keys))
            codes[:, place] = np.where(empty & known, each.codec.size - 1, found)
            spread[~known] = np.inf
            if not each.column.is_float and len(each.codec.low):
                width = (each.codec.high - each.codec.low).astype(np.float64) + 1
                spread += np.append(np.log(width), 0.0)[codes[:, place]]
        return self.map_items("row_log_likelihood", codes=codes).astype(np.float64) - spread
