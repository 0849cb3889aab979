"""Columns that follow from others: a sum, a difference, a product, a ratio, a part of a date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit_tabular.encoded import numbers_and_absent

if TYPE_CHECKING:
    from genkit_tabular.learned import Learned

OPERATIONS = ("sum", "difference", "product", "ratio", "part")
_PARTS = ("year", "month", "day", "weekday", "hour")
_STEPS = {"sum": np.add, "difference": np.subtract, "product": np.multiply, "ratio": np.divide}


@dataclass(frozen=True)
class Computed:
    """A column that follows from others.

    Args:
        column: the one.
        operation: one of ``OPERATIONS``.
        operands: the others; of a part the date alone.
        part: which part of the date.
    """

    column: Learned
    operation: str
    operands: tuple[Learned, ...]
    part: str = ""

    @classmethod
    def of(cls, rule: Mapping[str, Any], learned: Mapping[str, Learned]) -> Computed:
        """Read a rule ``computed = "total"``, ``sum = ["net", "tax"]``.

        Raises:
            DataError: a column has other values than that takes, or a part is none.
        """
        ((operation, names),) = ((k, v) for k, v in rule.items() if k != "computed")
        part = ""
        if operation == "part":
            names, part = names[:1], names[1]
        kinds = ("datetime",) if part else ("number",)
        for name, wanted in ((rule["computed"], ("number",)), *((name, kinds) for name in names)):
            column = learned[name].column if name in learned else None
            if column is None or column.kind not in wanted or column.zone:
                zone = " without a zone" if wanted == ("datetime",) else ""
                raise DataError(
                    f"Expected a {wanted[0]}{zone} that is learned in the rule "
                    f"{told_of(rule)}; {name!r} isn't."
                )
        return cls(learned[rule["computed"]], operation, tuple(learned[n] for n in names), part)

    def broken(self, items: Mapping[str, Any]) -> NDArray[np.bool_]:
        """Return which rows have another value than follows, rounded to its digits."""
        value, absent = numbers_and_absent(items, self.column)
        exact, known = self._computed(items)
        digits = self.column.column.digits
        if digits < 0:
            apart = 1e-9 * np.maximum(np.abs(exact), np.abs(value))
        else:
            apart = 0.5 * 10.0**-digits * (1 + 1e-6) if exact.dtype.kind == "f" else 0
        with np.errstate(invalid="ignore"):
            return known & ~absent & (np.abs(exact - value) > apart)

    def put(
        self, items: Mapping[str, Any], where: NDArray[np.bool_] | None = None
    ) -> dict[str, Any]:
        """Return items with what follows in the column; what can't be computed stays as it is.

        Args:
            items: by field, as a model presents them.
            where: rows that may change; all when left out.

        Raises:
            DataError: a number is larger than the column can hold.
        """
        name = self.column.name
        exact, known = self._computed(items)
        known = known if where is None else known & where
        digits = self.column.column.digits
        exact = np.round(exact, digits) if digits > 0 else exact
        old = np.ma.getdata(items[name])
        if old.dtype.kind == "i":
            exact = np.rint(exact)
            if (np.abs(exact[known].astype(np.float64)) >= 2.0**63).any():
                raise DataError(f"Expected {name!r} below 2**63; what follows from others is not.")
        values = np.where(known, exact, old).astype(old.dtype)
        absent = np.ma.getmaskarray(items[name]) & ~known
        masked = isinstance(items[name], np.ma.MaskedArray)
        return {**items, name: np.ma.MaskedArray(values, absent) if masked else values}

    def _computed(self, items: Mapping[str, Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return what follows, before it is rounded, and in which rows anything does."""
        found = [numbers_and_absent(items, each) for each in self.operands]
        known = ~np.any([absent for _, absent in found], axis=0)
        if self.part:
            return _part(found[0][0], self.part), known
        whole = all(values.dtype.kind == "i" for values, _ in found)
        floats = [values.astype(np.float64) for values, _ in found]
        with np.errstate(all="ignore"):
            exact = _folded(self.operation, floats)
            if whole and self.operation != "ratio" and (np.abs(exact) < 2.0**62).all():
                return _folded(self.operation, [values for values, _ in found]), known
        return np.where(np.isfinite(exact), exact, 0), known & np.isfinite(exact)


def check_computed(rule: Mapping[str, Any], columns: list[str], later: list[str]) -> bool:
    """Whether a rule says how a column follows from others.

    Args:
        rule: with ``computed``.
        columns: of the table.
        later: columns that follow by this rule or a later one: from these none can.
    """
    column, more = rule["computed"], [each for each in rule if each != "computed"]
    if len(more) != 1 or more[0] not in OPERATIONS or column not in columns:
        return False
    names = rule[more[0]]
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        return False
    if more[0] == "part":
        return len(names) == 2 and names[0] in columns and names[1] in _PARTS  # noqa: PLR2004
    two = len(names) == 2 or (len(names) > 2 and more[0] in ("sum", "product"))  # noqa: PLR2004
    return two and set(names) <= set(columns) - set(later)


def told_of(rule: Mapping[str, Any]) -> str:
    """Return a rule as people write it."""
    return ", ".join(
        f"{kind} = {', '.join(of) if isinstance(of, list) else of}" for kind, of in rule.items()
    )


def _folded(operation: str, values: list[NDArray[Any]]) -> NDArray[Any]:
    result = values[0]
    for each in values[1:]:
        result = _STEPS[operation](result, each)
    return result


def _part(dates: NDArray[Any], part: str) -> NDArray[np.int64]:
    days, months = dates.astype("datetime64[D]"), dates.astype("datetime64[M]")
    if part == "year":
        return dates.astype("datetime64[Y]").astype(np.int64) + 1970
    if part == "month":
        return months.astype(np.int64) % 12 + 1
    if part == "day":
        return (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    if part == "weekday":  # Monday is 1; the first day there is was a Thursday
        return (days.astype(np.int64) + 3) % 7 + 1
    return dates.astype("datetime64[h]").astype(np.int64) % 24
