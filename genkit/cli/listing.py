"""``genkit list``: what is installed. Imports no framework, however many plugins there are."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from genkit.cli.output import JsonFlag, emit, note, table
from genkit.errors import UsageError
from genkit.registry import KINDS, Registry, installed, suggestion


def list_specs(
    kind: Annotated[
        str | None,
        typer.Argument(help=f"One of {', '.join(KINDS)}, plugins; all if not given."),
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """List models, data sets, trainers, metrics, callbacks and plugins."""
    kinds = [*KINDS, "plugins"]
    if kind is not None and kind not in kinds:
        raise UsageError(
            f"Expected one of {', '.join(kinds)}; received {kind!r}.", suggestion(kind, kinds)
        )
    registry = installed()
    shown = {k: _rows(registry, k) for k in ([kind] if kind else kinds)}
    broken = [
        {"plugin": b.plugin, "distribution": b.distribution, "stage": b.stage, "error": b.error}
        for b in registry.broken
    ]
    emit({**shown, "broken": broken}, as_json, lambda: _show(shown, broken))
    return 0


def _rows(registry: Registry, kind: str) -> list[dict[str, str]]:
    if kind == "plugins":
        return [
            {"name": p.name, "summary": f"version {p.version}", "distribution": p.distribution}
            for p in registry.plugins
        ]
    return [
        {"name": e.spec.name, "summary": e.spec.summary, "distribution": e.distribution}
        for e in registry.entries(kind)
    ]


def _show(shown: dict[str, list[dict[str, str]]], broken: list[dict[str, Any]]) -> None:
    for kind, rows in shown.items():
        if rows:
            cells = [[row["name"], row["summary"], row["distribution"]] for row in rows]
            table(f"\n[bold]{kind}[/]", ["", "", ""], cells)
    for fault in broken:
        note(
            f"\nThe plugin {fault['plugin']} ({fault['distribution']}) failed at "
            f"{fault['stage']}: {fault['error']} See: genkit doctor"
        )
