"""Evaluate a run: its model beside data it has not seen, its figures kept, its card renewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.errors import RunError, UsageError
from genkit.evaluation.choosing import choose
from genkit.evaluation.figure import Figures
from genkit.evaluation.inputs import open_context, open_reference, open_training
from genkit.evaluation.measuring import Measuring
from genkit.evaluation.progress import EvaluationProgress
from genkit.evaluation.results import Weights, kept, with_card
from genkit.plan.from_program import MEMORY
from genkit.plugins.registry import installed
from genkit.report.card import renew_card
from genkit.runs.handed_over import hand_over, offer_data
from genkit.runs.loading import load, path_of
from genkit.runs.model_workers import workers_for
from genkit.runs.run import Run

if TYPE_CHECKING:
    from genkit.runs.loading import HasPath

DEFAULT_N, DEFAULT_SEED = 10_000, 1


def evaluate(
    run: HasPath | str | Path,
    *,
    against: Any = None,
    data: Mapping[str, Any] | None = None,
    split: str | None = None,
    metrics: Sequence[str] | None = None,
    extractor: str | None = None,
    n: int = DEFAULT_N,
    seed: int = DEFAULT_SEED,
    backend: str | None = None,
    checkpoint: str | int | None = None,
    dataset: Any = None,
    model: Any = None,
    workers: int = 1,
    verbose: bool = True,
) -> Figures:
    """Measure a trained model, as ``genkit evaluate`` does.

    Figures are kept in the run's ``evaluation.json`` as they come; those that are there already, of
    the same weights and with the same card, are not measured again. The model card tells of them.

    Args:
        run: what ``train`` returned, a run's directory, its name or ``"latest"``, or an exported
            ``model`` folder.
        against: name of the data set to compare with, or the data itself, as ``train`` takes it; by
            default the run's own, with its settings.
        data: settings of that data set to change.
        split: which of its items; by default those held out, ``test`` or else the last split. Data
            without splits is taken as a whole.
        metrics: their names; by default all that fit.
        extractor: what makes features of items; by default that which the data set names, or else
            the usual one of the modality, which of images is ``pixels``.
        n: how many items to generate.
        seed: 0 to 2**31 - 1, of the items and of everything random in metrics.
        backend: backend to use; by default the run's own.
        checkpoint: the step of a checkpoint that the run has kept, or ``"best"``; by default the
            newest.
        dataset: of a run on a program's own data: the same data again. In the process that trained
            it, it is known.
        model: of a run of a program's own model: that model again, or what builds it.
        workers: how many processes generate the items together; the figures are the same.
        verbose: tell on stderr what is done, what is left out, and why.

    Returns:
        the figures, each with its card: a list that prints as a table.

    Raises:
        UsageError: a wrong setting, or a metric that was asked for and doesn't fit.
        RunError: no metric gave a figure.
        GenkitError: the model or the data can't be had.

    Example:
        >>> genkit.evaluate("runs/mine", metrics=["fid"])  # doctest: +SKIP
    """
    if n < 2 or not 0 <= seed < 2**31:  # noqa: PLR2004
        raise UsageError(f"Expected n of at least 2 and a seed of 0 to 2**31 - 1; got {n}, {seed}.")
    registry, progress = installed(), EvaluationProgress(verbose)
    path = path_of(run)
    weights = Weights.of(path, checkpoint)
    if dataset is not None:
        hand_over(Run.open(path).plan, dataset=dataset)
    loaded = load(path, backend, weights.step, model=model)
    if against is not None and not isinstance(against, str):
        accepts = loaded.record.accepts if loaded.record else ()
        against, data = MEMORY, {**(data or {}), **offer_data(against, accepts)}
    reference = open_reference(weights, registry, against, data or {}, split)
    training = open_training(weights, registry, reference, progress)
    context = open_context(
        loaded, reference, training, registry, progress, extractor=extractor, n=n, seed=seed
    )
    chosen = choose(registry, metrics, context, progress)
    for each in chosen:
        each.figures = with_card(kept(weights), each.context.card)
    missing = [each for each in chosen if not each.figures]
    if missing:
        with closing(progress), workers_for(path, loaded, workers) as several:
            Measuring(
                missing, weights, progress, n=n, stop_at_faults=metrics is not None, workers=several
            ).measure()
        if weights.step is not None:
            renew_card(path)
    else:
        progress.note("All of it was measured before: nothing is measured again.")
    figures = Figures(figure for each in chosen for figure in each.figures)
    if not figures:
        raise RunError("No metric gave a figure: each was left out or failed.", "See why above.")
    return figures
