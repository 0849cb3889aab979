"""Sections of facts: summary, plan, environment, and how to do the run again."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from genkit.errors import GenkitError
from genkit.report import command
from genkit.report.inputs import ReportInputs
from genkit.report.sections import Section, joined, number, parts

_NAMED = ("model", "preset", "dataset", "trainer", "backend", "precision")
_TABLES = {
    "config": "Model settings",
    "data": "Data settings",
    "trainer_config": "Trainer settings",
    "callbacks": "Callbacks",
}
_NOT_SHOWN = ("version", "distributions")


def summary(inputs: ReportInputs) -> Section:
    """Return a table of what the run is and where it stands."""
    run, status = inputs.run, inputs.run.status()
    plan = run.plan
    last = {name: values[-1] for name, (_, values) in inputs.curves.items() if len(values)}
    facts = [
        ("Model", plan.model),
        ("Data", plan.dataset),
        ("Backend", f"{plan.backend}, {plan.precision}"),
        ("Device", inputs.environment.get("device", {}).get("device", "not recorded")),
        ("State", status["state"]),
        ("Steps", f"{last_step(inputs):,}"),
        ("Training time", _duration((run.last_row() or {}).get("seconds", 0.0))),
    ]
    if inputs.model is not None:
        weights = sum(math.prod(v.shape) for v in inputs.model.trainable_variables)
        facts.append(("Trained weights", f"{weights:,}"))
    pieces = [parts().tiles(facts)]
    if last:
        losses = [(name, number(value)) for name, value in last.items()]
        pieces += [parts().heading("Losses of the last step"), parts().tiles(losses)]
    if status.get("error"):
        pieces.append(parts().notice(f"The run failed: {status['error']}"))
    if inputs.missing:
        pieces.append(parts().notice(inputs.missing))
    if inputs.protects_data:
        pieces.append(
            parts().notice(
                "This page is not covered by the run's privacy guarantee: its losses and pictures "
                "come from the data. Publish the folder model alone."
            )
        )
    if inputs.model is None:
        pieces.append(
            parts().notice(
                "Made from the run's files as training ended. Real against generated, nearest "
                "training items and what else needs the model and the data are added by:",
                f"genkit report {shlex.quote(str(run.path))}",
            )
        )
    return Section("Summary", joined(pieces))


def plan(inputs: ReportInputs) -> Section:
    """List all settings; those that the preset doesn't have of itself are marked."""
    settings = inputs.run.plan.model_dump(mode="json")
    usual = command.defaults(inputs.run.plan, inputs.registry)
    general = {k: v for k, v in settings.items() if k not in (*_TABLES, *_NOT_SHOWN)}
    pieces = []
    if usual:
        pieces.append(parts().text("Marked: what differs from the preset and the defaults."))
    pieces.append(_settings(general, {**usual, **{k: general[k] for k in _NAMED[:3]}}, usual))
    for key, title in _TABLES.items():
        if settings[key]:
            pieces.append(parts().heading(title))
            pieces.append(_settings(settings[key], usual.get(key, {}), usual))
    return Section("Plan", joined(pieces))


def environment(inputs: ReportInputs) -> Section:
    """Return a table of what the run was made with: versions, device, data and its licence."""
    known = inputs.environment
    data = known.get("data", {})
    pairs = [
        ("Begun", known.get("created")),
        *[(f"{name} version", version) for name, version in _software(known).items()],
        ("System", known.get("platform")),
        *[(f"Device: {key}", value) for key, value in known.get("device", {}).items()],
        ("Processors", known.get("cpus")),
        ("Items of data", f"{data['items']:,}" if isinstance(data.get("items"), int) else None),
        ("Data fingerprint (SHA-256)", data.get("fingerprint")),
        *_about_data(inputs),
    ]
    pieces = [parts().facts([(name, value) for name, value in pairs if value not in (None, "")])]
    for later in known.get("later", []):
        shown = {k: v for k, v in later.items() if k != "created"}
        title = f"Resumed {later.get('created', '')} with other means"
        pieces.append(parts().details(title, parts().code(json.dumps(shown, indent=2))))
    return Section("Environment", joined(pieces))


def reproduce(inputs: ReportInputs) -> Section:
    """Return the commands that do the run again."""
    run = inputs.run
    pieces = [
        parts().text("The versions that made this run:"),
        parts().code(command.pip_command(run.plan, inputs.environment)),
        parts().text("The run itself:"),
        parts().code(command.run_command(run.plan, inputs.registry)),
    ]
    if run.plan.callbacks:
        pieces += [parts().text("with callbacks.toml:"), parts().code(command.recipe(run.plan))]
    until = run.status().get("until")
    if until:
        pieces.append(parts().text(f"It was then resumed (genkit resume), to step {until:,}."))
    pieces.append(
        parts().text(
            "On the same machine, backend and number of threads the result is the same, bit for "
            "bit; elsewhere it is the same up to rounding that grows with the steps."
        )
    )
    return Section("Reproduce", joined(pieces))


def _duration(seconds: float) -> str:
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 2:  # noqa: PLR2004 - below, seconds say more
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if hours < 2 else f"{hours:.1f} h"  # noqa: PLR2004


def last_step(inputs: ReportInputs) -> int:
    """Return the last step that was logged, or that a checkpoint was written at."""
    logged = [int(steps[-1]) for steps, _ in inputs.curves.values() if len(steps)]
    return max([*logged, int(inputs.run.status().get("step", 0))])


def _settings(
    settings: Mapping[str, Any], usual: Mapping[str, Any], known: Mapping[str, Any]
) -> Markup:
    rows = [[key, shown(value)] for key, value in settings.items()]
    marked = [
        index
        for index, (key, value) in enumerate(settings.items())
        if known and (key not in usual or usual[key] != value)
    ]
    table: Markup = parts().table(["Setting", "Value"], rows, marked)
    return table


def shown(value: Any) -> str:
    """Write a setting as people read it."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _software(known: Mapping[str, Any]) -> dict[str, Any]:
    own = {"GenKit": known.get("genkit"), "Python": known.get("python")}
    plugins = {k: v for k, v in known.get("plugins", {}).items() if k != command.OWN}
    return {**own, **known.get("versions", {}), **plugins}


def _about_data(inputs: ReportInputs) -> list[tuple[str, str]]:
    plan = inputs.run.plan
    try:
        spec = inputs.registry.find("datasets", plan.qualified("dataset")).spec
    except GenkitError:
        return []
    licence = spec.licence or "not stated: the data is your own, or ask who gave it to you"
    return [("Licence of the data", licence), ("Data from", spec.homepage)]
