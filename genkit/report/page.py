"""Reports: one self-contained HTML file about a run, or comparing several."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from genkit.errors import UsageError
from genkit.files import check_path, reason_of, write_text
from genkit.plugins.entry_points import own_version
from genkit.plugins.registry import Registry, using
from genkit.report import (
    comparison,
    contrasts,
    curves,
    figures,
    latents,
    neighbours,
    overview,
    pictures,
    variations,
)
from genkit.report.inputs import ReportInputs, Tell, of_files, of_model
from genkit.report.sections import Section, page
from genkit.runs.handed_over import hand_over
from genkit.runs.loading import path_of
from genkit.runs.run import Run

if TYPE_CHECKING:
    from genkit.runs.loading import HasPath

NAME = "report.html"
SECTIONS: tuple[Callable[[ReportInputs], Section | None], ...] = (
    overview.summary,
    curves.losses,
    contrasts.contrasts,
    pictures.real_and_generated,
    pictures.by_class,
    pictures.evolution,
    latents.reconstructions,
    latents.interpolations,
    variations.variations,
    neighbours.nearest_training,
    figures.metrics,
    overview.plan,
    overview.environment,
    overview.reproduce,
)


@dataclass(frozen=True)
class WrittenReport:
    """What a report was written to.

    Args:
        path: the page.
        plots: the same plots as PNG and SVG files.
    """

    path: Path
    plots: tuple[Path, ...]

    def _repr_html_(self) -> str:
        return Markup('<a href="{0}" target="_blank">{0}</a>').format(self.path)


def write_report(
    runs: HasPath | str | Path | Sequence[HasPath | str | Path],
    out: str | Path | None = None,
    *,
    backend: str | None = None,
    n: int | None = None,
    show_real: bool = False,
    dataset: Any = None,
    model: Any = None,
    tell: Tell = lambda _: None,
) -> WrittenReport:
    """Write the full report of a run, or a page that compares several.

    Args:
        runs: a run, or several that are compared: directories, or what ``train`` returned.
        out: the HTML file; ``report.html`` in the run, or ``comparison.html`` beside the first run,
            if not given. Plots stand beside it, in a folder of its name without the ending.
        backend: to generate with; each run's own, or the first's, if not given.
        n: how many items are shown at once; what suits their modality if not given.
        show_real: whether to show real items one by one of a model that can ``contrast``, too: rows
            of a table.
        dataset: of runs on a program's own data: the same data again. In the process that trained
            them, it is known.
        model: of runs of a program's own model: that model again, or what builds it.
        tell: is told what is done next, in a few words.

    Raises:
        GenkitError: not a run, a model that can't be loaded, or a bad ``out``.
    """
    if out is not None and Path(out).suffix != ".html":
        raise UsageError(f"Expected --out as a file that ends with .html; received {str(out)!r}.")
    if out is not None:
        check_path(Path(out))
    paths = [path_of(run) for run in _several(runs)]
    for path in paths if (dataset, model) != (None, None) else ():
        hand_over(Run.open(path).plan, dataset=dataset, model=model)
    if len(paths) == 1:
        out = Path(out or paths[0] / NAME)
        inputs = of_model(paths[0], backend, n, tell, show_real=show_real)
        content, labelled = _page_of(inputs), {"": inputs}
    else:
        out = Path(out or paths[0].parent / "comparison.html")
        # The real items shown are the first run's: the data of the others need not be in memory.
        every = [
            of_model(path, backend, n, tell, with_data=path == paths[0], show_real=show_real)
            for path in paths
        ]
        labelled = dict(zip(comparison.labels(paths), every, strict=True))
        content = page(
            title=" and ".join(labelled) if len(paths) < 4 else f"{len(paths)} runs",  # noqa: PLR2004
            lead=f"{len(paths)} runs compared",
            sections=comparison.sections(labelled),
            footer=_footer(),
        )
    tell("Writing")
    out.parent.mkdir(parents=True, exist_ok=True)
    plots = curves.save_losses(labelled, out.with_suffix(""))
    write_text(out, content)
    return WrittenReport(out, tuple(plots))


def _several(runs: HasPath | str | Path | Sequence[HasPath | str | Path]) -> Sequence[Any]:
    return runs if isinstance(runs, Sequence) and not isinstance(runs, str) else [runs]


def attach_report(run: Run, registry: Registry) -> None:
    """Write the report that a run's files allow, as it ends; whatever goes wrong is a warning.

    It generates nothing and reads no data: that would take as long as the model likes.
    """
    try:
        with using(registry):  # the sections look renderers up by themselves
            write_text(run.path / NAME, _page_of(of_files(run, registry)))
    except Exception as error:  # noqa: BLE001 - a page is never worth a run
        what = f"{type(error).__name__}: {reason_of(error)}"
        warnings.warn(
            f"The report of {run.path} can't be written ({what}). The run is not touched by that; "
            f"write it with: genkit report {run.path}",
            stacklevel=2,
        )


def _page_of(inputs: ReportInputs) -> str:
    plan = inputs.run.plan
    sections = [made for section in SECTIONS if (made := section(inputs)) is not None]
    return page(
        title=inputs.run.path.resolve().name,
        lead=f"{_what(inputs)} Trained on {plan.dataset} with {plan.backend}.",
        sections=sections,
        footer=_footer(),
    )


def _what(inputs: ReportInputs) -> str:
    """Return a sentence on what the model is, if its plugin is here."""
    known = {entry.spec.name: entry.spec.summary for entry in inputs.registry.entries("models")}
    summary: str = known.get(inputs.run.plan.model, inputs.run.plan.model)
    return f"{summary}."


def _footer() -> str:
    return f"Written by GenKit {own_version()}. This file needs nothing else."
