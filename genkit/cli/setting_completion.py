"""How a setting on the command line may go on: presets, keys, and the values there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import typer

from genkit.cli.completion import Offer, asked, beginning, paths

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from genkit.plugins.entries import Entry

_TOLD = ("dataset", "steps", "epochs", "time")
"""What is shown of a preset."""


def presets(context: typer.Context, incomplete: str) -> list[Offer]:
    """Offer the presets of the model that is named before; of all, if none is."""
    from genkit.plugins.registry import installed

    given = asked(context)
    if given.get("model"):
        entries = [installed().find("models", given["model"])]
    else:
        entries = installed().entries("models")
    found = {
        name: ", ".join(f"{key} {value}" for key, value in preset.items() if key in _TOLD)
        for entry in entries
        for name, preset in entry.spec.presets.items()
    }
    return beginning(incomplete, found.items())


def config_keys(context: typer.Context, incomplete: str) -> list[Offer]:
    """Offer the settings of the model that is named before."""
    from genkit.plugins.registry import installed

    entry = installed().find("models", asked(context)["model"])
    return _settings(entry, context.params.get("config"), incomplete)


def data_keys(context: typer.Context, incomplete: str) -> list[Offer]:
    """Offer the settings of the data set that is named before, or of the run's or preset's own."""
    from genkit.plugins.registry import installed

    entry = installed().find("datasets", _dataset(context))
    return _settings(entry, context.params.get("data"), incomplete)


def splits(context: typer.Context, incomplete: str) -> list[Offer]:
    """Offer the splits of that data set."""
    from genkit.plugins.registry import installed
    from genkit.plugins.specs import resolve

    entry = installed().find("datasets", _dataset(context))
    field = resolve(entry.spec.config).model_fields["split"]
    return beginning(incomplete, [(name, "") for name in values_of(field, incomplete)])


def trainer_keys(context: typer.Context, incomplete: str) -> list[Offer]:
    """Offer the settings of the trainer that is named before, or of the model's own."""
    from genkit.plugins.registry import installed

    given = asked(context)
    name = given.get("trainer") or installed().find("models", given["model"]).spec.trainer
    entry = installed().find("trainers", name)
    return _settings(entry, context.params.get("trainer_config"), incomplete)


def _dataset(context: typer.Context) -> str:
    from genkit.plugins.registry import installed
    from genkit.runs.run import Run

    given = asked(context)
    if name := given.get("dataset") or given.get("against"):
        return str(name)
    if "run" in given:
        return Run.open(Path(given["run"])).plan.qualified("dataset")
    model = installed().find("models", given["model"])
    return str(model.spec.presets[given.get("preset", "default")]["dataset"])


def _settings(entry: Entry, pairs: Iterable[str] | None, incomplete: str) -> list[Offer]:
    """Offer settings that were not given yet as ``KEY=``; after it, the values there are."""
    from genkit.plugins.specs import resolve

    fields = resolve(entry.spec.config).model_fields
    key, equals, value = incomplete.partition("=")
    if equals:
        values = values_of(fields[key], value) if key in fields else []
        return beginning(incomplete, [(f"{key}={each}", "") for each in values])
    taken = {pair.partition("=")[0] for pair in pairs or ()}
    return beginning(
        incomplete,
        [(f"{n}=", f.description or "") for n, f in fields.items() if n not in taken],
    )


def values_of(field: FieldInfo, incomplete: str) -> list[str]:
    """Return what a setting may be: paths, or its choices and examples."""
    kinds = list(_parts(field.annotation))
    if Path in kinds:
        return paths(incomplete)
    choices = [each for each in kinds if isinstance(each, str)]
    choices += ["false", "true"] if bool in kinds else []
    return [*choices, *map(str, field.examples or ())]


def _parts(annotation: Any) -> Iterator[Any]:
    """Return the types that a setting may have, and the values of a choice as text."""
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    elif parts := get_args(annotation):
        for part in parts:
            yield from _parts(part)
    else:
        yield annotation
