"""The page of what was measured on Adult."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

_HEAD = """# Tables, measured

<!-- Written by `nox -s tabular-bench`: run it again, don't change this page. -->

On Adult, official split: learned from UCI's 32,561 training rows, as many rows generated, judged
against the 16,281 test rows. JAX, each training a process on one thread of a shared machine;
seconds are the processor's, and a training's have reading and compiling in them. The package
[ctgan](https://pypi.org/project/ctgan/) 0.12.1 and
[mostlyai-engine](https://pypi.org/project/mostlyai-engine/) 2.7.3 run in environments of their own;
their rows are judged by the same code. Where there are several seeds a cell is their mean, with
the least and the greatest.

<!-- not run: it needs the census table, an environment with ctgan, and hours -->
```bash
nox -s tabular-bench -- adult.parquet
```

What the figures say: [Generate tables](how-to/tables.md#is-it-good).
"""
_QUALITY = (
    "`two-sample` is the mean over four draws of 4,000 rows. Where real training rows stand in for "
    "generated ones, AUC is {auc}, macro-F1 {f1}; of independent columns they are {floor_auc} and "
    "{floor_f1}."
)
_PRIVACY = (
    "`membership` is the true-positive rate at 1 % false positives on the training rows that are "
    "hardest to hide, .01 without a leak; a planted leak, half of those rows among the generated "
    "ones, has {leak}. Rows are copied where all their codes are those of a training row; so are "
    ".56 % of the test rows."
)
_TABLES = (
    (
        "Quality",
        _QUALITY,
        (
            ("AUC, learned from them", "tstr-auc", 3),
            ("macro-F1", "tstr-f1", 3),
            ("`two-sample`", "two-sample", 3),
        ),
    ),
    (
        "Privacy",
        _PRIVACY,
        (
            ("`membership`", "membership", 3),
            ("nearer to a training row", "nearer-training", 3),
            ("rows copied, %", "copied", 2),
        ),
    ),
    (
        "Cost",
        "",
        (
            ("training, seconds", "fit_cpu_seconds", 1),
            ("rows a second", "rows_a_cpu_second", 0),
            ("most memory, MB", "memory_mb", 0),
            ("numbers kept", "weights", 0),
        ),
    ),
)


def page(rows: Sequence[dict[str, Any]]) -> str:
    """Return the page.

    Args:
        rows: a model and a seed each, as ``bench.adult`` and ``bench/peers.py`` tell of them.
    """
    by_model: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_model.setdefault(row["who"], []).append(row)
    well = {who: [r for r in of if "failed" not in r] for who, of in by_model.items()}
    well = {who: of for who, of in well.items() if of}
    told = {
        "auc": _mean(rows, "tstr-auc (ceiling)"),
        "f1": _mean(rows, "tstr-f1 (ceiling)"),
        "floor_auc": _mean(rows, "tstr-auc (floor)"),
        "floor_f1": _mean(rows, "tstr-f1 (floor)"),
        "leak": _mean(rows, "membership (planted leak)"),
    }
    parts = [_HEAD]
    for title, words, columns in _TABLES:
        parts.append(f"\n## {title}\n\n{words.format(**told)}\n".replace("\n\n\n", "\n\n"))
        head = ["", "seeds", *(name for name, _, _ in columns)]
        lines = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * len(head))} |"]
        for who, of in well.items():
            name = who if " " in who else f"`{who}`"
            cells = [_cell(of, key, digits) for _, key, digits in columns]
            lines.append(f"| {' | '.join([name, str(len(of)), *cells])} |")
        parts.append("\n" + "\n".join(lines) + "\n")
    failed = [row for row in rows if "failed" in row]
    if failed:
        parts.append("\n## What failed\n\n")
        parts += [f"- {row['who']}, seed {row['seed']}: {row['failed']}\n" for row in failed]
    return "".join(parts)


def _mean(rows: Sequence[dict[str, Any]], key: str) -> str:
    values = [row[key] for row in rows if key in row]
    return f"{statistics.mean(values):.3f}".removeprefix("0") if values else "not known"


def _cell(rows: Sequence[dict[str, Any]], key: str, digits: int) -> str:
    values = [row[key] * (100 if key == "copied" else 1) for row in rows if key in row]
    if not values:
        return "-"
    shown = [f"{v:,.{digits}f}" for v in (statistics.mean(values), min(values), max(values))]
    return shown[0] if len(set(shown)) == 1 else f"{shown[0]} ({shown[1]} to {shown[2]})"
