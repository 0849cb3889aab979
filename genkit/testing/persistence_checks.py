"""Checks of what is saved, gone on with, and taken to other backends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genkit.testing import elsewhere
from genkit.testing.check import checks
from genkit.testing.generated import generated, storable
from genkit.testing.outcomes import CheckFailed, Skipped
from genkit.testing.persisted import arrays, checkpoint, differing, numbers_in

if TYPE_CHECKING:
    from genkit.models.outputs import Items
    from genkit.testing.training import TrainedSubject

PARITY = 1e-4
"""Largest difference of a loss between backends over `PARITY_STEPS`, relative above 1."""
PARITY_STEPS = 5
GENERATED = 1e-2
"""Largest mean difference of samples between backends, in parts of their range."""
WORDS = 0.25
"""Largest share of texts that differ between backends: two chances may be nearly the same."""
_SAMPLES = 8


@checks("models")
def check_saved_run_generates_the_same(subject: TrainedSubject) -> None:
    """A run and its exported model, loaded again, give the samples of the model in memory."""
    from genkit.engine.state import ModelState
    from genkit.runs.loading import load

    trained = subject.straight
    with trained.model.averaged_weights():
        expected, _ = ModelState(trained.model).read()
        samples = _samples(subject, trained.model)
    exported = () if trained.model.keeps_items else (trained.run.export,)
    for path in (trained.run.path, *exported):
        loaded = load(path)
        weights, _ = ModelState(loaded).read()
        if wrong := [
            name for name in expected if not np.array_equal(expected[name], weights[name])
        ]:
            raise CheckFailed(
                f"Expected the weights of the trained model in {path.name}; {wrong[0]} differs."
            )
        again = _samples(subject, loaded)
        if samples and again and not all(_close(samples[name], again[name]) for name in samples):
            raise CheckFailed(
                f"Expected the samples of the trained model from {path.name}; they differ.",
                "Keep all that decode needs in weights or settings: other attributes aren't saved.",
            )


@checks("models", spans_backends=True)
def check_generates_on_every_backend(subject: TrainedSubject) -> None:
    """A saved run, loaded on each installed backend, generates the same within a stated band.

    The mean difference of samples is at most a hundredth of their range.
    """
    others = _others()
    samples = _samples(subject, _loaded(subject))
    if samples is None:
        raise Skipped("it does not generate")
    for name in others:
        file = subject.folder / f"{name}.npz"
        elsewhere.ask(
            name,
            "generate",
            kind=subject.kind,
            subject=subject.name,
            run=str(subject.straight.run.path),
            n=_SAMPLES,
            file=str(file),
        )
        with np.load(file, allow_pickle=False) as archive:
            received = {field: archive[field] for field in archive}
        for field, array in samples.items():
            _check_near(name, field, array, received[field])


def _check_near(name: str, field: str, ours: np.ndarray, theirs: np.ndarray) -> None:
    if ours.dtype.kind in "bU":
        apart = float(np.mean(ours != theirs))
    elif ours.shape != theirs.shape or not np.isfinite(theirs).all():
        raise CheckFailed(
            f"Expected samples of {field!r} on {name} as here; received {theirs.shape}."
        )
    else:
        apart = float(np.abs(theirs - ours).mean() / max(float(np.ptp(ours)), 1e-6))
    if apart > (WORDS if ours.dtype.kind in "bU" else GENERATED):
        raise CheckFailed(
            f"Expected the samples of {name} within {GENERATED:g} of their range of those "
            f"here; those of {field!r} are {apart:.1e} away.",
            "Use keras.ops and genkit.layers, which do the same on each backend.",
        )


@checks("models", "trainers")
def check_resume_is_bit_exact(subject: TrainedSubject) -> None:
    """A run that was stopped and gone on with ends as one without a stop, to the bit."""
    from genkit.testing.training import STEPS

    subject.require_steps()
    first, second = subject.straight, subject.interrupted
    if names := differing(first.run, second.run, STEPS):
        raise CheckFailed(
            f"Expected the state of a resumed run to be that of one without a stop; {names} "
            "differ.",
            "Keep what changes while it trains in weights or optimizers, not in attributes.",
        )
    if first.losses != second.losses:
        raise CheckFailed("Expected the losses of a resumed run to be those of one without a stop.")


@checks("models")
def check_running_numbers_are_state(subject: TrainedSubject) -> None:
    """Numbers that change while it trains are state: none in attributes, those declared saved."""
    from keras import ops

    from genkit.engine.state import ModelState
    from genkit.runs import checkpoint_files
    from genkit.testing.training import STEPS

    subject.require_steps()
    trained, again = subject.straight, subject.build()
    before, after = numbers_in(again), numbers_in(trained.model)
    changed = [n for n in after if not np.array_equal(before.get(n, ()), after[n])]
    if changed:
        raise CheckFailed(
            f"Expected attributes without numbers that change in training; {changed[0]} has some.",
            f"Declare it: self.{changed[0]} = self.add_state({changed[0]!r}), and assign to it.",
        )
    checkpoint_files.load_weights(checkpoint(trained.run, STEPS), ModelState(again))
    for name, variable in trained.model.running_numbers.items():
        values = variable, again.running_numbers[name]
        if not np.array_equal(*(ops.convert_to_numpy(each.value) for each in values)):
            raise CheckFailed(f"Expected the state {name} of a checkpoint to be that in memory.")


@checks("models", spans_backends=True)
def check_backends_agree(subject: TrainedSubject) -> None:
    """From one start, five steps have the same losses on each backend, to one part in 10,000.

    Of losses below 1 the difference itself counts. The randomness of layers is off.
    """
    subject.require_steps()
    others = _others()
    start = checkpoint(subject.straight.run, 0)
    here = subject.losses_of_steps(PARITY_STEPS, weights=arrays(start))
    for name in others:
        there = elsewhere.ask(
            name,
            "steps",
            kind=subject.kind,
            subject=subject.name,
            checkpoint=str(start),
            steps=PARITY_STEPS,
        )
        for step, (ours, theirs) in enumerate(zip(here, there, strict=True), 1):
            for key, value in ours.items():
                apart = abs(value - theirs[key]) / max(1.0, abs(value))
                if not apart <= PARITY:
                    raise CheckFailed(
                        f"Expected {key} on {name} within {PARITY:g} of {value:.6g} at step "
                        f"{step}; received {theirs[key]:.6g}.",
                        "Look for operations with another meaning there: integer division, "
                        "padding, sums in half precision.",
                    )


def _others() -> list[str]:
    found = elsewhere.others()
    if not found:
        raise Skipped("no other backend is installed")
    return found


def _loaded(subject: TrainedSubject) -> object:
    from genkit.runs.loading import load

    return load(subject.straight.run.path)


def _samples(subject: TrainedSubject, model: object) -> Items | None:
    """Return some items by field, as plain arrays; None of a model that doesn't generate."""
    if "generate" not in subject.spec.capabilities:
        return None
    return storable(generated(subject, model, _SAMPLES))


def _close(ours: np.ndarray, theirs: np.ndarray) -> bool:
    if ours.dtype.kind != "f":
        return np.array_equal(ours, theirs)
    return np.allclose(ours, theirs, atol=1e-4 * np.ptp(ours) + 1e-6)
