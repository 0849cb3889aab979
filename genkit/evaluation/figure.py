"""Figures: numbers that say how they were made, and are compared only with those made alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from genkit.errors import RunError, UsageError
from genkit.files import finite
from genkit.plugins.display import Displayed, columns, in_words

_BETTER = {"min": "lower", "max": "higher"}


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Args:
        name: what was measured: ``"fid"``, ``"precision"``, ...
        value: the estimate.
        low: lower end of its 95 % interval; how it was made stands in the card.
        high: upper end.
        direction: ``"min"`` or ``"max"``: which way is better.
        card: everything about how it was measured that changes the number: extractor and its hash,
            counts, resizing, seed, reference data and split, interval. JSON values only. Nothing
            about the model: two models measured alike have equal cards.
    """

    name: str
    value: float
    low: float
    high: float
    direction: str
    card: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "card", MappingProxyType(dict(self.card)))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: a value or an end of an interval that isn't finite is None."""
        row = {
            "name": self.name,
            "value": float(self.value),
            "low": float(self.low),
            "high": float(self.high),
            "direction": self.direction,
            "card": dict(self.card),
        }
        return finite(row)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Figure:
        """Read the JSON form.

        Raises:
            RunError: it is no figure.
        """
        try:
            return cls(
                name=str(data["name"]),
                value=_number(data["value"], math.nan),
                low=_number(data["low"], -math.inf),
                high=_number(data["high"], math.inf),
                direction=str(data["direction"]),
                card=data["card"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"Expected a figure; received {str(data)[:200]}: {error!r}.") from error


class Figures(list[Figure], Displayed):
    """Figures that print as a table."""

    def __repr__(self) -> str:
        if not self:
            return "no figures"
        rows = [
            [
                f.name,
                *map(in_words, (f.value, f.low, f.high)),
                _BETTER.get(f.direction, f.direction),
            ]
            for f in self
        ]
        return columns([["metric", "value", "95 % from", "to", "better is"], *rows])


def _number(value: Any, if_none: float) -> float:
    return if_none if value is None else float(value)


def split_cards(
    figures: Sequence[Figure],
) -> tuple[dict[str, Any], list[tuple[list[str], dict[str, Any]]]]:
    """Tell what several figures' cards say alike from what each says alone, to say it once.

    Returns:
        the facts that at least two cards have, and none otherwise; and the others, each time with
        the names of the figures that have them.
    """
    cards = [dict(figure.card) for figure in figures]
    shared: dict[str, Any] = {}
    for key in dict.fromkeys(key for card in cards for key in card):
        values = [card[key] for card in cards if key in card]
        alone = len(values) == 1 < len(cards)
        if not alone and all(value == values[0] for value in values):
            shared[key] = values[0]
    others: list[tuple[list[str], dict[str, Any]]] = []
    for figure, card in zip(figures, cards, strict=True):
        own = {key: value for key, value in card.items() if key not in shared}
        alike = next((names for names, known in others if known == own), None)
        if alike is not None:
            alike.append(figure.name)
        elif own:
            others.append(([figure.name], own))
    return shared, others


def check_comparable(first: Figure, second: Figure) -> None:
    """Refuse to compare figures that were not measured alike.

    Raises:
        UsageError: their names or cards differ; the message says in what.
    """
    if first.name != second.name:
        raise UsageError(f"Expected figures of one metric; received {first.name}, {second.name}.")
    keys = sorted(first.card.keys() | second.card.keys())
    differing = [key for key in keys if first.card.get(key) != second.card.get(key)]
    if differing:
        differences = "; ".join(
            f"{key}: {first.card.get(key)!r} and {second.card.get(key)!r}" for key in differing
        )
        raise UsageError(
            f"The figures of {first.name} can't be compared: their cards differ in {differences}.",
            "Measure both alike: genkit evaluate RUN with the same --against, --n and --extractor.",
        )
