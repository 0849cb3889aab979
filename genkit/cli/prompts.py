"""A file of prompts for ``genkit generate``: read, and cut to what the model takes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genkit.errors import UsageError

if TYPE_CHECKING:
    from genkit.models.model import Model

COLUMN = "prompt"
_MOST_BYTES = 256 << 20

PromptsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A prompt a line of a text file, or in the column prompt of a .csv or .jsonl file; "
        "--n items of each, one if it is not given. Longer ones than the model takes are cut from "
        "the left.",
    ),
]


def read_prompts(file: Path) -> list[str]:
    """Read the prompts of a file, in order; blank lines are none.

    Raises:
        UsageError: no such file, no text in UTF-8, a row without a prompt, or no prompt at all.
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise UsageError(f"Expected --prompts of at most 256 MiB; {file} is larger.")
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8"
        raise UsageError(f"Expected --prompts a file of prompts; {file}: {reason}.") from error
    if "\0" in text:
        raise UsageError(f"Expected --prompts a text; {file} has NUL, as binary files do.")
    readers = {".csv": _of_csv, ".jsonl": _of_lines, ".ndjson": _of_lines}
    prompts = list(readers.get(file.suffix.lower(), _of_text)(file, text))
    if not prompts:
        raise UsageError(f"Expected prompts in {file}; it has none.")
    return prompts


def _of_text(file: Path, text: str) -> Iterator[str]:  # noqa: ARG001 - as the others
    return (line for line in text.split("\n") if line.strip())


def _of_csv(file: Path, text: str) -> Iterator[str]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in rows:
            yield _prompt(file, f"line {rows.line_num}", row.get(COLUMN))
    except csv.Error as error:
        raise UsageError(
            f"Expected --prompts a table; {file}, line {rows.line_num}: {error}."
        ) from error


def _of_lines(file: Path, text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            found = row.get(COLUMN) if isinstance(row, dict) else None
            yield _prompt(file, f"line {number}", found)


def _prompt(file: Path, place: str, found: Any) -> str:
    if not isinstance(found, str) or not found.strip():
        raise UsageError(
            f"Expected a prompt in the column {COLUMN!r} of each row; {file}, {place} has none."
        )
    return found


def cut_to_fit(model: Model, prompts: list[str]) -> tuple[list[Any], int]:
    """Cut prompts that are longer than a model takes, from the left.

    Args:
        model: what takes them.
        prompts: texts.

    Returns:
        values of its condition ``prompt``, one for each; and how many were cut.

    Raises:
        UsageError: a character that the model doesn't know.
    """
    longest = next((each.longest for each in model.conditions if each.name == COLUMN), None)
    if longest is None:  # any length; or no such condition, which is told where it is given
        return list(prompts), 0
    encoded = model.encode_condition(COLUMN, prompts)
    cut = sum(len(each) > longest for each in encoded)
    return ([each[-longest:] for each in encoded], cut) if cut else (list(prompts), 0)
