"""What all models of tables share: conditions, what comes out, keys, and frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

import genkit
from genkit.data import Source, vocabulary_of
from genkit.errors import DataError
from genkit_tabular import ids
from genkit_tabular.codec import PLACES, codecs_of
from genkit_tabular.columns import Table
from genkit_tabular.encoded import EncodedRows
from genkit_tabular.learned import Learned
from genkit_tabular.models.conditioned import DRAWS, Conditioned, can_be_asked
from genkit_tabular.rules import refuse_broken, rules_of, tell_broken

MOST_CODES = 1 << 20
_ANOTHER = 0x9E3779B1  # between the seeds of rows that are drawn anew


class TableModel(Conditioned):
    """A model of the rows of a table: of their codes.

    Subclasses define ``make``, which builds what is learned, and ``draw``.
    """

    generation_batch, noise_block = 2048, 1024

    schema: genkit.Schema

    def bind(
        self,
        schema: genkit.Schema,
        assets: Mapping[str, np.ndarray] = MappingProxyType({}),
        spec: genkit.ModelSpec | None = None,
    ) -> None:
        known = self.__dict__.get("table") is not None
        self.table = Table.of_assets(assets)
        codecs = codecs_of(assets, self.table.columns)
        self.learned = tuple(
            Learned(column, codec, vocabulary_of(schema, column.name, assets))
            for column, codec in zip(self.table.columns, codecs, strict=True)
            if codec is not None
        )
        self.rules = rules_of(self.table.rules, self.learned, assets)
        if sum(self.sizes) > MOST_CODES:
            raise DataError(
                f"Expected columns of at most {MOST_CODES:,} codes in all; received "
                f"{sum(self.sizes):,}.",
                "Let rarer names share one: --data most=100",
            )
        follow = {each.column.name for each in self.rules.computed}
        self.conditions = tuple(
            genkit.Condition(each.name, only_if_asked=True)
            for each in self.learned
            if can_be_asked(each.name) and each.name not in follow
        )
        super().bind(schema, assets, spec)
        if not known:
            self.make()

    def make(self) -> None:
        """Build what is learned; the columns are known."""
        raise NotImplementedError

    def usual_output(self, schema: genkit.Schema) -> tuple[str, ...]:
        return tuple(schema.fields)

    def examples(self, source: Source) -> Source:
        return EncodedRows.of(source, self.learned)

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        # A uniform number for the code and one for the place in it, of each column.
        shape = (n, 2 * len(self.learned) + 1)
        return {DRAWS: rng.integers(0, PLACES - 1, shape, dtype=np.int32)}

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:  # noqa: ARG002
        return {}

    def outputs(self, codes: Any, places: Any) -> dict[str, Any]:
        """Return what ``decode`` returns: code and place side by side; of ids nothing yet.

        Args:
            codes: int32 of shape ``(n, columns)``.
            places: the same.
        """
        n = ops.shape(codes)[0]
        made = {
            each.name: ops.stack([codes[:, place], places[:, place]], 1)
            for place, each in enumerate(self.learned)
        }
        return {
            column.name: made.get(column.name, ops.zeros((n, 2), "int32"))
            for column in self.table.columns
        }

    def present(self, items: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        codes = np.stack([items[each.name][:, 0] for each in self.learned], 1)
        offsets = [
            each.codec.offsets(items[each.name][:, 0], items[each.name][:, 1])
            for each in self.learned
        ]
        return self.shown(items, codes, np.stack(offsets, 1))

    def shown(
        self, items: Mapping[str, np.ndarray], codes: NDArray[np.int32], offsets: NDArray[np.int64]
    ) -> dict[str, np.ndarray]:
        """Return rows as people hold them; ids are given out later.

        Args:
            items: names the columns, in order.
            codes: of the learned columns, shape ``(n, columns)``.
            offsets: how far each value is from its code's least key, the same shape.
        """
        places = {each.name: place for place, each in enumerate(self.learned)}
        shown = {}
        for name in items:
            if name in places:
                place = places[name]
                each = self.learned[place]
                shown[name] = each.shown(*each.codec.decode(codes[:, place], offsets[:, place]))
            else:
                text = self.table[name].is_text_id
                shown[name] = np.full(len(codes), "" if text else 0, object if text else np.int64)
        return shown

    def generate_items(
        self,
        n: int,
        seed: int = 0,
        label: Any = None,
        *,
        given: Mapping[str, Any] | None = None,
        begin: int = 0,
        **options: Any,
    ) -> Iterator[dict[str, np.ndarray]]:
        asked = partial(super().generate_items, label=label, given=given, **options)
        made = self._ruled(asked, n, seed, begin, refuse_broken)
        return ids.given_out(self.table, made, n, seed, begin)

    def fillings(
        self, n: int, seed: int, given: Mapping[str, Any]
    ) -> Iterator[dict[str, np.ndarray]]:
        """Generate rows to fill others with, which may break a rule by what they have.

        Args:
            n: how many.
            seed: 0 to 2**31 - 1.
            given: what each has, by condition.
        """
        asked = partial(super().generate_items, given=given)
        return self._ruled(asked, n, seed, 0, tell_broken)

    def _ruled(
        self,
        asked: Callable[..., Iterator[dict[str, np.ndarray]]],
        n: int,
        seed: int,
        begin: int,
        told: Callable[[str, int, float], None],
    ) -> Iterator[dict[str, np.ndarray]]:
        """Return rows that keep the rules, those that follow from others included."""

        def made(turn: int, begin: int) -> Iterator[dict[str, np.ndarray]]:
            other = (seed + turn * _ANOTHER) % 2**31 if turn else seed
            return map(self.rules.completed, asked(n, other, begin=begin))

        if not self.rules:
            return asked(n, seed, begin=begin)
        return self.rules.kept(made(0, begin), made, begin, told)

    def sample(self, n: int, seed: int = 0, *, given: Mapping[str, Any] | None = None) -> Any:
        """Generate rows as a frame of the kind that the model was trained on.

        Args:
            n: how many.
            seed: 0 to 2**31 - 1.
            given: as for ``generate``.

        Returns:
            a frame of pandas, Polars or Arrow with the columns, their order and dtypes of the
            training frame; of a file, a table of Arrow.
        """
        from genkit_tabular.frames import frame_of

        return frame_of(self.table, self.learned, list(self.generate_items(n, seed, given=given)))

    def contrast(self, made: Mapping[str, Any], real: Mapping[str, Any]) -> dict[str, str]:
        """Draw generated rows beside real ones, in sums: what a report asks for.

        Args:
            made: rows by field, as ``generate_items`` gives them.
            real: rows by field, as data has them.

        Returns:
            pieces of HTML by their title.
        """
        from genkit_tabular.drawing import contrasted

        return contrasted(self.learned, made, real)

    def impute(self, rows: Any, seed: int = 0) -> Any:
        """Fill what is missing in a frame, each row given what it has.

        Args:
            rows: a frame of pandas, Polars or Arrow with the columns of the table.
            seed: 0 to 2**31 - 1.

        Returns:
            a frame of the kind that the model was trained on.
        """
        from genkit_tabular.filling import filled, ids_in
        from genkit_tabular.frames import frame_of
        from genkit_tabular.raw import of_frame

        raw = of_frame(rows)
        items, _ = filled(self, raw, seed)
        return frame_of(self.table, self.learned, [items | ids_in(self.table, raw)])
