"""What a run's own files offer a shell: its checkpoints, classes, and formats of samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from genkit.cli.completion import Offer, after_comma, asked, beginning
from genkit.files import read_json
from genkit.plugins.schema import Schema
from genkit.runs.names import EXPORT_CONFIG, MODEL_FOLDER, is_export


def checkpoints(context: typer.Context, incomplete: str) -> list[Offer]:
    """Offer the checkpoints that the run has kept."""
    kept = Path(asked(context)["run"], "checkpoints").glob("[0-9]*")
    steps = sorted(int(folder.name) for folder in kept if folder.name.isdecimal())
    return beginning(
        incomplete,
        [
            *((str(step), "") for step in steps),
            ("best", "where the loss of --keep-best was lowest"),
        ],
    )


def labels(context: typer.Context, incomplete: str) -> list[Offer]:
    """Offer the classes of the run's data, with commas between them."""
    schema = Schema.from_dict(_saved(context)["schema"])
    return after_comma(incomplete, [(name, "") for name in schema[schema.name_of("label")].classes])


def conditions(context: typer.Context, incomplete: str) -> list[Offer]:
    """Offer what the run's model takes, and behind ``=`` the classes of a field."""
    saved = _saved(context)
    name, equals, _ = incomplete.partition("=")
    if equals:
        schema = Schema.from_dict(saved["schema"])
        classes = schema[name].classes if name in schema else ()
        return beginning(incomplete, [(f"{name}={each}", "") for each in classes])
    taken = saved.get("conditions", ())
    return beginning(incomplete, [(f"{each['name']}=", "") for each in taken])


def formats(context: typer.Context, incomplete: str) -> list[Offer]:
    """Offer what the run's samples can be written as: see ``Samples.formats``."""
    from genkit.plugins.registry import installed
    from genkit.plugins.specs import resolve
    from genkit.report.forms import RECORDS, formats_of

    saved = _saved(context)
    spec = installed().find("models", f"{saved['distribution']}/{saved['model']}").spec
    schema = Schema.from_dict(saved["schema"])
    fields = {name: schema[name] for name in spec.output_fields(schema)}
    shown = {entry.spec.modality: entry.spec for entry in installed().entries("renderers")}
    renderers = {
        name: resolve(shown[field.modality].renderer)
        for name, field in fields.items()
        if field.modality in shown
    }
    words = {"npz": "one array of all", "grid": "one picture of all", "txt": "a line an item"}
    words |= dict.fromkeys(RECORDS, "a row an item")
    found = formats_of(fields, renderers)
    return beginning(incomplete, [(name, words.get(name, "a file each")) for name in found])


def _saved(context: typer.Context) -> dict[str, Any]:
    """Return what is said of the run's exported model: which it is, and what its data is."""
    run = Path(asked(context)["run"])
    saved = run if is_export(run) else run / MODEL_FOLDER
    return read_json(saved / EXPORT_CONFIG)
