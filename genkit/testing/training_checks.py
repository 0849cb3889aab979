"""Checks of models and trainers while they train."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import GenkitError
from genkit.testing.check import checks
from genkit.testing.outcomes import CheckFailed
from genkit.testing.persisted import differing

if TYPE_CHECKING:
    from genkit.testing.training import TrainedSubject

_FEW = 2


@checks("models", "trainers")
def check_losses_are_finite(subject: TrainedSubject) -> None:
    """Each step gives losses, and all of them are finite numbers, for more than a hundred steps."""
    for step, row in enumerate(subject.straight.losses or [{}], 1):
        if not row:
            raise CheckFailed(
                "Expected losses by name; received none.",
                "Return them from training_step or solve, as scalars by name.",
            )
        for name, value in row.items():
            if not math.isfinite(value):
                raise CheckFailed(f"Expected finite losses; {name} is {value} at step {step}.")
    if subject.stepwise and (problem := subject.watched.not_finite):
        raise CheckFailed(f"Expected finite losses; {problem}.", "Lower the learning rate.")


@checks("models")
def check_looks_at_held_out_data(subject: TrainedSubject) -> None:
    """Losses on held-out data are finite, the same when looked at again, and change no weight."""
    subject.require_steps()
    before, after, looks = subject.looked_at
    for name, value in looks[0].items():
        if not math.isfinite(value):
            raise CheckFailed(
                f"Expected finite losses on held-out data; {name} is {value}.",
                "Write a validation_step(batch) of the model's own.",
            )
    if looks[0] != looks[1]:
        raise CheckFailed(
            f"Expected the same losses of the same held-out data; they are {looks[0]}, then "
            f"{looks[1]}.",
            "Draw what is random in training_noise(rng, n), and take it from the batch.",
        )
    if changed := [name for name in before if not np.array_equal(before[name], after[name])]:
        raise CheckFailed(
            f"Expected held-out data to change no weight; it changed {', '.join(changed[:3])}.",
            "Assign to Keras variables of the model alone: what validation assigns is forgotten.",
        )


@checks("models", "trainers")
def check_every_optimizer_advances(subject: TrainedSubject) -> None:
    """Each named optimizer makes updates, and weights that it owns move."""
    subject.require_steps()
    if idle := subject.watched.idle:
        raise CheckFailed(
            f"Expected every optimizer to move its weights; {', '.join(idle)} did nothing.",
            "Call minimize(name, ...) for each in training_step.",
        )


@checks("models", "trainers")
def check_only_optimized_variables_move(subject: TrainedSubject) -> None:
    """While one optimizer works alone, no trainable weight moves that it doesn't own."""
    subject.require_steps()
    for name, strangers in subject.watched.strangers.items():
        if strangers:
            raise CheckFailed(
                f"Expected {name!r} to move its own weights only; it moved "
                f"{', '.join(strangers[:3])}.",
                "Change weights through minimize alone; make others trainable=False.",
            )


@checks("models", "trainers")
def check_same_seed_gives_the_same_run(subject: TrainedSubject) -> None:
    """Two runs with one seed have the same losses and weights, to the bit."""
    subject.require_steps()
    from genkit.testing.training import PAUSE

    first, second = subject.straight, subject.interrupted
    for step in range(PAUSE):
        if first.losses[step] != second.losses[step]:
            raise CheckFailed(
                f"Expected the losses of two runs with one seed to be the same; at step {step + 1} "
                f"they are {first.losses[step]} and {second.losses[step]}.",
                "Draw what is random in noise(rng, n), from rng alone.",
            )
    if names := differing(first.run, second.run, PAUSE):
        raise CheckFailed(
            f"Expected the state of two runs with one seed to be the same after {PAUSE} steps; "
            f"{names} differ."
        )


@checks("models")
def check_noise_comes_from_the_batch(subject: TrainedSubject) -> None:
    """Noise follows from its generator alone; a step draws nothing but in Dropout and its like."""
    model: Any = subject.build()
    for draw in (model.noise, model.training_noise):
        np.random.seed(0)  # noqa: NPY002 - the global state that noise must not look at
        first = draw(np.random.default_rng(7), 3)
        np.random.seed(1)  # noqa: NPY002
        second = draw(np.random.default_rng(7), 3)
        for name in first:
            if not np.array_equal(first[name], second[name]):
                raise CheckFailed(
                    f"Expected the same noise {name!r} from the same generator; it differs.",
                    "Draw from the rng that noise(rng, n) is given, and nothing else.",
                )
    if not subject.stepwise:
        return
    losses = subject.losses_of_steps(_FEW)
    others = subject.losses_of_steps(_FEW, layer_seed=12345)
    if losses != others:
        raise CheckFailed(
            "Expected the losses of a step to follow from its batch; with other seeds they are "
            f"{others[0]} instead of {losses[0]}.",
            "Draw in training_noise(rng, n) what the step needs, and take it from the batch.",
        )


@checks("models", "trainers")
def check_memory_does_not_grow(subject: TrainedSubject) -> None:
    """No type of object and no list grows all along 99 steps by 49: not every other step."""
    from genkit.testing.watch import LONG

    subject.require_steps()
    if (growth := subject.watched.growth) >= LONG // 2:
        raise CheckFailed(
            f"Expected steps that leave nothing behind; {LONG} of them left {growth} objects.",
            "Keep no losses or tensors in lists; let schedule() give integers of few values.",
        )


@checks("models", "trainers")
def check_steps_are_compiled(subject: TrainedSubject) -> None:
    """No step runs eagerly: on PyTorch each is recorded, so it never looks at a tensor's value."""
    subject.require_steps()
    if why := subject.straight.eager:
        raise CheckFailed(
            f"Expected training steps that can be recorded; they run eagerly: {why}.",
            "Let no value decide in Python: use keras.ops.where instead of if, and "
            "convert_to_tensor for arrays.",
        )


@checks("trainers")
def check_refuses_a_model_it_cannot_train(subject: TrainedSubject) -> None:
    """A model without training_step and solve is refused with a GenkitError, by ``check``."""
    from genkit.models.model import Model
    from genkit.plan.fitting import FitSettings

    try:
        subject.trainer().check(Model(None, subject.schema), subject.source, FitSettings())
    except GenkitError:
        return
    raise CheckFailed(
        "Expected a model without training_step and solve to be refused; it was taken.",
        "Raise genkit.errors.UsageError in the trainer's check(model, source, settings).",
    )
