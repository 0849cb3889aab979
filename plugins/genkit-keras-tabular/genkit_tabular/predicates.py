"""Comparisons of a row's numbers, ``debt <= 0.5 * income``: parsed by hand, nothing is run.

    predicate = side, comparison, side
    side      = ["-"], term, {("+" | "-"), term}
    term      = factor, {("*" | "/"), factor}
    factor    = number | column | a column's name in double quotes

There are no parentheses and no functions.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit_tabular.encoded import numbers_and_absent

if TYPE_CHECKING:
    from genkit_tabular.learned import Learned

_LONGEST = 1000  # characters
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)"""
    r"""|"(?P<quoted>[^"]+)"|(?P<sign><=|>=|==|!=|[<>+*/-]))\s*"""
)
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}
_STEPS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
_SAME = 1e-12  # of the larger: 0.1 + 0.2 is 0.3

Side = tuple[tuple[str, Any], ...]
"""A sum as it is written: factors, numbers and names of columns, each with the sign before it."""


@dataclass(frozen=True)
class Predicate:
    """A comparison that holds for every row.

    Args:
        text: as people write it.
        left: what stands before the comparison.
        comparison: one of ``<=  >=  <  >  ==  !=``.
        right: what stands behind it.
    """

    text: str
    left: Side
    comparison: str
    right: Side

    @classmethod
    def parse(cls, text: str) -> Predicate:
        """Read a comparison.

        Raises:
            DataError: it is none.
        """
        tokens = _tokens(text)
        places = [k for k, (kind, token) in enumerate(tokens) if token in _COMPARISONS]
        if len(places) != 1 or tokens[places[0]][0] != "sign":
            raise _refusal(text)
        place = places[0]
        left, right = _side(text, tokens[:place]), _side(text, tokens[place + 1 :])
        return cls(text, left, str(tokens[place][1]), right)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it names."""
        return tuple(token for _, token in (*self.left, *self.right) if isinstance(token, str))

    def broken(self, items: Mapping[str, Any], learned: Mapping[str, Learned]) -> NDArray[np.bool_]:
        """Return which rows break it; none that lacks a number, or divides by zero.

        Args:
            items: by field, as data has them or a model presents them.
            learned: the columns by name.
        """
        found = {name: numbers_and_absent(items, learned[name]) for name in self.names}
        absent = np.any([absent for _, absent in found.values()], axis=0)
        numbers = {name: values.astype(np.float64) for name, (values, _) in found.items()}
        with np.errstate(all="ignore"):
            left, right = _sum(self.left, numbers), _sum(self.right, numbers)
            same = np.abs(left - right) <= _SAME * np.maximum(np.abs(left), np.abs(right))
            holds = _COMPARISONS[self.comparison](left, np.where(same, left, right))
            known = ~absent & np.isfinite(left) & np.isfinite(right)
        return known & ~holds


def _tokens(text: str) -> list[tuple[str, str | float]]:
    found, place = [], 0
    if len(text) > _LONGEST:
        raise DataError(f"Expected a predicate of at most {_LONGEST} characters.")
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _refusal(text)
        kind, token = str(match.lastgroup), match[str(match.lastgroup)]
        found.append((kind, float(token) if kind == "number" else token))
        place = match.end()
    return found


def _side(text: str, tokens: list[tuple[str, Any]]) -> Side:
    """Return factors, each with the sign before it."""
    if tokens and tokens[0] == ("sign", "-"):
        sign, tokens = "-", tokens[1:]
    else:
        sign = "+"
    found = []
    for place, (kind, token) in enumerate(tokens):
        if (kind == "sign") != bool(place % 2):
            raise _refusal(text)
        if kind == "sign":
            sign = str(token)
        else:
            found.append((sign, token))
    if not len(tokens) % 2:
        raise _refusal(text)
    return tuple(found)


def _sum(side: Side, numbers: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    total: Any = 0.0
    term: Any = None
    outer = "+"
    for sign, token in side:
        factor = numbers[token] if isinstance(token, str) else token
        if sign in "*/":
            term = _STEPS[sign](term, np.asarray(factor))
            continue
        total = total if term is None else _STEPS[outer](total, term)
        outer, term = sign, np.asarray(factor, np.float64)
    return np.asarray(_STEPS[outer](total, term), np.float64)


def _refusal(text: str) -> DataError:
    return DataError(
        f"Expected a predicate such as 'debt <= 0.5 * income': numbers and columns, + - * /, and "
        f"one of {' '.join(_COMPARISONS)}; received {text[:80]!r}.",
        "A name with blanks or signs stands in double quotes: '\"hours-per-week\" <= 80'",
    )
