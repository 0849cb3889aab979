"""``genkit list``: what is installed. Imports no framework, however many plugins there are."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from genkit.cli import completion
from genkit.cli.output import JsonFlag, emit, note, say, table
from genkit.errors import UsageError
from genkit.plugins.catalogue import absent_plugins, catalogue_rows
from genkit.plugins.entries import KINDS
from genkit.plugins.names import suggestion
from genkit.plugins.registry import installed


def list_specs(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND",
            help=f"One of {', '.join(KINDS)}, plugins; all if not given.",
            autocompletion=completion.kinds,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """List models, data sets and all else that plugins bring; and the plugins themselves.

    Examples:
      genkit list
      genkit list models
      genkit list plugins --json
    """
    kinds = [*KINDS, "plugins"]
    if kind is not None and kind not in kinds:
        raise UsageError(
            f"Expected one of {', '.join(kinds)}; received {kind!r}.", suggestion(kind, kinds)
        )
    registry = installed()
    shown: dict[str, list[dict[str, Any]]] = {
        k: list(catalogue_rows(k)) for k in ([kind] if kind else kinds)
    }
    broken = [
        {key: value for key, value in vars(fault).items() if key != "traceback"}
        for fault in registry.broken
    ]
    absent = absent_plugins(None if kind in (None, "plugins") else kind)
    result = {**shown, "not_installed": absent, "broken": broken}
    emit(result, as_json, lambda: _show(shown, absent, broken))
    return 0


def _origin(row: dict[str, Any]) -> str:
    return f"{row['requirement']}{', not installed' if row['missing'] else ''}"


def _show_plugins(rows: list[dict[str, Any]]) -> None:
    cells = [
        [
            row["name"],
            row["version"],
            row["distribution"],
            row["summary"],
            "; ".join(f"{f['stage']}: {f['error']}" for f in row["faults"]),
        ]
        for row in rows
    ]
    table("\n[bold]plugins[/]", ["", "version", "distribution", "brings", "faults"], cells)


def _show_absent(rows: list[dict[str, Any]]) -> None:
    cells = [
        [row["name"], ", ".join(n for names in row["brings"].values() for n in names)]
        for row in rows
    ]
    table("\n[bold]not installed[/]", ["", "brings"], cells)
    say("\nInstall one from a checkout of GenKit: pip install ./plugins/NAME")


def _show(
    shown: dict[str, list[dict[str, Any]]],
    absent: list[dict[str, Any]],
    broken: list[dict[str, Any]],
) -> None:
    for kind, rows in shown.items():
        if kind == "plugins":
            _show_plugins(rows)
        elif rows:
            cells = [[row["name"], row["summary"], _origin(row)] for row in rows]
            table(f"\n[bold]{kind}[/]", ["", "", ""], cells)
    if absent:
        _show_absent(absent)
    for fault in broken:
        note(
            f"\nThe plugin {fault['plugin']} ({fault['distribution']}) failed at "
            f"{fault['stage']}: {fault['error']} See: genkit doctor"
        )
