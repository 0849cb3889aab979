"""The conditions of ``genkit generate``: flags for all items, a table with a line for each."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from genkit.cli import run_completion
from genkit.cli.help_text import part_in_one_column
from genkit.errors import UsageError

PromptOption = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="What all items begin with, for a model that takes a prompt: short for --where "
        "prompt=TEXT.",
    ),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIELD=VALUE",
        help="A condition that all items meet, for a model that takes it, as --where "
        "'income=>50K'. Repeatable.",
        autocompletion=run_completion.conditions,
    ),
]
GivenOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.csv",
        help="A table of conditions, its columns called like them: one item a line, in order. An "
        "empty cell gives nothing.",
    ),
]


def in_words(described: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Return name, meaning and example of each condition that ``describe_condition`` describes."""
    return [
        (
            each["name"],
            "; ".join(filter(None, (_meaning(each), "required" if each["required"] else ""))),
            each["example"] or f"In Python: given={{{each['name']!r}: ...}}",
        )
        for each in described
    ]


def help_of(run: str) -> str:
    """Return the part of a help that tells what the model of a run may be given, if anything."""
    from genkit.runs.saved_model import saved_conditions

    rows = in_words(saved_conditions(run))
    if not rows:
        return ""
    title = "Conditions of the model, one for all items, or a line for each in --given FILE.csv"
    terms = [(f"{name}  {meaning}", example) for name, meaning, example in rows]
    return part_in_one_column(title, terms, shutil.get_terminal_size().columns) + "\n"


def _meaning(described: Mapping[str, Any]) -> str:
    kind, names, limits = (described[key] for key in ("kind", "names", "range"))
    if kind == "text":
        most = described["longest"]
        return f"text of at most {most} steps" if most else "text"
    if names:
        count = described["count"]
        more = f", ... {count:,} in all" if count > len(names) else ""
        return f"{kind}: {', '.join(map(repr, names))}{more}"
    if limits:
        return f"{kind} from {limits[0]:,} to {limits[1]:,}"
    return kind or "value of the data"


def for_all(prompt: str | None, where: Sequence[str] | None) -> dict[str, str]:
    """Return the values of conditions that hold for all items, by name.

    Raises:
        UsageError: a pair without ``=``, or a condition that is given twice.
    """
    pairs = [("prompt", prompt)] if prompt is not None else []
    for text in where or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"Expected --where FIELD=VALUE; received {text!r}.")
        pairs.append((name.strip(), value))
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise UsageError(f"Expected {name!r} once; received {given[name]!r} and {value!r}.")
        given[name] = value
    return given


def by_item(file: Path) -> dict[str, list[str | None]]:
    """Read a table of conditions: a value an item, None where the cell is empty.

    Raises:
        UsageError: no such file, no text in UTF-8, or no table.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            head, *rows = list(csv.reader(opened, strict=True)) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"Expected --given a table, FILE.csv; {file}: {reason}.") from error
    names = [name.strip() for name in head]
    rows = [row for row in rows if row]  # of a table of one column, nothing is written ""
    if not rows or not all(names) or len(set(names)) < len(names):
        raise UsageError(
            f"Expected --given a table whose first line names conditions, each once, and a line "
            f"an item; {file} has {', '.join(head) or 'nothing'} and {len(rows)} lines more."
        )
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise UsageError(
                f"Expected {len(names)} cells in each line of {file}; item {number} has {len(row)}."
            )
    return {name: [row[place] or None for row in rows] for place, name in enumerate(names)}


def read(
    prompt: str | None, where: Sequence[str] | None, file: Path | None
) -> tuple[dict[str, Any], int | None]:
    """Read all conditions.

    Returns:
        values by condition, as ``Model.generate`` takes them; and how many items the file has
        lines for, None without one.

    Raises:
        UsageError: as ``for_all`` and ``by_item``; or a condition stands in the file and a flag.
    """
    given = for_all(prompt, where)
    if file is None:
        return given, None
    table = by_item(file)
    if twice := given.keys() & table.keys():
        raise UsageError(f"Expected {twice.pop()!r} once; received it in {file} and as a flag.")
    return {**given, **table}, len(next(iter(table.values())))
