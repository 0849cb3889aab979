"""``genkit info``: all about one thing from ``genkit list``, or about a plugin."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from genkit.cli import completion, conditions
from genkit.cli.output import JsonFlag, definitions, emit, say, table
from genkit.cli.plugin_commands import commands_for
from genkit.plugins import catalogue
from genkit.plugins.entry_points import DISTRIBUTION

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
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A name from genkit list.", autocompletion=completion.everything
        ),
    ],
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
    result = catalogue.info(name)
    if result["kind"] == "model":
        result["commands"] = commands_for(result["capabilities"])
        result["expected"] = _expected(result)
    show = _show if result["kind"] != "plugin" else _show_plugin
    emit(result, as_json, lambda: show(result))
    return 0


def _show_fields(title: str, fields: list[dict[str, str]]) -> None:
    entries = []
    for row in fields:
        default = row["default"]
        value = f"{row['type']}; {default if default == 'required' else f'default {default}'}"
        entries.append((row["name"], value, row["meaning"]))
    definitions(title, entries)


def _show_conditions(described: list[dict[str, Any]]) -> None:
    if described:
        definitions("Conditions", conditions.in_words(described))


def _show_plugin(row: dict[str, Any]) -> None:
    absent = "install" in row
    say(f"{row['name']} (plugin, {_state(row)})")
    say(f"{row['summary']}.\n" if absent else "")
    for kind, names in row["brings"].items():
        say(f"{kind}: {', '.join(names)}")
    for fault in row.get("faults", ()):
        say(f"Failed at {fault['stage']}: {fault['error']} See: genkit doctor")
    if absent:
        say(f"\nInstall it from a checkout of GenKit: {row['install']}")


def _state(plugin: dict[str, Any]) -> str:
    if "install" in plugin:
        return "not installed"
    return f"{plugin['distribution']} {plugin['version']}"


def _expected(model: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what the zoo has of a model's presets: seconds of training, figures."""
    if model["distribution"] != DISTRIBUTION:
        return {}
    from genkit.builtin.zoo import zoo_models

    data = {name: preset.get("dataset") for name, preset in model["presets"].items()}
    return {
        found.preset: {"seconds": found.seconds, "figures": dict(found.figures)}
        for found in zoo_models()
        if found.model == model["name"] and data.get(found.preset) == found.data
    }


def _show_presets(presets: dict[str, dict[str, Any]], expected: dict[str, dict[str, Any]]) -> None:
    """Print a row a preset: its data, how long it trains, what to expect, and what else it sets."""
    rows = []
    for name, preset in presets.items():
        found = expected.get(name)
        minutes = f"{found['seconds'] / 60:.1f} min" if found else "-"
        fid = f"{found['figures']['fid']:.3g}" if found and "fid" in found["figures"] else "-"
        length = [f"{preset[key]} {key}" for key in ("steps", "epochs") if key in preset]
        length += [f"{preset['time']} s"] if "time" in preset else []
        apart = ("dataset", "steps", "epochs", "time", "config")
        others = {k: v for k, v in preset.items() if k not in apart} | preset.get("config", {})
        settings = ", ".join(f"{key} = {value}" for key, value in others.items())
        rows.append([name, preset.get("dataset", ""), " or ".join(length), minutes, fid, settings])
    columns = ["name", "data set", "length", "time", "FID", "settings"]
    table("\n[bold]Presets[/]", columns, rows)
    if expected:
        say("Time and FID are those of docs/zoo.md, on two cores.")


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
    _show_conditions(result.get("conditions", []))
    for capability, fields in result.get("options", {}).items():
        _show_fields(f"Options of genkit {capability}", fields)
    if result.get("presets"):
        _show_presets(result["presets"], result["expected"])
    for reference in result.get("references", []):
        say(f"\n{reference}")
