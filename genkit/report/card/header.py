"""The metadata header of a model card, as the Hugging Face Hub reads it.

The keys follow the Hub's model card specification; the header is YAML between two lines of dashes.
Each value is in YAML's flow style with quoted strings, so that no name can leave its string.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from genkit.evaluation.figure import Figure
from genkit.plan.plan import Plan
from genkit.plugins.specs import DatasetSpec, ModelSpec

_HOW = ("extractor", "n_generated", "n_real", "seed")
"""What of a figure's card the header tells; all of it stands in the table below."""


def header(
    plan: Plan,
    model: ModelSpec | None,
    dataset: DatasetSpec | None,
    figures: Sequence[Figure],
) -> str:
    """Return the header of a run's model card, with the dashes around it.

    Args:
        plan: the run's.
        model: the model's record; None if it is not installed.
        dataset: the data set's record; None if it is not installed.
        figures: what was measured of these very weights.
    """
    modality = dataset.modality if dataset else "data"
    tags = ["genkit", "keras", "generative", plan.model, modality]
    metadata: dict[str, Any] = {
        # Whose weights they are only a person can say; the card says so too.
        "license": "unknown",
        "library_name": "genkit-keras",
        "tags": list(dict.fromkeys(tags)),
    }
    task = _pipeline_tag(model, modality)
    if task:
        metadata["pipeline_tag"] = task
    if dataset and dataset.homepage:  # else it is a person's own data: no name to look up
        metadata["datasets"] = [plan.dataset]
    measured = [figure for figure in figures if math.isfinite(figure.value)]
    if measured:
        metadata["metrics"] = list(dict.fromkeys(figure.name for figure in measured))
        kind = {"type": task or f"{modality}-generation"}
        metadata["model-index"] = [
            {"name": f"{plan.model} on {plan.dataset}", "results": _results(plan, kind, measured)},
        ]
    lines = "".join(f"{key}: {to_yaml(value)}\n" for key, value in metadata.items())
    return f"---\n{lines}---\n"


def _pipeline_tag(model: ModelSpec | None, modality: str) -> str | None:
    """Name the Hub's task; it has none for images by label, nor for other data."""
    if model is None or modality != "image" or "label" in model.accepts:
        return None
    return "unconditional-image-generation" if "generate" in model.capabilities else None


def _results(
    plan: Plan, task: Mapping[str, str], figures: Sequence[Figure]
) -> list[dict[str, Any]]:
    """Return a result for each data set and split that figures were measured against."""
    groups: dict[tuple[str, str], list[Figure]] = {}
    for figure in figures:
        # A metric that looks at samples alone was measured against nothing else.
        name = str(figure.card.get("against", plan.dataset))
        groups.setdefault((name, str(figure.card.get("split", ""))), []).append(figure)
    return [
        {
            "task": task,
            "dataset": {"name": name, "type": name, **({"split": split} if split else {})},
            "metrics": [_result(figure) for figure in group],
        }
        for (name, split), group in groups.items()
    ]


def _result(figure: Figure) -> dict[str, Any]:
    interval = [figure.low, figure.high]
    finite = {"interval_95": interval} if all(map(math.isfinite, interval)) else {}
    how = {key: figure.card[key] for key in _HOW if key in figure.card}
    extractor = how.get("extractor")
    return {
        "type": figure.name,
        "name": f"{figure.name} ({extractor})" if extractor else figure.name,
        "value": figure.value,
        "args": {**finite, "direction": figure.direction, **how},
    }


def to_yaml(value: Any) -> str:
    """Write texts, numbers, lists and dicts in YAML's flow style, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{to_yaml(str(k))}: {to_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(to_yaml, value)) + "]"
    if isinstance(value, float):
        mantissa, e, exponent = repr(value).partition("e")
        return mantissa + ("" if "." in mantissa or not e else ".0") + e + exponent
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(map(_quoted, str(value))) + '"'


def _quoted(character: str) -> str:
    """Escape what would end a double-quoted string, and what YAML has no printed form for."""
    if character.isprintable() and character not in '"\\':
        return character
    return f"\\U{ord(character):08x}"
