"""Sections that compare runs: where each stands, and in which settings they differ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genkit.report import curves, figures, pictures
from genkit.report.inputs import ReportInputs
from genkit.report.overview import last_step, shown
from genkit.report.sections import Section, number, parts


def sections(all_inputs: dict[str, ReportInputs]) -> list[Section]:
    """Return the sections of a page that compares runs, by label."""
    made = (
        _runs(all_inputs),
        curves.compared(all_inputs),
        pictures.compared(all_inputs),
        figures.compared(all_inputs),
        _settings(all_inputs),
    )
    return [section for section in made if section is not None]


def labels(paths: list[Path]) -> list[str]:
    """Call runs by their folders' names, or by their paths where two have one name."""
    names = [path.resolve().name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def _runs(all_inputs: Mapping[str, ReportInputs]) -> Section:
    rows = [
        [
            label,
            inputs.run.plan.model,
            inputs.run.plan.dataset,
            inputs.run.plan.backend,
            inputs.run.status()["state"],
            f"{last_step(inputs):,}",
            ", ".join(f"{name} {number(v[-1])}" for name, (_, v) in inputs.curves.items() if v),
        ]
        for label, inputs in all_inputs.items()
    ]
    head = ["Run", "Model", "Data", "Backend", "State", "Steps", "Last losses"]
    return Section("Runs", parts().table(head, rows, stacks=True))


def _settings(all_inputs: Mapping[str, ReportInputs]) -> Section:
    all_settings = {label: _flat(inputs) for label, inputs in all_inputs.items()}
    keys = dict.fromkeys(key for settings in all_settings.values() for key in settings)
    rows = [
        [key, *cells]
        for key in keys
        if len(set(cells := [one.get(key, "not there") for one in all_settings.values()])) > 1
    ]
    if not rows:
        return Section("Settings that differ", parts().text("None: the plans are the same."))
    return Section(
        "Settings that differ", parts().table(["Setting", *all_inputs], rows, stacks=True)
    )


def _flat(inputs: ReportInputs) -> dict[str, str]:
    """Return all settings of a run in one table, and what its data was."""
    flat: dict[str, Any] = {}
    for key, value in inputs.run.plan.model_dump(mode="json").items():
        nested = isinstance(value, Mapping)
        flat |= {f"{key}.{k}": v for k, v in value.items()} if nested else {key: value}
    data = inputs.environment.get("data", {})
    flat["data fingerprint"] = data.get("fingerprint")
    return {key: shown(value) for key, value in flat.items()}
