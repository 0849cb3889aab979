"""The same models on several backends: asked for, carried out and summed up."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.errors import UsageError
from genkit.plan.activation import choose_backend, installed_backends
from genkit.plan.plan import make_plan, parse_duration
from genkit.plugins.registry import installed
from genkit.runs.names import folder_for
from genkit.workers.crew import check_found_by_name
from genkit.workflows.comparison.cells import (
    DEFAULT_FOLDER,
    Comparison,
    comparison_name,
    default_n,
)

if TYPE_CHECKING:
    from genkit.workflows.comparison.summary import Summary


def compare(
    models: str | Sequence[str],
    *,
    backends: Sequence[str] = (),
    seeds: int = 3,
    metrics: Sequence[str] | None = (),
    n: int | None = None,
    timeout: str | float | None = None,
    workers: int = 1,
    out: str | Path | None = None,
    name: str | None = None,
    verbose: bool = True,
    **settings: Any,
) -> Summary:
    """Train models on several backends from one start, as ``genkit compare`` does.

    What is done is kept: the same call goes on after an interruption, and with more seeds or
    backends it does only what is new.

    Args:
        models: the name of a model, or several.
        backends: names; all that are installed if none is given. Parity is against the first.
        seeds: trainings of each model on each backend; fewer than 3 tell little.
        metrics: of quality, by name; empty for those that suit the data, None to measure none.
        n: items to generate for measuring quality; by default 10 a training step, at least 500
            and at most 10,000.
        timeout: time that one process may take: seconds, or ``"10m"``; no limit if not given.
        workers: how many processes work at a time. Several disturb each other's speed, so that it
            is not compared; all else comes out the same.
        out: folder to write to; ``comparisons/NAME`` if not given.
        name: the comparison's name; by default its models and data.
        verbose: tell on stderr what is done.
        **settings: of every run, as for ``train``: ``dataset``, ``data``, ``preset``, ``config``,
            ``steps``.

    Returns:
        what differs: it prints its sentences, and a notebook displays its picture.

    Raises:
        GenkitError: as the command line would report it.

    Example:
        >>> genkit.compare("vae", dataset="digits", steps=300)  # doctest: +SKIP
    """
    from genkit.workflows.comparison.running import run_comparison
    from genkit.workflows.comparison.summary import summarize

    comparison = make_comparison(
        [models] if isinstance(models, str) else models,
        settings,
        backends=backends,
        seeds=seeds,
        metrics=metrics,
        n=n,
        timeout=timeout,
        out=None if out is None else Path(out),
        name=name,
    )
    tell = partial(print, file=sys.stderr, flush=True) if verbose else lambda _: None
    if run_comparison(comparison, tell, workers):
        warnings.warn("Stopped by a signal. The same call goes on.", stacklevel=2)
    return summarize(comparison)


def make_comparison(
    models: Sequence[str],
    settings: Mapping[str, Any],
    *,
    backends: Sequence[str] = (),
    seeds: int = 3,
    metrics: Sequence[str] | None = (),
    n: int | None = None,
    timeout: str | float | None = None,
    out: Path | None = None,
    name: str | None = None,
) -> Comparison:
    """Make a comparison of what is asked for: see ``compare``.

    Raises:
        UsageError: no model, an unknown name or setting, or a backend that isn't installed.
    """
    if not models:
        raise UsageError(
            "Expected a model; received none.", "Name one: genkit compare MODEL (see genkit list)"
        )
    named = backends or installed_backends() or [choose_backend(None)]
    chosen = list(dict.fromkeys(map(choose_backend, named)))
    asked = {**settings, "backend": chosen[0]}
    made = [make_plan(installed(), {**asked, "model": model}) for model in models]
    for plan in made:
        check_found_by_name(plan)
    plans = {plan.model: plan for plan in made}
    return Comparison(
        folder_for(out, name, DEFAULT_FOLDER, comparison_name(plans)),
        plans,
        chosen,
        seeds,
        metrics=metrics,
        n=default_n(plans) if n is None else n,
        timeout=None if timeout is None else parse_duration(timeout),
    )
