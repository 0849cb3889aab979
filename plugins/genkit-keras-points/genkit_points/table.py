"""A person's own points, from a CSV file that may hold anything."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from genkit.cli.output import note
from genkit.data.tables import Dialect, is_missing, read_table
from genkit.errors import DataError
from genkit_points.configs import PointsCsvConfig
from genkit_points.data import PointsSource

MOST_BYTES = 256 << 20
_MOST_CLASSES = 1000
_LONGEST_NAME = 100
_LARGEST = 1e30  # float32 ends at 3e38, and a model must be able to subtract and square
_MARGIN = 0.1  # of the spread, on both sides: no point lies on the border of the range


def open_csv(config: PointsCsvConfig) -> PointsSource:
    """Open a CSV file: field ``points``, float32 of shape (2,), and ``label`` if one is named.

    The file may be packed by gzip, bzip2, xz or zip. The range is that of all values of both
    columns, and a tenth of it more on each side.

    Raises:
        DataError: no such file, too large, no CSV, no such column, a line that is no row, a value
            that is no number, a missing label, all points in one place, or a split without points.
    """
    numbers, names = _read(config)
    points = np.frombuffer(numbers, np.float64).reshape(-1, 2)
    low, high = float(points.min()), float(points.max())
    limits = low - _MARGIN * (high - low), high + _MARGIN * (high - low)
    if not np.float32(limits[0]) < np.float32(low) < np.float32(high) < np.float32(limits[1]):
        raise DataError(f"Expected points that differ in {config.path}; all values are {low:g}.")
    order = np.random.default_rng(0).permutation(len(points))
    cut = round(config.held_out * len(points))
    rows = np.sort(order[:cut] if config.split == "test" else order[cut:])
    if not len(rows):
        raise DataError(
            f"Expected points in the split {config.split!r} of {config.path}; there are none.",
            "Change the share: --data held_out=0.2",
        )
    if config.label is None:
        return PointsSource(points[rows], limits)
    classes = sorted(set(names))
    numbered = {name: number for number, name in enumerate(classes)}
    labels = np.array([numbered[name] for name in names], np.int32)
    return PointsSource(points[rows], limits, labels[rows], classes)


def write_fake(folder: Path) -> dict[str, Any]:
    """Write a little file for ``genkit check``; give the settings that open it."""
    path = folder / "points.csv"
    rows = (f"{math.cos(k):.6f},{math.sin(k):.6f},{'ab'[k % 2]}" for k in range(60))
    path.write_text("\n".join(["x,y,kind", *rows]) + "\n", encoding="utf-8")
    return {"path": str(path), "label": "kind"}


def _read(config: PointsCsvConfig) -> tuple[array[float], list[str]]:
    """Return the coordinates one after the other, and the labels if they are wanted."""
    numbers, names = array("d"), []
    classes: dict[str, str] = {}  # one string for each class: there may be millions of rows
    wanted = [config.x, config.y, *([config.label] if config.label else [])]
    for line, (x, y, *label) in _rows(config, wanted):
        numbers.append(_number(x, config.x, line, config.path))
        numbers.append(_number(y, config.y, line, config.path))
        if label:
            name = classes.setdefault(label[0], label[0])
            if is_missing(name):
                raise DataError(
                    f"Expected a label in line {line} of {config.path}; it is {name!r}.",
                    "Leave out the rows without a label, or write another word for that class.",
                )
            if not 0 < len(name) <= _LONGEST_NAME or len(classes) > _MOST_CLASSES:
                raise DataError(
                    f"Expected at most {_MOST_CLASSES} labels of 1 to {_LONGEST_NAME} characters "
                    f"in {config.path}; line {line} has {name!r:.50} as number {len(classes)}."
                )
            names.append(name)
    if not numbers:
        raise DataError(f"Expected points in {config.path}; there is no line after the first.")
    return numbers, names


def _rows(config: PointsCsvConfig, wanted: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line, and its values in the wanted columns."""
    dialect = Dialect(config.delimiter, config.encoding, most=MOST_BYTES)
    remedy = "Name the columns: --data x=NAME --data y=NAME"
    doubtful: list[int] = []
    for chunk in read_table(config.path, wanted, dialect, remedy=remedy):
        for wrong in chunk.malformed:
            raise DataError(
                f"Line {wrong.line} of {config.path}: {wrong.text}.",
                "Put a cell that has the delimiter or a quotation mark inside in quotation marks.",
            )
        doubtful += chunk.doubtful
        for line, row in zip(chunk.lines, chunk.rows, strict=True):
            yield line, [cell.strip() for cell in row]
    if doubtful:
        note(
            f"A cell in quotation marks that begins in line {doubtful[0]} of {config.path} goes "
            "over lines that look like rows; if they are, a mark is missing there."
        )


def _number(text: str, column: str, line: int, path: Path) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) <= _LARGEST:
        raise DataError(
            f"Expected a number in line {line}, column {column!r} of {path}; it is {text!r:.50}.",
            "Write it with a decimal point." if "," in text else "",
        )
    return number
