"""The page of reference results, ``docs/zoo.md``: written by the command, never by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from genkit.builtin.model_specs import MODELS
from genkit.builtin.zoo import preset_of

_ORDER = [spec.name for spec in MODELS]
_IDENTITY = ("model", "data", "preset", "backend", "seed")
# Column title by figure; one that no row has is left out.
_OF_CARD = ("against", "split", "n_generated", "extractor", "extractor_hash")
_SAMPLES = {
    "fid": "FID",
    "kid": "KID",
    "precision": "precision",
    "recall": "recall",
    "class-coverage": "classes",
    "label-agreement": "label seen",
}
_PRIVACY = {
    "memorisation": "memorisation",
    "near-copies": "near copies",
    "copies": "copies",
    "membership-inference": "membership AUC",
}
_LATENTS = {
    "reconstruction_nats": "reconstruction",
    "kl_nats": "KL",
    "elbo_nats": "ELBO",
    "nll_100_nats": "NLL, k = 100",
    "reconstruction_mse": "squared error",
    "error_over_variance": "error / variance",
}


def merge(kept: Sequence[dict[str, Any]], row: dict[str, Any]) -> list[dict[str, Any]]:
    """Replace the row that was measured again, or add it in the models' order."""
    rows = {_identity(known): known for known in (*kept, row)}
    return sorted(rows.values(), key=lambda row: (_ORDER.index(row["model"]), *_identity(row)[1:]))


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _IDENTITY)


def shipped(rows: Sequence[dict[str, Any]]) -> str:
    """Return what of the rows comes with GenKit, as JSON: a line a model, for genkit evaluate."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["model"], row["data"], row["preset"]), []).append(row)
    lines = []
    for (model, data, preset), group in groups.items():
        first = group[0]
        measured = [each["quality"]["figures"] for each in group]
        means = {
            name: float(f"{sum(f[name][0] for f in measured) / len(measured):.4g}")
            for name in measured[0]
            if all(name in f for f in measured)
        }
        seconds = round(sum(each["seconds"] for each in group) / len(group), 1)
        line = {"model": model, "data": data, "preset": preset, "steps": first["steps"]}
        line |= {"recipe": first["recipe"], "seconds": seconds, "figures": means}
        card = first["quality"]["card"]
        line["card"] = {key: card[key] for key in _OF_CARD if key in card}
        lines.append(json.dumps(line))
    return "[\n" + ",\n".join(lines) + "\n]\n"


def render(rows: Sequence[dict[str, Any]]) -> str:
    """Return the whole page as markdown."""
    rows = [{**row, "preset": _with_age(row)} for row in rows]
    machines = {name: f"M{n}" for n, name in enumerate(sorted({r["machine"] for r in rows}), 1)}
    listed = "\n".join(f"- {short}: {name}" for name, short in machines.items())
    cards = {
        (r["quality"]["card"]["extractor"], r["quality"]["card"]["extractor_hash"]) for r in rows
    }
    extractors = ", ".join(f"`{name}` (SHA-256 {digest[:12]})" for name, digest in sorted(cards))
    with_latents = [row for row in rows if row["quality"]["latents"]]
    return "\n".join(
        [
            _HEAD.format(machines=listed),
            "## Training\n",
            _training(rows, machines),
            "## Samples\n",
            _SAMPLES_TEXT.format(extractors=extractors),
            _figures(rows, _SAMPLES),
            "## Memory of the training data\n",
            _PRIVACY_TEXT,
            _figures(rows, _PRIVACY),
            "## Latents\n",
            _LATENTS_TEXT,
            _latents(with_latents),
        ]
    )


def _with_age(row: dict[str, Any]) -> str:
    """Return the name of a row's preset, marked where its settings are others by now."""
    old = row["recipe"] != preset_of(row["model"], row["preset"])
    return f"{row['preset']} (old)" if old else str(row["preset"])


def _training(rows: Sequence[dict[str, Any]], machines: dict[str, str]) -> str:
    head = (*_IDENTITY, "steps", "minutes", "CPU minutes", "measured")
    body = [
        [
            *_identity(row),
            row["steps"],
            f"{row['seconds'] / 60:.1f}",
            f"{row['cpu_seconds'] / 60:.1f}" if "cpu_seconds" in row else "-",
            f"{machines[row['machine']]}, {row['date']}",
        ]
        for row in rows
    ]
    return _table(head, body)


def _figures(rows: Sequence[dict[str, Any]], columns: dict[str, str]) -> str:
    """Return a table of figures, a line for all runs of a model's preset."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(_short(row)), []).append(row["quality"]["figures"])
    body = [
        [*named, len(group), *(_figure([each.get(name) for each in group]) for name in columns)]
        for named, group in groups.items()
    ]
    return _table((*_SHORT, "runs", *columns.values()), body)


def _figure(measured: Sequence[Sequence[float] | None]) -> str:
    """Return a figure of one run with its interval, or the mean of several and their ends."""
    found = [interval for interval in measured if interval is not None]
    if not found:
        return "-"
    values = [each[0] for each in found]
    ends = found[0][1:] if len(found) == 1 else (min(values), max(values))
    value, low, high = (f"{each:.3g}" for each in (sum(values) / len(values), *ends))
    return value if low == high else f"{value} [{low}, {high}]"


def _latents(rows: Sequence[dict[str, Any]]) -> str:
    body = [
        [*_short(row)]
        + [
            f"{row['quality']['latents'][k]:.4g}" if k in row["quality"]["latents"] else "-"
            for k in _LATENTS
        ]
        for row in rows
    ]
    return _table((*_SHORT, *_LATENTS.values()), body)


_SHORT = ("model", "preset")


def _short(row: dict[str, Any]) -> list[str]:
    return [row[name] for name in _SHORT]


def _table(head: Sequence[Any], body: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in lines) + "\n"


_HEAD = """# Reference results

Every built-in model, trained by one of its presets and measured on test images that it never saw.
The page and `zoo.json` are written by `nox -s zoo`, or `python -m tests.zoo --write --model ...`
for some of the rows; an interrupted row goes on where it was. The machines were shared: read the
minutes as orders of magnitude; those of the processor hardly depend on what else it does. `(old)`:
the preset has other settings by now and waits to be measured again; no command shows its figures.

{machines}
"""

_SAMPLES_TEXT = """\
What `genkit evaluate` tells of 10,000 samples, against the 10,000 test images: of one run with its
95 % interval, of several their mean, the least and the most. Features and classes are those
of {extractors}:
these FID and KID compare the rows of this table, not those of another extractor. `classes`: the
share of classes that have at least 1 % of the samples. `label seen`: how often the classifier sees
the label that was asked for. What each figure means: [Metrics](explanation/metrics.md).
"""

_PRIVACY_TEXT = """\
`memorisation`: how far the nearest training image is, against the nearest test image, in the median
of samples, and over the same of test images: 1 is no memory, 0 are copies. `near copies` and
`copies` of training images among 10,000 samples; 0.01 of near copies is what test images have.
`membership AUC`: how well an attacker tells training from test images; 0.5 is a guess.
"""

_LATENTS_TEXT = """\
Of the 10,000 test images: the terms of the evidence lower bound and the bound from 100 importance
samples, in nats an image (the lower the better, but the ELBO), and the mean squared error of
reconstructions, with pixels in [0, 1], also as a share of the pixels' variance.
"""
