"""``genkit info``: all about one model, data set, trainer, metric or callback."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from genkit.cli.output import JsonFlag, emit, say, table
from genkit.errors import UnknownNameError
from genkit.registry import KINDS, Entry, installed, suggestion

_NOTES = {
    "licence": "Licence",
    "homepage": "Homepage",
    "accepts": "Needs data with",
    "capabilities": "Can",
    "trainer": "Trainer",
    "direction": "Better is",
}


def info(
    name: Annotated[str, typer.Argument(help="A name from genkit list.")],
    as_json: JsonFlag = False,
) -> int:
    """Show a model's, data set's or trainer's settings, presets and references.

    The settings of a model are set with --set KEY=VALUE, those of a data set with --data KEY=VALUE,
    those of a trainer with --trainer-set KEY=VALUE, or in the tables [config], [data] and
    [trainer_config] of a recipe.
    """
    kind, entry = _find(name)
    told = _describe(kind, entry)
    emit(told, as_json, lambda: _show(told))
    return 0


def _find(name: str) -> tuple[str, Entry]:
    registry = installed()
    known: list[str] = []
    for kind in KINDS:
        try:
            return kind, registry.find(kind, name)
        except UnknownNameError:
            known += registry.names(kind)
    raise UnknownNameError(
        f"Nothing is called {name!r}.", suggestion(name, known) or "See: genkit list"
    )


def _describe(kind: str, entry: Entry) -> dict[str, Any]:
    spec = entry.spec
    told: dict[str, Any] = {
        "kind": kind.removesuffix("s"),
        "name": spec.name,
        "summary": spec.summary,
        "distribution": entry.distribution,
    }
    for attribute in (*_NOTES, "aliases", "references"):
        if value := getattr(spec, attribute, None):
            told[attribute] = list(value) if isinstance(value, tuple) else value
    if hasattr(spec, "config"):
        from genkit.config import describe
        from genkit.specs import resolve

        told["config"] = describe(resolve(spec.config))
    if hasattr(spec, "presets"):
        told["presets"] = {key: dict(value) for key, value in spec.presets.items()}
    return told


def _show(told: dict[str, Any]) -> None:
    say(f"{told['name']} ({told['kind']}, {told['distribution']})\n{told['summary']}.\n")
    for attribute, label in _NOTES.items():
        if attribute in told:
            value = told[attribute]
            say(f"{label}: {', '.join(value) if isinstance(value, list) else value}")
    if told.get("config"):
        columns = ["name", "type", "default", "meaning"]
        rows = [[row[column] for column in columns] for row in told["config"]]
        table("\n[bold]Settings[/]", columns, rows)
    for preset, settings in told.get("presets", {}).items():
        say(f"\nPreset {preset}: " + ", ".join(f"{k} = {v}" for k, v in settings.items()))
    for reference in told.get("references", []):
        say(f"\n{reference}")
