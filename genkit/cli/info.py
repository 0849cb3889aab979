"""``genkit info``: all about one thing from ``genkit list``, or about a plugin."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from genkit.cli.listing import absent_plugins, plugin_row
from genkit.cli.output import JsonFlag, emit, say, table
from genkit.cli.plugin_commands import commands_for
from genkit.errors import UnknownNameError
from genkit.plugins.entries import KINDS, Entry
from genkit.plugins.entry_points import Plugin
from genkit.plugins.names import suggestion
from genkit.plugins.registry import Registry, installed
from genkit.plugins.repository import missing_plugin, names_in_repository

_NOTES = {
    "licence": "Licence",
    "homepage": "Homepage",
    "accepts": "Needs data with",
    "modality": "Modality",
    "capabilities": "Can",
    "commands": "Commands of plugins",
    "capability": "For models that can",
    "trainer": "Trainer",
    "direction": "Better is",
}


def info(
    name: Annotated[str, typer.Argument(help="A name from genkit list.")],
    as_json: JsonFlag = False,
) -> int:
    """Show a model's, data set's or trainer's settings, options and presets; or a plugin.

    The settings of a model are set with --set KEY=VALUE, those of a data set with --data KEY=VALUE,
    those of a trainer with --trainer-set KEY=VALUE, or in the tables [config], [data] and
    [trainer_config] of a recipe.

    Examples:
      genkit info dcgan
      genkit info digits --json
    """
    registry = installed()
    absent = {row["name"]: row for row in absent_plugins()}
    if name in absent:
        emit({"kind": "plugin", **absent[name]}, as_json, lambda: _show_absent(absent[name]))
        return 0
    found = _find(registry, name)
    if isinstance(found, Plugin):
        row = plugin_row(registry, found)
        emit({"kind": "plugin", **row}, as_json, lambda: _show_plugin(row))
        return 0
    result = _describe(*found)
    emit(result, as_json, lambda: _show(result))
    return 0


def _find(registry: Registry, name: str) -> tuple[str, Entry] | Plugin:
    known: list[str] = []
    for kind in KINDS:
        try:
            return kind, registry.find(kind, name)
        except UnknownNameError:
            known += registry.names(kind)
    for plugin in registry.all_plugins():
        if name in plugin.key:
            return plugin
        known += plugin.key
    raise missing_plugin(name, KINDS) or UnknownNameError(
        f"Nothing is called {name!r}.",
        suggestion(name, known)
        or suggestion(name, [n for kind in KINDS for n in names_in_repository(kind)])
        or "See: genkit list",
    )


def _describe(kind: str, entry: Entry) -> dict[str, Any]:
    spec = entry.spec
    result: dict[str, Any] = {
        "kind": kind.removesuffix("s"),
        "name": spec.name,
        "summary": spec.summary,
        "distribution": entry.distribution,
        "requirement": entry.requirement,
        "missing": entry.missing_packages(),
    }
    for attribute in (*_NOTES, "aliases", "references"):
        if value := getattr(spec, attribute, None):
            result[attribute] = list(value) if isinstance(value, tuple) else value
    from genkit.plugins.config import describe
    from genkit.plugins.specs import resolve

    if hasattr(spec, "config"):
        result["config"] = describe(resolve(spec.config))
    if kind == "models":
        result["commands"] = commands_for(spec.capabilities)
    if getattr(spec, "options", None):
        result["options"] = {c: describe(resolve(each)) for c, each in spec.options.items()}
    if hasattr(spec, "presets"):
        result["presets"] = {key: dict(value) for key, value in spec.presets.items()}
    return result


def _show_fields(title: str, fields: list[dict[str, str]]) -> None:
    columns = ["name", "type", "default", "meaning"]
    table(f"\n[bold]{title}[/]", columns, [[row[column] for column in columns] for row in fields])


def _show_plugin(row: dict[str, Any]) -> None:
    say(f"{row['name']} (plugin, {row['distribution']} {row['version']})\n")
    for kind, names in row["brings"].items():
        say(f"{kind}: {', '.join(names)}")
    for fault in row["faults"]:
        say(f"Failed at {fault['stage']}: {fault['error']} See: genkit doctor")


def _show_absent(row: dict[str, Any]) -> None:
    say(f"{row['name']} (plugin, not installed)\n{row['summary']}.\n")
    for kind, names in row["brings"].items():
        say(f"{kind}: {', '.join(names)}")
    say(f"\nInstall it from a checkout of GenKit: {row['install']}")


def _show_presets(presets: dict[str, dict[str, Any]]) -> None:
    """Print a row a preset: its data, how long it trains, and what else it sets."""
    rows = []
    for name, preset in presets.items():
        length = [f"{preset[key]} {key}" for key in ("steps", "epochs") if key in preset]
        length += [f"{preset['time']} s"] if "time" in preset else []
        apart = ("dataset", "steps", "epochs", "time", "config")
        others = {k: v for k, v in preset.items() if k not in apart} | preset.get("config", {})
        settings = ", ".join(f"{key} = {value}" for key, value in others.items())
        rows.append([name, preset.get("dataset", ""), " or ".join(length), settings])
    table("\n[bold]Presets[/]", ["name", "data set", "length", "settings"], rows)


def _show(result: dict[str, Any]) -> None:
    say(f"{result['name']} ({result['kind']}, {result['distribution']})\n{result['summary']}.\n")
    if result["requirement"] != result["distribution"]:
        state = "not installed" if result["missing"] else "installed"
        say(f"Needs: {result['requirement']}, {state}")
    if result["missing"]:
        say(f"Install it with: pip install '{result['requirement']}'")
    for attribute, label in _NOTES.items():
        if attribute in result:
            value = result[attribute]
            if value:
                say(f"{label}: {', '.join(value) if isinstance(value, list) else value}")
    if result.get("config"):
        _show_fields("Settings", result["config"])
    for capability, fields in result.get("options", {}).items():
        _show_fields(f"Options of genkit {capability}", fields)
    if result.get("presets"):
        _show_presets(result["presets"])
    for reference in result.get("references", []):
        say(f"\n{reference}")
