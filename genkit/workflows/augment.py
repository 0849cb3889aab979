"""Whether generated data helps a classifier: asked for and carried out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.plugins.registry import installed
from genkit.runs.names import folder_for
from genkit.workflows.augmentation.settings import make_settings

if TYPE_CHECKING:
    from genkit.workflows.augmentation.result import AugmentResult

_HOME = Path("augmentations")


def augment(
    model: str,
    *,
    per_class: int | None = None,
    ratios: Sequence[float] | None = None,
    seeds: int | None = None,
    classifier_steps: int | None = None,
    classical: Sequence[str] | None = None,
    workers: int = 1,
    out: str | Path | None = None,
    name: str | None = None,
    verbose: bool = True,
    **settings: Any,
) -> AugmentResult:
    """Test whether generated data helps a classifier, as ``genkit augment`` does.

    What is done is kept: the same call goes on after an interruption.

    Args:
        model: name of a model that generates by label, or by what the modality's learner asks for.
        per_class: real training items of each class, at least 2; 50 if not given.
        ratios: synthetic items for each real one; 0.5, 1, 2 and 5 if not given.
        seeds: repetitions, at least 3; 5 if not given.
        classifier_steps: training steps of every classifier; 1,000 if not given, or as the
            modality's learner says.
        classical: classical augmentation: for images of ``"flip"``, ``"translation"``,
            ``"cutout"``, the last two if not given; else as the modality's learner says.
        workers: how many seeds are done at a time, each by a process of its own; what comes out
            is the same.
        out: folder to write to; ``augmentations/NAME`` if not given.
        name: the augmentation's name; by default its model, its data and ``per_class``.
        verbose: tell on stderr what is done.
        **settings: of the generator, as for ``train``: ``dataset``, ``data``, ``config``,
            ``steps``, ``epochs``, ``backend``.

    Returns:
        what was measured, verdicts and tests, as in ``augmentation.json``; it prints the verdicts.

    Raises:
        GenkitError: as the command line would report it.

    Example:
        >>> genkit.augment("cvae", dataset="fashion-mnist", per_class=50)  # doctest: +SKIP
    """
    asked = make_settings(
        installed(),
        {"model": model, **settings},
        per_class=per_class,
        ratios=ratios,
        seeds=seeds,
        classifier_steps=classifier_steps,
        classical=classical,
    )
    plan = asked.generator
    folder = folder_for(
        None if out is None else Path(out),
        name,
        _HOME,
        f"{plan.model}-{plan.dataset}-{asked.per_class}",
    )
    from genkit.workflows.augmentation.experiment import run_experiment  # imports Keras

    tell = partial(print, file=sys.stderr, flush=True) if verbose else lambda _: None
    return run_experiment(asked, folder, tell, workers)
