"""``genkit compare``: the same model on several backends."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genkit.cli import completion
from genkit.cli.output import JsonFlag, emit, note, say, table
from genkit.cli.recipe_flags import recipe_flags, recipe_of

if TYPE_CHECKING:
    from genkit.workflows.comparison.sentences import Evidence
    from genkit.workflows.comparison.summary import Summary

_WHAT = "What to compare"
_PLACE = "Where it goes"
_THOUSAND = 1000


@recipe_flags(
    _WHAT,
    "steps",
    "dataset",
    "data",
    "preset",
    "config",
    after="seeds",
    steps="Training steps; by default the preset's.",
    data="A setting of the data set. Repeatable.",
    preset="Preset to start from.",
    config="A setting of every model. Repeatable.",
)
def compare(  # noqa: PLR0917
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL", help="Name of the model.", autocompletion=completion.models
        ),
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Further models.",
            rich_help_panel=_WHAT,
            autocompletion=completion.several_models,
        ),
    ] = None,
    backends: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Of jax, torch, tensorflow; by default all that are installed. Parity is against "
            "the first.",
            rich_help_panel=_WHAT,
            autocompletion=completion.several_backends,
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            help="Trainings of each model on each backend. Fewer than 3 tell little.",
            rich_help_panel=_WHAT,
        ),
    ] = 3,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Metrics of quality; by default those that suit the data: genkit list metrics.",
            rich_help_panel=_WHAT,
            autocompletion=completion.metrics,
        ),
    ] = None,
    no_quality: Annotated[
        bool,
        typer.Option("--no-quality", help="Measure no quality: faster.", rich_help_panel=_WHAT),
    ] = False,
    n: Annotated[
        int | None,
        typer.Option(
            "--n",
            "-n",
            help="Items to generate for measuring quality; by default 10 a training step, at least "
            "500 and at most 10000.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    timeout: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Time one process may take: 90s, 10m, 1h30m. One that takes longer has failed.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            metavar="NUMBER",
            help="How many processes work at a time. Several disturb each other's speed, so that "
            "it is not compared; all else comes out the same.",
            rich_help_panel=_WHAT,
        ),
    ] = 1,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the comparison; by default its models and data. Short for --out "
            "comparisons/NAME.",
            rich_help_panel=_PLACE,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write to; comparisons/NAME if not given.", rich_help_panel=_PLACE
        ),
    ] = None,
    as_json: JsonFlag = False,
    **asked: Any,
) -> int:
    """Train a model on several backends from one start, and say what differs.

    The plan comes first, with a time. Every seed has one untrained checkpoint, from which each
    backend begins. Each thing is done by a process of its own, by default one at a time; what is
    done is never done again, so the same command goes on after a stop, and with more seeds or
    backends it does only what is new. A cell that fails doesn't stop the others; the exit code is
    then 1.

    Examples:
      genkit compare dcgan --backends jax,torch,tensorflow
      genkit compare vae --dataset digits --steps 300 --seeds 5
      genkit compare gan --models dcgan,wgan-gp --steps 1000 --no-quality
    """
    from genkit.workflows.compare import make_comparison
    from genkit.workflows.comparison.running import run_comparison
    from genkit.workflows.comparison.summary import summarize

    comparison = make_comparison(
        [*([model] if model else []), *_words(models, "--models")],
        recipe_of(asked),
        backends=_words(backends, "--backends"),
        seeds=seeds,
        metrics=None if no_quality else _words(metrics, "--metrics"),
        n=n,
        timeout=timeout,
        out=out,
        name=name,
    )
    if not as_json:
        count = f"{seeds} seed{'s' if seeds > 1 else ''}"
        what = f"{', '.join(comparison.plans)} on {', '.join(comparison.backends)}"
        note(f"Comparing {what}, {count}: {comparison.folder}")
    signal = run_comparison(comparison, note, workers)
    summary = summarize(comparison)
    emit(summary.to_dict(), as_json, lambda: _show(summary))
    if signal:
        note("Stopped by a signal. The same command goes on.")
        return 128 + signal
    return 0 if summary.is_whole else 1


def _words(given: str | None, flag: str) -> list[str]:
    """Read names with commas between them."""
    from genkit.errors import UsageError

    words = [] if given is None else [word.strip() for word in given.split(",")]
    if not all(words):
        raise UsageError(f"Expected {flag} a,b; received {given!r}.")
    return words


def _show(summary: Summary) -> None:
    from rich.console import Console

    backends = list(summary.comparison.backends)
    rows = [row for each in summary.evidence for row in _rows(each, backends)]
    if len(summary.evidence) == 1:  # its name stands above the verdict
        table("", ["", *backends], [row[1:] for row in rows])
    else:
        table("", ["model", "", *backends], rows)
    seeds = max((each.seeds for each in summary.evidence), default=1)
    say()
    say(
        f"Means over n = {seeds} seeds, ± or in brackets their 95 % t intervals."
        if seeds > 1
        else "n = 1; in brackets the interval of each quality itself."
    )
    say("What counts as clear: paired t tests over the seeds, corrected after Holm (--json).")
    width = Console().width
    for model, sentences in summary.verdicts.items():
        say(f"\n{model}")
        for sentence in sentences:
            say(textwrap.fill(sentence, width, initial_indent="  ", subsequent_indent="    "))
    if summary.failures:
        say()
    for failure in summary.failures:
        say(textwrap.fill(failure, width, subsequent_indent="  "))
    say()
    for path in summary.files[:1]:
        say(f"Picture:  {path}")
    say(f"Figures:  {summary.comparison.folder / 'comparison.json'}")


def _rows(evidence: Evidence, backends: list[str]) -> list[list[str]]:
    """Return a row a quantity, and one for parity."""
    from genkit.workflows.comparison.statistics import LOSS, MEMORY, QUALITY, SPEED, START

    titles = {SPEED: "steps/s", START: "s to first step", MEMORY: "peak MiB"}
    rows = []
    for quantity in dict.fromkeys(each.quantity for each in evidence.means):
        prefix = "final " if quantity.startswith(LOSS) else ""
        title = titles.get(quantity, prefix + quantity.removeprefix(LOSS).removeprefix(QUALITY))
        by_backend = {m.backend: m for m in evidence.means if m.quantity == quantity}
        values = [_value(by_backend.get(backend)) for backend in backends]
        rows.append([evidence.model, title, *values])
    parity = {each["backend"]: each for each in evidence.parities}
    if parity:
        against = {each["against"] for each in parity.values() if "against" in each}
        values = ["reference" if b in against else _parity(parity.get(b, {})) for b in backends]
        rows.append([evidence.model, "parity, 20 steps", *values])
    return rows


def _value(mean: Any) -> str:
    if mean is None:
        return "-"
    if not (math.isfinite(mean.low) and math.isfinite(mean.high)):
        return _number(mean.mean)
    half = (mean.high - mean.low) / 2
    if math.isclose(mean.mean - mean.low, half, rel_tol=1e-3, abs_tol=1e-12):
        return f"{_number(mean.mean)} ± {_number(half)}"
    return f"{_number(mean.mean)} ({_number(mean.low)} to {_number(mean.high)})"


def _parity(found: Mapping[str, Any]) -> str:
    difference = found.get("difference")
    return "-" if difference is None else f"{difference:.1e}"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < _THOUSAND else f"{value:.0f}"
