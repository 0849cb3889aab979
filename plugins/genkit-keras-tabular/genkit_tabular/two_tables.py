"""The verbs ``genkit link`` and ``genkit join``; imported when somebody types them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import genkit
from genkit.cli.output import JsonFlag, emit, say
from genkit.errors import UsageError

_Out = Annotated[Path, typer.Option(metavar="FOLDER", help="A folder that isn't there yet.")]


def link_tables(  # noqa: PLR0917
    parents: Annotated[Path, typer.Argument(metavar="PARENTS", help="A row for each key.")],
    children: Annotated[Path, typer.Argument(metavar="CHILDREN", help="Any number for a key.")],
    key: Annotated[str, typer.Option(help="The column that both tables have.")],
    out: _Out,
    by: Annotated[
        str,
        typer.Option(
            help="The column of CHILDREN, dates or numbers, that orders those of one key."
        ),
    ] = "",
    missing: Annotated[
        list[str] | None,
        typer.Option(help="A cell that stands for nothing, beside empty ones. Repeatable."),
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    r"""Make two tables to learn from of two that share a key.

    Parents get a column of how many children they have, and of the date of the first; a child has
    its parent's columns, its place, how many are still to come, and the child before it. Train a
    model on each, and join them.

    Examples:
      genkit link customers.csv orders.csv --key customer --by date --out shop
      genkit run tab-ar --dataset table --data path=shop/parents.csv \
        --data describe=shop/parents.toml --name customers
      genkit run tab-ar --dataset table --data path=shop/children.csv --name orders
      genkit join shop runs/customers runs/orders --n 1000 --out made
    """
    from genkit_tabular.linking import link
    from genkit_tabular.raw import read_file

    _check_new(out)
    stands_for_nothing = ("", *(missing or ()))
    tables = [read_file(path, missing=stands_for_nothing) for path in (parents, children)]
    linked = link(tables[0], tables[1], key, by)
    linked.write(out)
    left_out = {**linked.left_out}
    for path, raw in zip((parents, children), tables, strict=True):
        for reason, count in raw.left_out.items():
            left_out[f"{reason} in {path.name}"] = count
    summary = {
        "parents": linked.parents.rows,
        "children": linked.children.rows,
        "left_out": left_out,
        "out": str(out),
    }
    emit(summary, as_json, lambda: _show(summary))
    return 0


def _show(summary: dict[str, Any]) -> None:
    say(f"{summary['parents']:,} parents and {summary['children']:,} children in {summary['out']}")
    for reason, count in summary["left_out"].items():
        say(f"Left out: {count:,} rows with {reason}")


def join_tables(  # noqa: PLR0917
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What genkit link wrote.")],
    parents: Annotated[Path, typer.Argument(metavar="RUN", help="A run on its parents.")],
    children: Annotated[Path, typer.Argument(metavar="RUN", help="A run on its children.")],
    out: _Out,
    n: Annotated[int, typer.Option(help="How many parents.")] = 1000,
    seed: Annotated[int, typer.Option(help="Parent i and its children follow from (seed, i).")] = 0,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A condition of all parents. Repeatable."),
    ] = None,
    form: Annotated[
        Literal["csv", "parquet"], typer.Option("--format", help="What files to write.")
    ] = "csv",
    backend: Annotated[
        str | None, typer.Option(help="jax, torch or tensorflow; by default the first run's own.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Make parents with their children: two tables whose keys join.

    Dates of a parent's children never go back, nor beyond the last date of the data.

    Examples:
      genkit join shop runs/customers runs/orders --n 1000 --out made
      genkit join shop runs/customers runs/orders --where children=3:10 --out buyers
    """
    from genkit_tabular.joining import join
    from genkit_tabular.linking import read_link
    from genkit_tabular.writing import new_folder, write_table

    _check_new(out)
    found = read_link(folder)
    parent_model: Any = genkit.load(parents, backend)
    child_model: Any = genkit.load(children, backend)
    given = _conditions(where or ())
    made, theirs, beyond = join(found, parent_model, child_model, n, seed, given=given)
    with new_folder(out) as place:
        write_table(made, place / f"parents.{form}")
        write_table(theirs, place / f"children.{form}")
    summary = {
        "parents": made.num_rows,
        "children": theirs.num_rows,
        "left_out": {"a date beyond the last of the data": beyond} if beyond else {},
        "seed": seed,
        "out": str(out),
    }
    emit(summary, as_json, lambda: _show(summary))
    return 0


def _check_new(out: Path) -> None:
    if out.exists():
        raise UsageError(f"Expected --out as a folder that isn't there yet; {out} is.")


def _conditions(where: Sequence[str]) -> dict[str, str]:
    given = {}
    for text in where:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"Expected --where NAME=VALUE; received {text!r}.")
        given[name.strip()] = value.strip()
    return given
