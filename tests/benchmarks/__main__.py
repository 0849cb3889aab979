"""Measure GenKit against hand-written steps.

python -m tests.benchmarks --case dcgan,vae --backend jax,torch,tensorflow --pairs 9 --json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks import others, page
from tests.benchmarks.compare import compare
from tests.benchmarks.contender import GENKIT, Contender
from tests.benchmarks.native.start import variants

BACKENDS = ("jax", "torch", "tensorflow")
PRECISIONS = ("float32", "bfloat16")
AGAINST = ("native", "stock", "backends", "float32")
PAGE = Path("docs/benchmarks.md")
ROWS = Path("docs/benchmarks.json")


def main() -> None:
    """Parse, measure, print; keep the rows and write the page if asked to."""
    options = _options()
    rows = []
    for row in others.measure(options.backend) if options.others else _comparisons(options):
        rows.append({**row, "date": time.strftime("%Y-%m-%d"), "machine": page.machine()})
        print(page.line(row), file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps(rows, indent=2))
    if options.write:
        kept = json.loads(ROWS.read_text(encoding="utf-8")) if ROWS.exists() else []
        rows = page.merge(kept, rows)
        ROWS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page.render(rows), encoding="utf-8")


def _options() -> argparse.Namespace:
    from tests.benchmarks.cases import CASES

    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)

    def chosen(name: str, known: tuple[str, ...], default: tuple[str, ...], text: str) -> None:
        parser.add_argument(
            f"--{name}",
            type=lambda given: _names(given, known, parser),
            default=default,
            help=f"{text}: {', '.join(known)}; separated by commas.",
        )

    chosen("case", tuple(CASES), tuple(CASES), "what to run")
    chosen("backend", BACKENDS, BACKENDS, "where")
    chosen("precision", PRECISIONS, ("float32",), "what to compute in")
    chosen(
        "against",
        AGAINST,
        ("native",),
        "whom to compare with: the best hand-written step, JAX's stock convolutions, GenKit on "
        "the other backends, GenKit in float32",
    )
    parser.add_argument("--pairs", type=int, default=9, help="measurements of each; 9")
    parser.add_argument(
        "--others", action="store_true", help="measure loader, memory and starting times instead"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list of rows")
    parser.add_argument(
        "--write", action="store_true", help=f"renew these rows in {ROWS} and {PAGE}"
    )
    options = parser.parse_args()
    if options.pairs < 1:
        parser.error("expected --pairs of 1 or more")
    return options


def _names(given: str, known: tuple[str, ...], parser: argparse.ArgumentParser) -> tuple[str, ...]:
    names = tuple(given.split(","))
    if unknown := set(names) - set(known):
        parser.error(f"expected some of {', '.join(known)}; received {', '.join(sorted(unknown))}")
    return names


def _comparisons(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Return the rows asked for, one by one as they are measured."""
    for case in options.case:
        for precision in options.precision:
            for backend in options.backend:
                ours = Contender(case, GENKIT, backend, precision)
                for against in options.against:
                    if them := _others(ours, against, options.backend):
                        yield {"against": against, **compare(ours, them, options.pairs)}


def _others(ours: Contender, against: str, backends: tuple[str, ...]) -> list[Contender]:
    case, precision = ours.case, ours.precision
    if against == "native":
        known = variants(ours.backend, case)
        return [Contender(case, variant, ours.backend, precision) for variant in known]
    if against == "stock":
        return [Contender(case, "jit", "jax", precision)] if ours.backend == "jax" else []
    if against == "backends":
        rivals = [b for b in backends if b != ours.backend]
        return [Contender(case, GENKIT, rival, precision) for rival in rivals]
    if precision == "float32":
        return []
    return [Contender(case, GENKIT, ours.backend, "float32")]


if __name__ == "__main__":
    main()
