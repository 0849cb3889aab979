"""Keys of generated rows: made anew, another for each row, by the pattern of the real ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from operator import contains
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from genkit_tabular.columns import Column, Table

_SETS = {"#": "0123456789", "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a": "abcdefghijklmnopqrstuvwxyz"}
_MOST = 2**62
_MIX = 0x9E3779B97F4A7C15


def given_out(
    table: Table, batches: Iterator[dict[str, np.ndarray]], n: int, seed: int, begin: int
) -> Iterator[dict[str, np.ndarray]]:
    """Put keys into generated rows: that of row *i* follows from (seed, *i*).

    Args:
        table: says which columns are ids.
        batches: rows, from ``begin`` on.
        n: how many rows there are in all.
        seed: of the rows.
        begin: number of the first row.

    Raises:
        UsageError: a pattern has fewer keys than there are rows.
    """
    columns = [column for column in table.columns if column.kind == "id"]
    for column in columns:
        check_enough(column, n)
    return _with_keys(columns, batches, seed, begin)


def _with_keys(
    columns: list[Column], batches: Iterator[dict[str, np.ndarray]], seed: int, begin: int
) -> Iterator[dict[str, np.ndarray]]:
    for batch in batches:
        count = len(next(iter(batch.values())))
        yield {**batch, **{each.name: keys(each, begin, count, seed) for each in columns}}
        begin += count


def check_enough(column: Column, n: int) -> None:
    """Refuse to give out more keys than there are.

    Raises:
        UsageError: there are fewer than ``n`` that no row of the data has.
    """
    if (most := most_of(column)) < n:
        free = " that no row of the data has" if column.room >= 0 else ""
        raise UsageError(
            f"Expected at most {most:,} rows: so many values of the form {column.pattern!r} has "
            f"{column.name!r}{free}, one after the other; received {n:,}.",
            "Describe another form: format = ...",
        )


def most_of(column: Column) -> int:
    """Return how many different keys a column of ids can be given."""
    if not column.is_text_id:
        return 2**63 - 1 - column.first
    return column.room if column.room >= 0 else _all_of(_letters(column.pattern))


def _all_of(letters: Sequence[str]) -> int:
    return math.prod(len(each) for each in letters)


def free_of(pattern: str, keys: Sequence[str]) -> tuple[int, int]:
    """Return where among all keys of a pattern most are that no row has, and how many.

    Two keys of rows follow from it, those before and behind.

    Args:
        pattern: of the keys.
        keys: of all rows.
    """
    letters = _letters(pattern)
    known = 1  # letters of a key that a number of 64 bits tells apart from others
    while known < len(letters) and _all_of(letters[: known + 1]) < _MOST:
        known += 1
    found = np.array([key for key in keys if len(key) == len(letters)], f"U{len(letters)}")
    cells = found.view("U1").reshape(len(found), len(letters))
    numbers, fits = np.zeros(len(found), np.int64), np.ones(len(found), bool)
    for place, choice in enumerate(letters[:known]):
        which = np.argmax(cells[:, place, None] == np.array(list(choice))[None], axis=1)
        fits &= cells[:, place] == np.array(list(choice))[which]
        numbers = numbers * len(choice) + which
    taken = np.unique(numbers[fits])
    ends = np.concatenate([[-1], taken, [_all_of(letters[:known])]])
    longest = int(np.argmax(np.diff(ends)))
    unit = _all_of(letters[known:])
    return (int(ends[longest]) + 1) * unit, (int(ends[longest + 1] - ends[longest]) - 1) * unit


def keys(column: Column, begin: int, count: int, seed: int) -> np.ndarray:
    """Return the keys of rows from ``begin`` on: numbers go on behind the real ones."""
    if not column.is_text_id:
        return np.arange(column.first + begin, column.first + begin + count)
    letters = _letters(column.pattern)
    most, first = most_of(column), column.first if column.room >= 0 else 0
    # A step that shares no factor with the number of keys meets each of them once.
    step = (_MIX * (2 * seed + 1)) % most or 1
    while math.gcd(step, most) > 1:
        step += 1
    made = np.empty(count, object)
    for place in range(count):
        number, text = first + ((begin + place) * step + seed) % most, ""
        for choice in reversed(letters):
            number, letter = divmod(number, len(choice))
            text = choice[letter] + text
        made[place] = text
    return made


def of_another_form(name: str, pattern: str, items: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return which keys are not of a pattern, or are there twice; no missing one.

    Args:
        name: of the column.
        pattern: as a column of ids has it.
        items: by field, as data has them or a model presents them.
    """
    keys, absent = np.ma.getdata(items[name]), np.ma.getmaskarray(items[name])
    absent = absent | items.get(f"{name}_missing", np.zeros(len(keys), bool))
    letters = _letters(pattern)
    wrong = np.array([
        len(key) != len(letters) or not all(map(contains, letters, key)) for key in keys
    ], bool)  # fmt: skip
    _, first = np.unique(keys.astype(str), return_index=True)
    again = np.ones(len(keys), bool)
    again[first] = False
    return (wrong | again) & ~absent


def pattern_of_format(form: str) -> str:
    """Return the pattern of a format such as ``C-{000000}``.

    Args:
        form: text with places in braces: ``{000}`` digits, ``{AA}`` letters, ``{aa}`` small ones.

    Raises:
        DataError: it has other braces, or no places.
    """
    parts = form.replace("}", "{").split("{")
    inside = parts[1::2]
    again = "".join(f"{{{part}}}" if place % 2 else part for place, part in enumerate(parts))
    if (
        not inside
        or form != again
        or not all(part and set(part) in ({"0"}, {"A"}, {"a"}) for part in inside)
    ):
        raise DataError(
            "Expected a format such as 'C-{000000}' or '{AA}-{000}': text, with digits, letters or "
            f"small letters in braces; received {form!r}."
        )
    literal = ["".join("\\" + letter for letter in part) for part in parts[::2]]
    places = [*(part.replace("0", "#") for part in inside), ""]
    return "".join(text + place for text, place in zip(literal, places, strict=True))


def _letters(pattern: str) -> list[str]:
    """Return the letters that may stand at each place of a key."""
    found, literal = [], False
    for letter in pattern:
        if literal or letter not in (*_SETS, "\\"):
            found.append(letter)
            literal = False
        elif letter == "\\":
            literal = True
        else:
            found.append(_SETS[letter])
    return found
