"""``genkit check``: does a plugin keep what it promises?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genkit.cli import completion
from genkit.cli.output import JsonFlag, emit, note, say, table

if TYPE_CHECKING:
    from genkit.testing import Check, Outcome

_SIGNS = {"passed": "✓", "failed": "✗", "skipped": "-", "expected failure": "~"}


def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A plugin, by entry point or distribution; or a model, data set, trainer, metric "
            "or callback.",
            autocompletion=completion.everything,
        ),
    ],
    backend: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|all",
            help="jax, torch or tensorflow, or all that are installed; by default KERAS_BACKEND or "
            "the first installed.",
            autocompletion=completion.backends,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Check that a plugin, or one thing it brings, does what GenKit expects of it.

    Models are trained for some steps on toy data with the settings `tiny` of their records. What
    a record doesn't declare is skipped; failures that it expects are shown with their reasons.
    The exit code is 1 if a check fails.

    Examples:
      genkit check vae
      genkit check digits --backend torch
      genkit check genkit-keras --backend all
    """
    from genkit.plan import activation as backends
    from genkit.testing import checks_for

    found = checks_for(name)
    if backend == "all":
        here = backends.activate()
        where = [here, *(b for b in backends.installed_backends() if b != here)]
    else:
        here = backends.activate(backend)
        where = [here]
    outcomes = list(_run(found, here, where))
    counts = Counter(outcome.outcome for outcome in outcomes)
    result = {"plugin": name, "checks": [outcome.to_dict() for outcome in outcomes]}
    emit(result, as_json, lambda: _show(outcomes, counts))
    return 1 if counts["failed"] else 0


def _run(found: list[Check], here: str, where: list[str]) -> Iterator[Outcome]:
    """Make every check on every backend, with progress on stderr."""
    from rich.console import Console
    from rich.markup import escape

    from genkit.testing.elsewhere import run_on

    console = Console(stderr=True)
    with console.status("Checking") as status:
        for number, check in enumerate(found, 1):
            for name in where[:1] if check.definition.spans_backends else where:
                about = f"{number}/{len(found)} {check.shown_subject}: {check.name} on {name}"
                status.update(escape(about))
                outcome = check.run() if name == here else run_on(name, check)
                if outcome.outcome == "failed":
                    note(f"failed: {check.shown_subject}, {check.name}, {name}")
                yield outcome


def _show(outcomes: list[Outcome], counts: Counter[str]) -> None:
    by_subject: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_subject.setdefault(outcome.subject, []).append(outcome)
    for subject, its in by_subject.items():
        table(f"\n[bold]{subject}[/]", ["", "check", "backend", "seconds", ""], _rows(its))
    say("\n" + ", ".join(f"{count} {_told(kind, count)}" for kind, count in counts.items()))


def _told(kind: str, count: int) -> str:
    return f"{kind}s" if kind == "expected failure" and count > 1 else kind


def _rows(outcomes: list[Outcome]) -> list[list[Any]]:
    return [[_SIGNS[o.outcome], o.name, o.backend, f"{o.seconds:.1f}", o.reason] for o in outcomes]
