"""A table as GenKit's data: a field a column, with what models need in the assets."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

import genkit
from genkit.data import Batch, Source
from genkit.errors import DataError
from genkit_tabular.codec import Codec
from genkit_tabular.columns import Column, Table, field_of
from genkit_tabular.described import as_described, described_codec, refuse_what_rows_tell
from genkit_tabular.held import HeldColumn, hold
from genkit_tabular.keys import keys_of
from genkit_tabular.learned import Learned
from genkit_tabular.parsing import parse
from genkit_tabular.raw import RawTable
from genkit_tabular.rules import combinations_of, rules_of


class TableSource(Source):
    """Rows of a table.

    Args:
        held: its columns, those that are left out not among them.
        table: what is known of it.
        codecs: of the columns that models learn, by name; made of the rows to learn from.
        rows: which rows are the items; all when left out.
        more: assets beside those of the columns.
    """

    def __init__(
        self,
        held: Sequence[HeldColumn],
        table: Table,
        codecs: Mapping[str, Codec],
        rows: NDArray[np.integer] | None = None,
        more: Mapping[str, NDArray[Any]] = MappingProxyType({}),
    ) -> None:
        self._held, self.table, self.codecs = tuple(held), table, codecs
        count = len(held[0].absent)
        self._rows = np.arange(count) if rows is None else np.asarray(rows)
        fields, assets = {}, {**table.to_asset(), **more}
        for place, each in enumerate(held):
            fields[each.column.name], names = field_of(each.column, each.classes)
            assets |= names
            if each.column.modelled:
                assets |= codecs[each.column.name].to_assets(place)
        self.schema = genkit.Schema(fields)
        self.assets = MappingProxyType(assets)

    def __len__(self) -> int:
        return len(self._rows)

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        """Return the rows at these indices, and which values are missing."""
        rows, batch = self._rows[indices], {}
        for each in self._held:
            batch[each.column.name] = each.values(rows)
            if each.column.missing:
                batch[f"{each.column.name}_missing"] = each.absent[rows]
        return batch

    def encoded(self) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the codes of all rows, and how far in their codes, shape ``(rows, columns)``.

        Columns are those that models learn, in order.
        """
        learned = [each for each in self._held if each.column.modelled]
        shape = (len(self), len(learned))
        codes, offsets = np.zeros(shape, np.int32), np.zeros(shape, np.int64)
        for place, each in enumerate(learned):
            codec = self.codecs[each.column.name]
            codes[:, place], offsets[:, place] = codec.encode(
                each.keys[self._rows], each.absent[self._rows]
            )
        return codes, offsets

    def fingerprint(self) -> str:
        """Return the SHA-256 of the columns and their rows; the same on every machine."""
        digest = hashlib.sha256(json.dumps(self.schema.to_dict(), sort_keys=True).encode())
        digest.update(b"".join(self.assets[name].tobytes() for name in sorted(self.assets)))
        for each in self._held:
            keys = each.keys[self._rows]
            text = keys.dtype == object
            digest.update(json.dumps(keys.tolist()).encode() if text else keys.tobytes())
            digest.update(each.absent[self._rows].tobytes())
        return digest.hexdigest()


def table_source(
    raw: RawTable,
    columns: Sequence[Column],
    *,
    target: str = "",
    group: str = "",
    bins: int = 100,
    most: int = 1000,
    learned: NDArray[np.integer] | None = None,
    rows: NDArray[np.integer] | None = None,
    rules: Sequence[Mapping[str, Any]] = (),
    orders: Mapping[str, Sequence[str]] = MappingProxyType({}),
    described: bool = False,
) -> TableSource:
    """Make a source of a table.

    Args:
        raw: the table.
        columns: what its columns are.
        target: the column to foretell.
        group: the column by which usefulness is told.
        bins: about how many codes a column of many numbers has.
        most: how many names of a column have a code of their own, and how many different numbers
            are each a code (a quarter of that).
        learned: rows that the codes are made of; all when left out.
        rows: rows that are the items; all when left out.
        rules: what holds for every row.
        orders: names of ordered categories, from the least on, by column.
        described: whether the columns are ``described_columns``, and codes follow from them alone.

    Raises:
        DataError: a value is not of its column's kind; no column is left.
    """
    kept = [column for column in columns if column.kind != "text"]
    left = [column.name for column in columns if column.kind == "text"]
    if not any(column.modelled for column in kept):
        listed = ", ".join(f"{column.name} ({column.kind})" for column in columns[:8])
        raise DataError(
            f"Expected a column that a model can learn; received {listed}.",
            "Ids are made anew and text is left out: describe one as a category, if it is one.",
        )
    for role, name in (("target", target), ("group", group)):
        learnable = [column.name for column in kept if column.modelled]
        if name and name not in learnable:
            raise DataError(
                f"Expected a column {name!r} as the {role}; there is none to learn.",
                f"Choose from {', '.join(learnable[:30])}.",
            )
    held = [hold(raw, column, orders.get(column.name, ())) for column in kept]
    if described:
        refuse_what_rows_tell(rules)
        held = [as_described(each, column) for each, column in zip(held, kept, strict=True)]
    _check_names(held)
    chosen = np.arange(raw.rows) if learned is None else learned
    codecs, tails = {}, []
    for each in held:
        if each.column.modelled:
            codec = described_codec(each, bins) if described else codec_of(each, chosen, bins, most)
            codecs[each.column.name] = codec
            tails += [each] if each.column.is_named and len(each.classes) > most else []
    table = Table(
        tuple(each.column for each in held), target, raw.frame, raw.labels, tuple(rules), group
    )
    keys = {each.column.name: (each.keys[chosen], each.absent[chosen]) for each in held}
    more = combinations_of(rules, keys)
    source = TableSource(held, table, codecs, rows, more)
    source.assets_cost = (0.0, 0.0) if described else None
    _tell(raw, source, left, tails, most)
    _tell_broken(held, source)
    return source


def _tell_broken(held: Sequence[HeldColumn], source: TableSource) -> None:
    """Count real rows that break a rule, or lie beyond a range, and name what they break."""
    learned = [
        Learned(each.column, source.codecs[each.column.name], each.classes)
        for each in held
        if each.column.modelled
    ]
    broken = {}
    if rules := rules_of(source.table.rules, learned, source.assets):
        rows = source.gather(np.arange(len(source)))
        broken = {rule: int(which.sum()) for rule, which in rules.broken(rows).items()}
    for each in held:
        keys = each.keys[~each.absent]
        if each.column.modelled and (bounds := _bounds(each.column, keys)) is not None:
            beyond = (keys < bounds[0]) | (keys > bounds[1])
            broken[f"range of {each.column.name}"] = int(beyond.sum())
    if told := [f"{count:,} {rule}" for rule, count in broken.items() if count]:
        warnings.warn(f"Rows of the data that break a rule: {', '.join(told)}.", stacklevel=3)


def _tell(
    raw: RawTable, source: TableSource, left: list[str], tails: list[HeldColumn], most: int
) -> None:
    """Keep what was left out with the source; say it once."""
    source.left_out = {**raw.left_out, **({"column of free text": len(left)} if left else {})}
    source.skipped = sum(raw.left_out.values())
    told = [f"{count:,} rows with {reason}" for reason, count in raw.left_out.items()]
    told += [f"free text in {', '.join(left)}"] if left else []
    if told:
        warnings.warn(f"Left out of the table: {'; '.join(told)}.", stacklevel=3)
    for each in tails:
        warnings.warn(
            f"The column {each.column.name!r} has {len(each.classes):,} names: the "
            f"{len(each.classes) - most + 1:,} rarest share a code.",
            stacklevel=3,
        )


def _check_names(held: Sequence[HeldColumn]) -> None:
    names = {each.column.name for each in held}
    for each in held:
        if (beside := f"{each.column.name}_missing") in names:
            raise DataError(
                f"Expected another name than {beside!r}: it tells what is missing in "
                f"{each.column.name!r}.",
                "Rename one of the two columns.",
            )


def codec_of(each: HeldColumn, chosen: NDArray[np.integer], bins: int, most: int) -> Codec:
    """Return the codes of a column, made of some rows; ``bins`` and ``most`` as of a source."""
    column = each.column
    absent = each.absent[chosen]
    keys = each.keys[chosen][~absent]
    bounds = _bounds(column, keys)
    atoms = most if column.is_named else max(2, most // 4)
    return Codec.fit(column, keys, int(absent.sum()), bins=bins, most=atoms, bounds=bounds)


def _bounds(column: Column, keys: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the least and the greatest key that may be generated; None without a range."""
    if not (column.low or column.high):
        return None
    known = keys if len(keys) else np.zeros(1, np.int64)
    low = _bound(column, column.low, int(known.min()))
    return np.array([low, _bound(column, column.high, int(known.max()))])


def _bound(column: Column, text: str, usual: int) -> int:
    if not text:
        return usual
    values, wrong = parse(column, [text])
    if wrong.any():
        raise DataError(f"Expected a bound of {column.name!r} of its own kind; received {text!r}.")
    return int(keys_of(column, values)[0])
