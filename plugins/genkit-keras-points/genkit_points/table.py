"""A person's own points, from a CSV file that may hold anything."""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

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

    The range is that of all values of both columns, and a tenth of it more on each side.

    Raises:
        DataError: no such file, too large, no CSV, no such column, a value that is no number, all
            points in one place, or a split without points.
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
    for line, (x, y, *label) in _rows(config.path, wanted):
        numbers.append(_number(x, config.x, line, config.path))
        numbers.append(_number(y, config.y, line, config.path))
        if label:
            name = classes.setdefault(label[0], label[0])
            if not 0 < len(name) <= _LONGEST_NAME or len(classes) > _MOST_CLASSES:
                raise DataError(
                    f"Expected at most {_MOST_CLASSES} labels of 1 to {_LONGEST_NAME} characters "
                    f"in {config.path}; line {line} has {name!r:.50} as number {len(classes)}."
                )
            names.append(name)
    if not numbers:
        raise DataError(f"Expected points in {config.path}; there is no line after the first.")
    return numbers, names


def _rows(path: Path, wanted: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line, and its values in the wanted columns."""
    line = 1
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise DataError(
                f"Expected at most {MOST_BYTES >> 20} MiB in {path}; it has {size >> 20} MiB.",
                "Take a part of the rows.",
            )
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            head = [name.strip() for name in next(reader, [])]
            for name in wanted:
                if head.count(name) != 1:
                    raise DataError(
                        f"Expected one column {name!r} in {path}; its first line is "
                        f"{', '.join(head)[:200] or 'empty'}.",
                        "Name the columns: --data x=NAME --data y=NAME",
                    )
            places = [head.index(name) for name in wanted]
            for row in reader:
                line = reader.line_num
                if row and len(row) != len(head):
                    raise DataError(
                        f"Expected {len(head)} values in line {line} of {path}; it has {len(row)}."
                    )
                if row:
                    yield line, [row[place].strip() for place in places]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"Expected CSV in UTF-8 at {path}; near line {line}: {reason}.") from error


def _number(text: str, column: str, line: int, path: Path) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) <= _LARGEST:
        raise DataError(
            f"Expected a number in line {line}, column {column!r} of {path}; it is {text!r:.50}."
        )
    return number
