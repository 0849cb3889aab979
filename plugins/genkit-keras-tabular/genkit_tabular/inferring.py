"""What the columns of a table are, proposed from their values, with reasons."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as kinds

from genkit.errors import DataError
from genkit_tabular.columns import Column
from genkit_tabular.parsing import guess, number_column
from genkit_tabular.raw import RawTable

ENOUGH = 50
"""Rows with a value from which on a column may be an id, or free text: fewer decide nothing."""

_LONG = 40  # characters: longer ones are no ids
_ID_NAME = re.compile(
    r"(^|[_\W])(id|ids|key|nr|no|num|number|code|uuid|guid|index)$", re.IGNORECASE
)
# What may name a person, by the name of a column and by the form of its values.
_PERSONAL_NAMES = re.compile(
    r"(^|[_\W])(first_?name|last_?name|surname|full_?name|name|e?-?mail|phone|mobile|address|street|"
    r"ssn|passport|iban|birth_?(date|day)?|dob|ip)($|[_\W])",
    re.IGNORECASE,
)
_PERSONAL_FORMS = (
    ("e-mail addresses", re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")),
    ("telephone numbers", re.compile(r"\+\d[\d ()/-]{6,}")),
    ("account numbers (IBAN)", re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}")),
    ("addresses of machines", re.compile(r"\d{1,3}(\.\d{1,3}){3}")),
)


def propose(raw: RawTable) -> list[Column]:
    """Return what each column is, as far as its values tell."""
    return [_propose(raw, name) for name in raw.columns]


def _propose(raw: RawTable, name: str) -> Column:
    values, counts = distinct(raw.columns[name], name)
    there = int(counts.sum())
    column = _kind(raw, name, values, there)
    dtype = raw.dtypes.get(name, "" if raw.is_text else str(raw.columns[name].type))
    missing = there < raw.rows
    reason = f"{column.reason}; {len(values):,} different" if len(values) > 1 else "always the same"
    if not there:
        reason = "no value at all"
    elif there < ENOUGH:
        reason = f"{column.reason}; {there} values are too few to tell more"
    return replace(
        column, dtype=dtype, missing=missing, reason=reason, personal=_personal(name, values)
    )


def distinct(column: pa.ChunkedArray, name: str) -> tuple[pa.Array, np.ndarray]:
    """Return a column's different values, and how many rows have each.

    Raises:
        DataError: values that no column of a table can be: lists, records, bytes.
    """
    try:
        found = column.drop_null().value_counts()
    except (pa.ArrowException, NotImplementedError) as error:
        raise DataError(
            f"Expected numbers, text, dates or truth values in {name!r}; received {column.type}."
        ) from error
    found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return found.field("values"), found.field("counts").to_numpy()


def _kind(raw: RawTable, name: str, values: pa.Array, there: int) -> Column:
    if not there:
        return Column(name, "number", digits=-1)
    texts = kinds.is_string(values.type) or kinds.is_large_string(values.type)
    if texts and raw.is_text and (found := guess(name, values.to_pylist())) is not None:
        return _id_if(found, values, there)
    if texts:
        return _of_names(name, values.to_pylist(), there)
    for fits, make in _STORED:
        if fits(values.type):
            return _id_if(make(name, values), values, there)
    raise DataError(
        f"Expected numbers, text, dates or truth values in {name!r}; received {values.type}."
    )


def _categories(name: str, values: pa.Array) -> Column:
    kind = "ordered" if values.type.ordered else "category"
    return Column(name, kind, reason="categories, as it is stored")


def _floats(name: str, values: pa.Array) -> Column:
    return number_column(name, check_finite(name, values.to_numpy(zero_copy_only=False)))


def _decimals(name: str, values: pa.Array) -> Column:
    digits = values.type.scale
    return Column(name, "number", digits=digits, reason=f"decimals, {digits} digits")


def _moments(name: str, values: pa.Array) -> Column:
    kind = values.type
    return Column(name, "datetime", unit=kind.unit, zone=kind.tz or "", reason="dates with time")


# What Arrow's types are as columns.
_STORED: tuple[tuple[Callable[[Any], bool], Callable[[str, Any], Column]], ...] = (
    (kinds.is_dictionary, _categories),
    (kinds.is_boolean, lambda name, _: Column(name, "boolean", reason="true and false")),
    (kinds.is_integer, lambda name, _: Column(name, "number", reason="whole numbers")),
    (kinds.is_floating, _floats),
    (kinds.is_decimal, _decimals),
    (kinds.is_date, lambda name, _: Column(name, "datetime", unit="D", reason="dates")),
    (kinds.is_timestamp, _moments),
    (
        kinds.is_duration,
        lambda name, values: Column(name, "duration", unit=values.type.unit, reason="durations"),
    ),
)


def check_finite(name: str, values: np.ndarray) -> np.ndarray:
    """Return numbers that are all finite.

    Raises:
        DataError: some are not; with the column's name.
    """
    if bad := int((~np.isfinite(values)).sum()):
        raise DataError(
            f"Expected finite numbers in {name!r}; {bad} different ones are infinite.",
            "Replace them, or leave them out: a missing value is one that is learned.",
        )
    return values


def _id_if(column: Column, values: pa.Array, there: int) -> Column:
    """Return a column of whole numbers as ids, if each row has its own and they look like it."""
    if column.kind != "number" or column.digits or len(values) < there or there < ENOUGH:
        return column
    numbers = [int(each) for each in values.to_pylist()]
    least, most = min(numbers), max(numbers)
    if _ID_NAME.search(column.name) or most - least == there - 1:
        reason = "whole numbers, another in each row"
        return replace(column, kind="id", first=most + 1, reason=reason)
    return column


def _of_names(name: str, texts: Sequence[str], there: int) -> Column:
    longest = max(map(len, texts))
    if there >= ENOUGH and len(texts) == there:
        if longest <= _LONG and not any(re.search(r"\s", text) for text in texts):
            pattern = pattern_of(texts)
            return Column(name, "id", pattern=pattern, reason="another text in each row")
        return Column(name, "text", reason="free text: another in each row")
    if there >= ENOUGH and len(texts) > there / 2:
        return Column(name, "text", reason="free text: most rows have their own")
    return Column(name, "category", reason="names")


def pattern_of(texts: Sequence[str]) -> str:
    r"""Return how ids are written: ``#`` a digit, ``A`` and ``a`` letters, ``\`` before others.

    Texts of several lengths are written like the longest.
    """
    longest = max(map(len, texts))
    pattern = []
    for place in range(longest):
        letters = {text[place] for text in texts if len(text) == longest}
        if len(letters) == 1 and (letter := next(iter(letters))) not in "0123456789":
            pattern.append("\\" + letter)
        elif all(letter.isdecimal() for letter in letters):
            pattern.append("#")
        else:
            pattern.append("A" if all(x.isupper() or x.isdecimal() for x in letters) else "a")
    return "".join(pattern)


def _personal(name: str, values: pa.Array) -> str:
    """Return what about a column may name a person."""
    said = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    found = ["its name"] if _PERSONAL_NAMES.search(said) else []
    if kinds.is_string(values.type) or kinds.is_large_string(values.type):
        texts = values.slice(0, 1000).to_pylist()
        for what, form in _PERSONAL_FORMS:
            if texts and sum(map(bool, map(form.fullmatch, texts))) > len(texts) / 2:
                found.append(what)
    return " and ".join(found)
