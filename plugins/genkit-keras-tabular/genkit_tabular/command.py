"""The verbs ``genkit table`` and ``genkit impute``; imported when somebody types them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

import genkit
from genkit.cli.output import JsonFlag, emit, say
from genkit.errors import UsageError

if TYPE_CHECKING:
    from genkit_tabular.raw import RawTable

_MOST_EPSILON = 100
_Missing = Annotated[
    list[str] | None,
    typer.Option(
        "--missing", help="A cell that stands for nothing, beside empty ones. Repeatable."
    ),
]
_Delimiter = Annotated[str, typer.Option(help="What parts the cells of CSV.")]


def table(  # noqa: PLR0917
    action: Annotated[Literal["inspect", "count"], typer.Argument(help="inspect or count.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A table, CSV or Parquet.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="Where to; table.toml beside FILE if not given."),
    ] = None,
    target: Annotated[str, typer.Option(help="The column to foretell from the others.")] = "",
    describe: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="What is known of it, for count.")
    ] = None,
    epsilon: Annotated[
        str, typer.Option(metavar="NUMBER", help="What count may spend, such as 0.5.")
    ] = "",
    delta: Annotated[float, typer.Option(help="The same, where names are to be found.")] = 1e-7,
    missing: _Missing = None,
    delimiter: _Delimiter = "",
    as_json: JsonFlag = False,
) -> int:
    """Describe a table in a file to edit: inspect proposes all, count spends privacy on it.

    inspect: kind, with the reason, range, share of gaps, and what may name a person. Then:
    genkit run tab-ar --dataset table --data path=FILE --data describe=table.toml

    count: ranges and names that a description lacks, found by noisy counts, for private training.
    Each count costs its epsilon anew.

    Examples:
      genkit table inspect customers.csv
      genkit table inspect visits.parquet --target returned --out visits.toml
      genkit table count customers.csv --describe known.toml --epsilon 0.5
    """
    from genkit_tabular.raw import read_file

    path = out or file.parent / "table.toml"
    if path.exists():
        raise UsageError(
            f"{path} is there already, and may have been edited.",
            "Remove it, or name another one: --out FILE.toml",
        )
    stands_for_nothing = ("", *(missing if missing is not None else ("?",)))
    raw = read_file(file, delimiter=delimiter, missing=stands_for_nothing)
    if action == "count":
        summary = _counted(raw, describe, epsilon, delta, path)
        emit({"file": str(file), **summary}, as_json, lambda: _show_counted(summary))
        return 0
    if target and target not in raw.columns:
        raise UsageError(f"Expected --target as a column; {file} has {', '.join(raw.columns)}.")
    summary = {"file": str(file), **_inspected(raw, file, target, path)}
    emit(summary, as_json, lambda: _show(summary))
    return 0


def _inspected(raw: RawTable, file: Path, target: str, out: Path) -> dict[str, Any]:
    from genkit_tabular.describing import described
    from genkit_tabular.inferring import ENOUGH, propose

    out.write_text(described(raw, file, target), encoding="utf-8")
    columns = propose(raw)
    return {
        "rows": raw.rows,
        "decided": raw.rows >= ENOUGH,
        "left_out": dict(raw.left_out),
        "columns": [
            {"name": c.name, "kind": c.kind, "reason": c.reason, "personal": c.personal}
            for c in columns
        ],
        "out": str(out),
    }


def _counted(
    raw: RawTable, describe: Path | None, epsilon: str, delta: float, out: Path
) -> dict[str, Any]:
    """Write a description whose gaps are found by noisy counts.

    Raises:
        UsageError: what is known, or what may be spent, is not said.
    """
    import secrets
    from fractions import Fraction

    from genkit_tabular.counting import counted, text_of
    from genkit_tabular.describing import read_description, read_form

    if describe is None:
        raise UsageError(
            "Expected what is known of the columns, their kinds at least.",
            "Name the file: --describe known.toml",
        )
    try:
        budget = Fraction(epsilon)
    except (ValueError, ZeroDivisionError):
        budget = Fraction(0)
    if not 0 < budget <= _MOST_EPSILON or not 0 < delta < 1:
        raise UsageError(
            f"Expected --epsilon above 0, {_MOST_EPSILON} at most, and --delta between 0 and 1; "
            f"received {epsilon or 'no epsilon'} and {delta:g}."
        )
    before = read_description(describe).cost
    if any(before):
        raise UsageError(f"{describe} has been counted for, at epsilon {before[0]:g}.")
    form = counted(read_form(describe), raw, budget, delta, secrets.randbelow)
    out.write_text(
        text_of(form, f"Ranges and names by noisy counts of {raw.rows:,} rows."), "utf-8"
    )
    return {**form["counted"], "out": str(out)}


def _show_counted(summary: dict[str, Any]) -> None:
    say(f"Spent: epsilon {summary['epsilon']:g}, delta {summary['delta']:g}")
    say(f"Written to {summary['out']}: give it with --data describe= and --data described=true")


def _show(summary: dict[str, Any]) -> None:
    from genkit.cli.output import table as show_table

    say(f"{summary['rows']:,} rows of {summary['file']}")
    for reason, count in summary["left_out"].items():
        say(f"Left out: {count:,} rows with {reason}")
    rows = [[c["name"], c["kind"], c["reason"], c["personal"]] for c in summary["columns"]]
    show_table("Columns", ["column", "kind", "reason", "may name a person"], rows)
    if not summary["decided"]:
        say("So few rows decide nothing: kinds are as the values are stored.")
    say(f"Written to {summary['out']}: edit it, and give it with --data describe=")


def impute(  # noqa: PLR0917
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A table with holes.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to: .csv or .parquet.")],
    seed: Annotated[int, typer.Option(help="Row i follows from (seed, i) and what it has.")] = 0,
    backend: Annotated[
        str | None, typer.Option(help="jax, torch or tensorflow; by default the run's own.")
    ] = None,
    missing: _Missing = None,
    delimiter: _Delimiter = "",
    as_json: JsonFlag = False,
) -> int:
    """Fill the holes of a table, each row given what it has.

    Columns that the model doesn't learn, and all cells that have a value, stay as they are.

    Examples:
      genkit impute runs/mine holes.csv --out filled.csv
    """
    if out.suffix not in (".csv", ".parquet"):
        raise UsageError(f"Expected --out FILE.csv or FILE.parquet; received {out}.")
    from genkit_tabular.filling import filled
    from genkit_tabular.raw import read_file
    from genkit_tabular.writing import write_filled

    stands_for_nothing = ("", *(missing if missing is not None else ("?",)))
    raw = read_file(file, delimiter=delimiter, missing=stands_for_nothing)
    model: Any = genkit.load(run, backend)
    items, holes = filled(model, raw, seed)
    write_filled(raw, items, out, delimiter)
    summary = {"run": str(run), "rows": raw.rows, "filled": holes, "seed": seed, "out": str(out)}
    emit(summary, as_json, lambda: _show_filled(summary))
    return 0


def _show_filled(summary: dict[str, Any]) -> None:
    cells = sum(summary["filled"].values())
    by_column = ", ".join(f"{name} {count:,}" for name, count in summary["filled"].items())
    say(f"{cells:,} cells filled in {summary['rows']:,} rows: {by_column or 'there were no holes'}")
    say(f"Written to {summary['out']}")
