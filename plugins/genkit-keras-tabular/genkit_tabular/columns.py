"""What a column of a table is, in words that a file can hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from dataclasses import fields as fields_of
from typing import Any

import numpy as np

import genkit
from genkit.data import pack_text, unpack_text
from genkit.errors import DataError

KINDS = ("number", "category", "ordered", "boolean", "datetime", "duration", "id", "text")
"""What a column may be. A number without ``digits`` is any float; text is left out."""

MODALITY = "column"
"""The modality of every field that is a column of a table."""

_ASSET = "table"


@dataclass(frozen=True)
class Column:
    """A column.

    Args:
        name: as the table has it.
        kind: one of ``KINDS``.
        dtype: what it was stored as: Arrow's name of the type, or pandas' of a frame.
        digits: decimals of a number; -1 for a float of any value.
        step: how far apart values can be, in units of the last digit, or of time.
        base: one of the values, in the same units.
        unit: of dates and durations: D, s, ms, us, ns.
        zone: of dates: a name of the time zone database, an offset; empty for none.
        missing: whether values may be absent.
        pattern: of ids: how they are written, ``#`` a digit, ``A`` a letter, ``a`` a small one.
        first: of ids: the first that is given out; of a pattern its place among all of that.
        room: of ids of a pattern: how many keys from the first on no row has; -1 where any may be
            given out, whoever has them.
        low: least value that is generated, in the column's own words; empty for the data's.
        high: greatest value.
        reason: why it is of this kind.
        personal: what about it may name a person; empty for nothing.
    """

    name: str
    kind: str
    dtype: str = ""
    digits: int = 0
    step: int = 1
    base: int = 0
    unit: str = ""
    zone: str = ""
    missing: bool = False
    pattern: str = ""
    first: int = 0
    room: int = -1
    low: str = ""
    high: str = ""
    reason: str = ""
    personal: str = ""

    @property
    def modelled(self) -> bool:
        """Whether a model learns its values: ids are given out, text is left out."""
        return self.kind not in ("id", "text")

    @property
    def is_float(self) -> bool:
        """Whether it holds floats of any value, not numbers of so many decimals."""
        return self.kind == "number" and self.digits < 0

    @property
    def is_named(self) -> bool:
        """Whether its values are names."""
        return self.kind in ("category", "ordered")

    @property
    def is_written(self) -> bool:
        """Whether its values are text in the schema: dates with a zone, patterns, durations."""
        return bool(self.zone) or self.kind == "duration" or (self.kind == "id" and self.is_text_id)

    @property
    def is_text_id(self) -> bool:
        """Whether an id is text of a pattern, not a number."""
        return bool(self.pattern)


@dataclass(frozen=True)
class Table:
    """All that is known of a table beside its rows: what models keep in their assets.

    Args:
        columns: in order, without those that are left out.
        target: name of the column that is to be foretold from the others; empty for none.
        frame: what the rows came in: ``"pandas"``, ``"polars"``, ``"arrow"``, or a file.
        labels: the columns' own names where they are no text, by name.
        rules: what holds for every row, as ``genkit_tabular.rules`` reads it.
        group: name of the column by which usefulness is told; empty for none.
    """

    columns: tuple[Column, ...]
    target: str = ""
    frame: str = ""
    labels: Mapping[str, int] | None = None
    rules: tuple[Mapping[str, Any], ...] = ()
    group: str = ""

    @property
    def modelled(self) -> tuple[Column, ...]:
        """The columns whose values a model learns."""
        return tuple(column for column in self.columns if column.modelled)

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def to_asset(self) -> dict[str, np.ndarray]:
        """Return it as an asset."""
        form = {
            "columns": [_short(column) for column in self.columns],
            "target": self.target,
            "frame": self.frame,
            "labels": self.labels,
            "rules": [dict(rule) for rule in self.rules],
            "group": self.group,
        }
        return {_ASSET: pack_text([json.dumps(form)])}

    @classmethod
    def of_assets(cls, assets: Mapping[str, np.ndarray]) -> Table:
        """Read it from the assets of a source or a model.

        Raises:
            DataError: there is none, or it is damaged.
        """
        if _ASSET not in assets:
            raise DataError(
                "Expected data with columns that a table's model knows; received other data.",
                "Open it with --dataset table, or hand over a frame of pandas, Polars or Arrow.",
            )
        try:
            (text,) = unpack_text(assets[_ASSET])
            form = json.loads(text)
            columns = tuple(Column(**each) for each in form.pop("columns"))
            rules = tuple(form.pop("rules"))
            return cls(columns, rules=rules, **form)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"Expected the description of a table in an asset: {error}.") from error


def _short(column: Column) -> dict[str, Any]:
    usual = {each.name: each.default for each in fields_of(Column)}
    return {name: value for name, value in asdict(column).items() if value != usual[name]}


def field_of(column: Column, classes: Iterable[str]) -> tuple[genkit.Field, dict[str, np.ndarray]]:
    """Return the field of a schema that a column is, and the asset with its names if many.

    Args:
        column: what it is.
        classes: names of categories, in order of their numbers.
    """
    from genkit.data import with_vocabulary

    names = tuple(classes)
    if column.is_named:
        field = genkit.Field((), "int32", MODALITY, missing=column.missing)
        if len(names) > _MOST_IN_SCHEMA or not names:
            return with_vocabulary(column.name, field, names or ("",))
        return genkit.Field((), "int32", MODALITY, classes=names, missing=column.missing), {}
    dtypes = {"boolean": "bool", "datetime": f"datetime64[{column.unit}]"}
    dtype = dtypes.get(column.kind, "float64" if column.digits else "int64")
    dtype = "string" if column.is_written else dtype
    return genkit.Field((), dtype, MODALITY, missing=column.missing), {}


_MOST_IN_SCHEMA = 50
