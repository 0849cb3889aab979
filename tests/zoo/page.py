"""The page of reference results, ``docs/zoo.md``: written by the command, never by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genkit.builtin.model_specs import MODELS

_ORDER = [spec.name for spec in MODELS]
_IDENTITY = ("model", "data", "preset", "backend", "seed")
# Column title by measure; what a table has no row for is left out of it.
_SAMPLES = {
    "label_agreement": "label seen",
    "classes_covered": "classes",
    "rarest_class": "rarest",
    "commonest_class": "commonest",
    "nearest_training_image": "nearest",
    "feature_distance": "features",
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


def render(rows: Sequence[dict[str, Any]]) -> str:
    """Give the whole page as markdown."""
    machines = {name: f"M{n}" for n, name in enumerate(sorted({r["machine"] for r in rows}), 1)}
    listed = "\n".join(f"- {short}: {name}" for name, short in machines.items())
    accuracy = max(row["quality"]["classifier_accuracy"] for row in rows)
    with_latents = [row for row in rows if "reconstruction_mse" in row["quality"]]
    return "\n".join(
        [
            _HEAD.format(machines=listed, accuracy=100 * accuracy),
            "## Training\n",
            _training(rows, machines),
            "## Samples\n",
            _SAMPLES_TEXT,
            _measures(rows, _SAMPLES),
            "## Latents\n",
            _LATENTS_TEXT,
            _measures(with_latents, _LATENTS),
        ]
    )


def _training(rows: Sequence[dict[str, Any]], machines: dict[str, str]) -> str:
    head = (*_IDENTITY, "steps", "minutes", "measured")
    body = [
        [
            *_identity(row),
            row["steps"],
            f"{row['seconds'] / 60:.1f}",
            f"{machines[row['machine']]}, {row['date']}",
        ]
        for row in rows
    ]
    return _table(head, body)


def _measures(rows: Sequence[dict[str, Any]], columns: dict[str, str]) -> str:
    head = ("model", "preset", "backend", *columns.values())
    body = [
        [row["model"], row["preset"], row["backend"]]
        + [f"{row['quality'][key]:.4g}" if key in row["quality"] else "-" for key in columns]
        for row in rows
    ]
    return _table(head, body)


def _table(head: Sequence[Any], body: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in lines) + "\n"


_HEAD = """# Reference results

Every built-in model, trained by one of its presets and measured on test images that it never saw.
The page and `zoo.json` are written by `nox -s zoo`, or `python -m tests.zoo --write --model ...`
for some of the rows; an interrupted row goes on where it was. One seed a row: how much another
would change it has not been measured. The machines were shared: read the minutes as orders of
magnitude.

{machines}

The classifier that judges samples names {accuracy:.2f} % of the real test images right.
"""

_SAMPLES_TEXT = """\
Of 10,000 samples: how often the classifier sees the label that was asked for, how many classes
have at least 1 % of the samples, and the shares of the rarest and the commonest one (0.1 each would
be even; the data's own are 0.09 and 0.11). `nearest`: the median distance of 1,000 samples to the
nearest training image, divided by that of real test images; near 0 they would be copies.
`features`: the Frechet distance between the classifier's features of samples and of test images;
it compares the rows of this table, and is no FID.
"""

_LATENTS_TEXT = """\
Of the 10,000 test images: the terms of the evidence lower bound and the bound from 100 importance
samples, in nats an image (the lower the better, but the ELBO), and the mean squared error of
reconstructions, with pixels in [0, 1], also as a share of the pixels' variance.
"""
