"""``genkit report``: a page about a run, or one that compares several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from genkit.cli import items as shared
from genkit.cli.output import JsonFlag, emit, say
from genkit.cli.run_argument import RunsArgument
from genkit.errors import UsageError


def report(  # noqa: PLR0917
    runs: RunsArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            help="HTML file; RUN/report.html, or comparison.html beside the first run, if not "
            "given. Plots as PNG and SVG go to a folder of its name without the ending."
        ),
    ] = None,
    n: Annotated[
        int | None,
        typer.Option(
            "--n",
            "-n",
            help="How many real items or samples at once; by default 36 pictures, or as many as "
            "suit another modality.",
        ),
    ] = None,
    show_real: Annotated[
        bool,
        typer.Option(
            "--show-real", help="Show real rows of a table, too, not only what they sum up to."
        ),
    ] = False,
    backend: shared.BackendOption = None,
    as_json: JsonFlag = False,
) -> int:
    """Write a page about a run: one HTML file that needs no network, for any browser.

    It shows the plan, the losses, samples beside real items, the training items nearest to them,
    figures that genkit evaluate measured, and the command that does the run again. Every run gets
    a shorter one as it ends, from its files alone.

    Examples:
      genkit report runs/mine
      genkit report runs/mine --n 100 --out mine.html
      genkit report runs/vae runs/dcgan
    """
    if n is not None and not 1 <= n <= 400:  # noqa: PLR2004
        raise UsageError(f"Expected --n of 1 to 400; received {n}.")
    from genkit.report.page import write_report

    with _telling() as tell:
        written = write_report(runs, out, backend=backend, n=n, show_real=show_real, tell=tell)
    result = {
        "runs": [str(run) for run in runs],
        "path": str(written.path),
        "plots": [str(plot) for plot in written.plots],
    }
    emit(result, as_json, lambda: say(str(written.path)))
    return 0


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """Print on stderr what is being done: in place in a terminal, each thing once elsewhere."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("") as status:
            yield lambda text: status.update(escape(f"{text} ..."))
        return
    shown: set[str] = set()

    def tell(text: str) -> None:
        thing = text.partition(":")[0]
        if thing not in shown:
            shown.add(thing)
            console.print(f"{thing} ...", markup=False, highlight=False)

    yield tell
