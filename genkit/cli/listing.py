"""``genkit list``: what is installed. Imports no framework, however many plugins there are."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from genkit.cli.output import JsonFlag, emit, note, say, table
from genkit.errors import UsageError
from genkit.plugins.entries import KINDS
from genkit.plugins.entry_points import Plugin
from genkit.plugins.names import suggestion
from genkit.plugins.registry import Registry, installed
from genkit.plugins.repository import REPOSITORY


def list_specs(
    kind: Annotated[
        str | None,
        typer.Argument(help=f"One of {', '.join(KINDS)}, plugins; all if not given."),
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
    shown = {k: _rows(registry, k) for k in ([kind] if kind else kinds)}
    broken = [
        {key: value for key, value in vars(fault).items() if key != "traceback"}
        for fault in registry.broken
    ]
    absent = absent_plugins(None if kind in (None, "plugins") else kind)
    result = {**shown, "not_installed": absent, "broken": broken}
    emit(result, as_json, lambda: _show(shown, absent, broken))
    return 0


def absent_plugins(kind: str | None = None) -> list[dict[str, Any]]:
    """List the plugins of GenKit's repository that aren't installed: what they bring of a kind."""
    return [
        {
            "name": plugin.distribution,
            "summary": plugin.summary,
            "brings": {k: list(names) for k, names in plugin.brings.items() if kind in (None, k)},
            "install": plugin.install_command,
        }
        for plugin in REPOSITORY
        if (kind is None or kind in plugin.brings) and not plugin.is_installed()
    ]


def _rows(registry: Registry, kind: str) -> list[dict[str, Any]]:
    if kind == "plugins":
        return [plugin_row(registry, plugin) for plugin in registry.all_plugins()]
    return [
        {
            "name": e.spec.name,
            "summary": e.spec.summary,
            "distribution": e.distribution,
            "requirement": e.requirement,
            "missing": e.missing_packages(),
        }
        for e in registry.entries(kind)
    ]


def plugin_row(registry: Registry, plugin: Plugin) -> dict[str, Any]:
    """Print all about a plugin: version, distribution, what it brings, its faults."""
    entries = {kind: registry.entries(kind) for kind in KINDS}
    brings = {
        kind: [e.spec.name for e in found if (e.plugin, e.distribution) == plugin.key]
        for kind, found in entries.items()
    }
    brings = {kind: names for kind, names in brings.items() if names}
    counts = [f"{len(names)} {k if len(names) > 1 else k[:-1]}" for k, names in brings.items()]
    faults = [
        {"stage": b.stage, "hook": b.hook, "error": b.error}
        for b in registry.broken
        if (b.plugin, b.distribution) == plugin.key
    ]
    return {
        "name": plugin.name,
        "summary": ", ".join(counts) or "nothing",
        "version": plugin.version,
        "distribution": plugin.distribution,
        "brings": brings,
        "faults": faults,
    }


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
