"""In what two runs differ: their settings, what they were made with, and what came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genkit.runs.run import Run
from genkit.runs.run_summary import summarize_run


@dataclass(frozen=True)
class DiffRow:
    """One thing in which two runs differ.

    Args:
        name: with dots between its parts: ``config.latent_dim``.
        first: the first run's value, of JSON; None where it has none.
        second: the other's.
        remark: why a figure's values can't be compared; empty if they can.
    """

    name: str
    first: Any
    second: Any
    remark: str = ""


@dataclass(frozen=True)
class RunDiff:
    """All in which two runs differ.

    Args:
        settings: of their plans.
        versions: of what they were made with, and on: software, device, data.
        figures: losses, and figures that were measured.
    """

    settings: tuple[DiffRow, ...]
    versions: tuple[DiffRow, ...]
    figures: tuple[DiffRow, ...]


def diff_runs(first: Path, second: Path) -> RunDiff:
    """Compare two runs by their files.

    Raises:
        RunError: one is no run, or a file of it is damaged.
    """
    runs = Run.open(first), Run.open(second)
    plans = [run.plan.model_dump(mode="json") for run in runs]
    return RunDiff(
        tuple(_differing(*map(_flat, plans))),
        tuple(_differing(*map(_surroundings, runs))),
        (*_differing(*map(_outcome, (first, second))), *_figures(*runs)),
    )


def _surroundings(run: Run) -> dict[str, Any]:
    """Return what a run was made with, in each of its sittings; the times tell nothing."""
    environment = run.environment()
    later = enumerate(environment.pop("later", ()), 2)
    found = _flat({**environment, **{f"sitting {number}": each for number, each in later}})
    return {name: value for name, value in found.items() if name.split(".")[-1] != "created"}


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Return the leaves of nested objects by their names, with dots between the parts."""
    if not isinstance(value, Mapping) or not value:
        return {name: value}
    found: dict[str, Any] = {}
    for key, each in value.items():
        found |= _flat(each, f"{name}.{key}" if name else str(key))
    return found


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[DiffRow]:
    for name in dict.fromkeys((*first, *second)):
        if first.get(name) != second.get(name):
            yield DiffRow(name, first.get(name), second.get(name))


def _outcome(run: Path) -> dict[str, Any]:
    about = summarize_run(run)
    return {
        "state": about.state,
        "step": about.step,
        "seconds": about.seconds,
        **about.losses,
    }


def _figures(first: Run, second: Run) -> Iterator[DiffRow]:
    """Compare the figures of a name, the last that was measured of each."""
    one, other = ({row.get("name"): row for row in run.figures().rows} for run in (first, second))
    for name in dict.fromkeys((*one, *other)):
        rows = one.get(name), other.get(name)
        mine, theirs = (
            None if row is None else {key: row.get(key) for key in ("value", "low", "high")}
            for row in rows
        )
        if mine != theirs:
            yield DiffRow(str(name), mine, theirs, _unlike(*rows))


def _unlike(first: Mapping[str, Any] | None, second: Mapping[str, Any] | None) -> str:
    """Return in what two figures were measured differently; empty if they are comparable."""
    if first is None or second is None:
        return ""
    differing = _differing(*(_flat(row.get("card") or {}) for row in (first, second)))
    return "; ".join(f"{each.name}: {each.first} and {each.second}" for each in differing)
