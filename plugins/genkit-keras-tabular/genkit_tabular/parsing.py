"""Text of cells as values: which kind all of a column's different texts are, and what they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit_tabular.columns import Column
from genkit_tabular.keys import digits_of

if TYPE_CHECKING:
    from datetime import tzinfo

_WHOLE = re.compile(r"[-+]?(0|[1-9]\d{0,17})")
_LONG = r"^\s*[-+]?\d{20,}\s*$"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?")
_ZONED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[-+]\d\d:?\d\d)")
_DURATION = re.compile(r"(-?)(?:(\d+) days? )?(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?")
_BOOLEANS = (("false", "true"), ("False", "True"), ("FALSE", "TRUE"))


def all_match(pattern: re.Pattern[str], texts: Sequence[str]) -> bool:
    """Whether every text is wholly of a pattern."""
    return all(map(pattern.fullmatch, texts))


def guess(name: str, texts: Sequence[str]) -> Column | None:
    """Return what a column of these texts is, if they are no names; None if they are.

    Args:
        name: of the column.
        texts: different ones, at least one.
    """
    if any(set(texts) <= set(pair) for pair in _BOOLEANS):
        return Column(name, "boolean", reason="true and false")
    if (numbers := _as_numbers(texts)) is not None:
        return number_column(name, numbers)
    if all_match(_ZONED, texts):
        return _zoned(name, texts)
    if all_match(_DURATION, texts) and any("day" in text for text in texts):
        return Column(name, "duration", unit="us", reason="days and a time")
    for form, unit, reason in (
        (_DATE, "D", "dates"),
        (_MOMENT, "us" if any("." in text for text in texts) else "s", "dates with time"),
    ):
        if all_match(form, texts) and _all_parse(texts, unit):
            return Column(name, "datetime", unit=unit, reason=reason)
    return None


def _zoned(name: str, texts: Sequence[str]) -> Column:
    ends = {re.sub(r"^.*?(Z|[-+]\d\d:?\d\d)$", r"\1", text) for text in texts}
    zone = ends.pop() if len(ends) == 1 else "Z"
    told = "; of several offsets: written in UTC" if ends else ""
    return Column(name, "datetime", unit="us", zone=zone, reason=f"times with a zone{told}")


def number_column(name: str, values: NDArray[np.generic]) -> Column:
    """Return what a column of these numbers is.

    Args:
        name: of the column.
        values: different ones, finite.
    """
    digits = 0 if values.dtype.kind in "iu" else digits_of(values)
    told = {0: "whole numbers", -1: "numbers of any precision"}
    reason = told.get(digits, f"numbers of {digits} decimals")
    return Column(name, "number", digits=digits, reason=reason)


def _as_numbers(texts: Sequence[str]) -> NDArray[np.generic] | None:
    """Return what texts say if all are numbers; codes such as 00501 and of 20 digits are none."""
    held = pa.array(texts, pa.string())
    if pc.any(pc.match_substring_regex(held, r"^\s*[-+]?0\d")).as_py():
        return None
    for kind in (pa.int64(), pa.float64()):
        try:
            numbers = pc.cast(held, kind).to_numpy()
        except pa.ArrowInvalid:
            continue
        # As floats whole numbers beyond 64 bits would be others.
        long = kind == pa.float64() and pc.any(pc.match_substring_regex(held, _LONG)).as_py()
        return None if long or not np.isfinite(numbers).all() else numbers
    return None


def _all_parse(texts: Sequence[str], unit: str) -> bool:
    try:
        np.array(texts, f"datetime64[{unit}]")
    except ValueError:
        return False
    return True


def parse(column: Column, texts: Sequence[str]) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Return the values that texts say, and which of them say none of the column's kind.

    Args:
        column: of a kind that is no name, id or text.
        texts: different ones.
    """
    if column.kind == "number" and (numbers := _as_numbers(texts)) is not None:
        whole = column.digits == 0 and numbers.dtype.kind == "f"
        wrong = (numbers != np.rint(numbers)) if whole else np.zeros(len(texts), bool)
        return _array(column, np.where(wrong, 0, numbers)), wrong
    read = _READERS[column.kind](column)
    values, wrong = [], np.zeros(len(texts), bool)
    for place, text in enumerate(texts):
        try:
            values.append(read(text.strip()))
        except (ValueError, OverflowError, KeyError):
            values.append(None)
            wrong[place] = True
    empty = next((value for value in values if value is not None), 0)
    held = [empty if value is None else value for value in values]
    return _array(column, held), wrong


def _array(column: Column, values: Any) -> NDArray[np.generic]:
    if column.kind == "datetime":
        return np.array(values, f"datetime64[{column.unit}]")
    if column.kind == "duration":
        return np.array(values, "timedelta64[us]").astype(f"timedelta64[{column.unit}]")
    if column.kind == "boolean":
        return np.array(values, bool)
    return np.array(values, np.float64 if column.digits else np.int64)


def _number_reader(column: Column) -> Callable[[str], object]:
    def whole(text: str) -> int:
        number = int(text) if _WHOLE.fullmatch(text) else float(text)
        if number != int(number) or not -(2**62) < number < 2**62:
            raise ValueError(text)
        return int(number)

    def any_number(text: str) -> float:
        number = float(text)
        if not np.isfinite(number):
            raise ValueError(text)
        return number

    return any_number if column.digits else whole


def _datetime_reader(column: Column) -> Callable[[str], object]:
    if not column.zone:
        return lambda text: np.datetime64(text, column.unit)

    def instant(text: str) -> np.datetime64:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone_of(column.zone))
        return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), column.unit)

    return instant


def _duration_reader(_: Column) -> Callable[[str], object]:
    def length(text: str) -> int:
        found = _DURATION.fullmatch(text)
        if found is None:
            raise ValueError(text)
        sign, days, hours, minutes, seconds, part = found.groups()
        whole = ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
        micros = whole * 1_000_000 + int((part or "0").ljust(6, "0"))
        return -micros if sign else micros

    return length


def _boolean_reader(_: Column) -> Callable[[str], object]:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    return lambda text: words[text.lower()]


_READERS: dict[str, Callable[[Column], Callable[[str], object]]] = {
    "number": _number_reader,
    "datetime": _datetime_reader,
    "duration": _duration_reader,
    "boolean": _boolean_reader,
}


def written(column: Column, values: NDArray[np.generic]) -> NDArray[np.object_]:
    """Return values of a column whose field is text as that text: dates with zone, durations."""
    if column.kind == "duration":
        return np.array(
            [_length(x) for x in values.astype("timedelta64[us]").astype(np.int64).tolist()], object
        )
    zone = zone_of(column.zone)
    moments = values.astype("datetime64[us]").astype(object)
    texts = [each.replace(tzinfo=UTC).astimezone(zone).isoformat() for each in moments]
    return np.array([text.replace("+00:00", "Z") for text in texts] or [], object)


def _length(micros: int) -> str:
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    seconds, part = divmod(micros, 1_000_000)
    days, seconds = divmod(seconds, 86_400)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    tail = f".{part:06}" if part else ""
    return f"{sign}{days} days {hours:02}:{minutes:02}:{seconds:02}{tail}"


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name, or by its offset.

    Raises:
        DataError: there is none of that name.
    """
    if name in ("Z", "UTC"):
        return UTC
    if found := re.fullmatch(r"([-+])(\d\d):?(\d\d)", name):
        minutes = int(found[2]) * 60 + int(found[3])
        return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise DataError(f"Expected a zone such as Europe/Berlin; received {name!r}.") from error
