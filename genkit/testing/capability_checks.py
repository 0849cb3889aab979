"""Checks of what a trained model declares that it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import UsageError
from genkit.models.outputs import same_items
from genkit.testing.check import checks
from genkit.testing.generated import TOLERANCE, check_fit, check_numbers, generated, some_of
from genkit.testing.outcomes import CheckFailed, Skipped

if TYPE_CHECKING:
    from genkit.testing.training import TrainedSubject

_MANY, _FEW = 70, 3  # more than a batch of generation, and fewer


@checks("models")
def check_capabilities_are_methods(subject: TrainedSubject) -> None:
    """Each declared capability is a method of the model."""
    model = subject.build()
    for name in subject.spec.capabilities:
        if not callable(getattr(model, name, None)):
            raise CheckFailed(
                f"Expected a method {name!r}, which the record declares; there is none.",
                "Define it, or derive from genkit.Autoencoder.",
            )


@checks("models")
def check_samples_are_as_declared(subject: TrainedSubject) -> None:
    """Samples are what the schema says of each output field: shape, dtype, finite, in the range."""
    model = _able(subject, "generate")
    check_fit(subject, generated(subject, model, _FEW), _FEW)


@checks("models")
def check_sample_follows_from_seed_and_index(subject: TrainedSubject) -> None:
    """Sample i follows from (seed, i): three are the first of seventy; other seeds give others."""
    model = _able(subject, "generate")
    few, many = (generated(subject, model, n, seed=1) for n in (_FEW, _MANY))
    if not same_items(few, some_of(many, slice(_FEW))):
        raise CheckFailed(
            f"Expected {_FEW} samples to be the first of {_MANY}; they differ.",
            "Let decode treat each item alone: no statistics of the batch, no drawing.",
        )
    last = generated(subject, model, _MANY, seed=1, begin=_MANY - _FEW)
    if not same_items(last, some_of(many, slice(_MANY - _FEW, None))):
        raise CheckFailed(f"Expected the last {_FEW} of {_MANY} samples alone to be the same.")
    if not same_items(few, generated(subject, model, _FEW, seed=1)):
        raise CheckFailed("Expected the same samples from the same seed; they differ.")
    drawn = model.noise(np.random.default_rng(0), 1)
    if drawn and same_items(many, generated(subject, model, _MANY, seed=2)):
        raise CheckFailed(
            "Expected other samples from another seed; they are the same.",
            "Let decode use the noise that it is given.",
        )


@checks("models")
def check_labels_are_taken_or_refused(subject: TrainedSubject) -> None:
    """A conditional model takes labels by number and name; wrong ones are a UsageError."""
    model = _able(subject, "generate")
    if not model.conditional:
        _check_refused(model, 0, "a label, which the model knows nothing of,")
        return
    classes = model.classes()
    n = len(classes)
    by_turns = generated(subject, model, n)
    for number, name in enumerate(classes):
        place = slice(number, number + 1)
        for label in (number, name):
            asked = generated(subject, model, n, label=label)
            if not same_items(some_of(asked, place), some_of(by_turns, place)):
                raise CheckFailed(f"Expected class {label!r} to be what its turn gives; it isn't.")
    if same_items(*(generated(subject, model, 1, label=label) for label in (0, 1))):
        raise CheckFailed("Expected other samples for another label; they are the same.")
    for wrong in (len(classes), -1, "no such class"):
        _check_refused(model, wrong, f"the label {wrong!r}")


@checks("models")
def check_reconstructions_are_as_declared(subject: TrainedSubject) -> None:
    """Reconstructions have the items' shape, are float32, finite, and within the range."""
    model = _able(subject, "reconstruct")
    items, labels = _items(subject, model, _FEW)
    made = model.reconstruct(items, **labels)
    if made.dtype != np.float32:
        raise CheckFailed(f"Expected float32 from reconstruct; received {made.dtype}.")
    check_numbers(subject.output_name, subject.output, made, _FEW)


@checks("models")
def check_latents_follow_from_their_items(subject: TrainedSubject) -> None:
    """Each item has a latent of its own, finite, whatever items it is encoded with."""
    model = _able(subject, "encode")
    items, labels = _items(subject, model, _FEW)
    latents = model.encode(items, **labels)
    if len(latents) != _FEW or not np.isfinite(latents).all():
        raise CheckFailed(f"Expected {_FEW} finite latents; received shape {latents.shape}.")
    alone = model.encode(items[:1], **{key: value[:1] for key, value in labels.items()})
    if not np.allclose(alone[0], latents[0], atol=TOLERANCE):
        raise CheckFailed(
            "Expected the latent of an item alone to be that among others; it differs.",
            "Call the encoder with training=False; let it treat each item alone.",
        )


@checks("models")
def check_interpolations_end_in_reconstructions(subject: TrainedSubject) -> None:
    """A walk between two items has the asked number of steps, from and to reconstructions."""
    model = _able(subject, "interpolate")
    items, labels = _items(subject, model, 2)
    labels = {key: value[:1] for key, value in labels.items()}
    walk = model.interpolate(items[:1], items[1:], steps=4, **labels)
    expected = (1, 4, *items.shape[1:])
    if walk.shape != expected:
        raise CheckFailed(f"Expected a walk of shape {expected}; received {walk.shape}.")
    twice = {key: value * 2 for key, value in labels.items()}
    ends = model.reconstruct(items, **twice)
    atol = TOLERANCE * max(float(np.ptp(ends)), 1.0)
    if not np.allclose(walk[0, [0, -1]], ends, atol=atol):
        raise CheckFailed("Expected a walk to begin and end with reconstructions; it doesn't.")


def _able(subject: TrainedSubject, capability: str) -> Any:
    if capability not in subject.spec.capabilities:
        raise Skipped(f"it does not declare {capability!r}")
    return subject.straight.model


def _items(subject: TrainedSubject, model: Any, n: int) -> tuple[np.ndarray, dict[str, list[int]]]:
    batch = subject.source.gather(np.arange(n))
    items = batch[subject.output_name]
    if not model.conditional:
        return items, {}
    return items, {"label": [int(each) for each in batch[subject.schema.name_of("label")]]}


def _check_refused(model: Any, label: Any, what: str) -> None:
    try:
        model.generate(2, label=label)
    except UsageError:
        return
    raise CheckFailed(f"Expected {what} to be refused with a UsageError; it was taken.")
