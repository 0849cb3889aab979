"""The page of results, ``docs/benchmarks.md``: written by the command, never by hand."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from genkit.plan.precision import cpu_flags

_WIDEST = 0.10
_DISTRIBUTIONS = ("keras", "jax", "torch", "tensorflow", "numpy")
_TELLING = {"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16"}
_AGAINST = {
    "native": "the best hand-written step",
    "stock": "hand-written JAX with stock convolutions",
    "backends": "GenKit on the fastest other backend",
    "float32": "GenKit in float32",
}


# The first entry that fits a row, as (against, case, backend, precision), tells its target;
# None fits all.
_TARGETS = (
    (("stock", "dcgan", "jax", "float32"), 0.15),
    (("stock", "vae", "jax", "float32"), 0.15),
    (("backends", "dcgan", "jax", "float32"), 1.2),
    (("backends", "vae", "jax", "float32"), 1.2),
    (("float32", "dcgan", "torch", "bfloat16"), 0.65),
    (("float32", "dcgan", "tensorflow", "bfloat16"), 0.65),
    (("native", "generation", None, None), 1.0),
    (("native", "wgan-gp", None, "float32"), 1.05),
    (("native", "mlp-gan", "torch", "float32"), 1.2),
    (("native", "mlp-gan", None, "float32"), 1.1),
    (("native", "dcgan", "torch", "float32"), 1.0),
    (("native", "dcgan", "tensorflow", "float32"), 1.0),
    (("native", "vae", "torch", "float32"), 1.0),
    (("native", "vae", "tensorflow", "float32"), 1.0),
    (("native", "dcgan", "torch", "bfloat16"), 1.05),
    (("native", "dcgan", "tensorflow", "bfloat16"), 1.05),
)


def target(row: dict[str, Any]) -> float | None:
    """Return the ratio that a row must not exceed, or None where none is set."""
    kind = [row[name] for name in ("against", "case", "backend", "precision")]
    for pattern, limit in _TARGETS:
        if all(asked in (None, found) for asked, found in zip(pattern, kind, strict=True)):
            return limit
    return None


def verdict(row: dict[str, Any]) -> str:
    """Return whether the ratio is below its target: surely, narrowly, or not."""
    limit = target(row)
    if limit is None:
        return "-"
    if row["ratio_low"] > limit:
        said = "missed"
    elif row["ratio_high"] <= limit:
        said = "met"
    else:
        narrow = row["ratio_high"] - row["ratio_low"] <= _WIDEST * row["ratio"]
        said = "met" if narrow else "too noisy to say"
    return f"{said} (<= {limit:g})"


def line(row: dict[str, Any]) -> str:
    """Return a row as one line for the terminal."""
    if "what" in row:
        return f"{row['what']}, {row['backend']}: {row['value']} {row['unit']}"
    return (
        f"{row['case']} {row['backend']} {row['precision']} against {row['native_variant']}: "
        f"{row['genkit_ms']:.4g} / {row['native_ms']:.4g} ms = {row['ratio']:.3f} "
        f"[{row['ratio_low']:.3f}, {row['ratio_high']:.3f}] {verdict(row)}"
    )


def merge(kept: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Replace rows that were measured again; new ones come last."""
    rows = {_identity(row): row for row in (*kept, *new)}
    return list(rows.values())


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    names = ("what", "backend") if "what" in row else ("against", "case", "backend", "precision")
    return tuple(row[name] for name in names)


def render(rows: Sequence[dict[str, Any]]) -> str:
    """Return the whole page as markdown."""
    machines = {name: f"M{n}" for n, name in enumerate(sorted({r["machine"] for r in rows}), 1)}
    rows = [{**row, "on": f"{machines[row['machine']]}, {row['date']}"} for row in rows]
    listed = "\n".join(f"- {short}: {name}" for name, short in machines.items())
    sections = [_HEAD.format(machines=listed)]
    for against, title in _AGAINST.items():
        chosen = [row for row in rows if row.get("against") == against]
        if chosen:
            sections.append(f"## Against {title}\n\n{_ratios(chosen)}\n{_starts(chosen)}")
    if more := [row for row in rows if "what" in row]:
        sections.append("## Other figures\n\n" + _other_table(more))
    return "\n".join(sections)


def _ratios(rows: Sequence[dict[str, Any]]) -> str:
    head = ("case", "backend", "GenKit, ms", "other, ms", "other is", "ratio, 95 %", "target")
    body = [
        (
            *_short(row),
            f"{row['genkit_ms']:.4g}",
            f"{row['native_ms']:.4g}",
            row["native_variant"],
            f"{row['ratio']:.3f} [{row['ratio_low']:.3f}, {row['ratio_high']:.3f}]",
            verdict(row),
        )
        for row in rows
    ]
    return _markdown(head, body)


def _starts(rows: Sequence[dict[str, Any]]) -> str:
    head = ("case", "backend", "memory, MiB", "first step, s", "measured")
    body = [
        (
            *_short(row),
            f"{row['genkit_peak_mb']} / {row['native_peak_mb']}",
            f"{row['genkit_first_step_s']} / {row['native_first_step_s']}",
            row["on"],
        )
        for row in rows
    ]
    return _markdown(head, body)


def _short(row: dict[str, Any]) -> tuple[str, str]:
    precision = "" if row["precision"] == "float32" else f", {row['precision']}"
    return row["case"], f"{row['backend']}{precision}"


def _other_table(rows: Sequence[dict[str, Any]]) -> str:
    body = [
        (r["what"], r["backend"], f"{r['value']:.3g} {r['unit']}".strip(), r["on"]) for r in rows
    ]
    return _markdown(("what", "backend", "value", "measured"), body)


def _markdown(head: Sequence[str], body: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in lines) + "\n"


def machine() -> str:
    """Describe the processor, what it can do that matters here, and the versions."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        text = ""
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    cpu = name[1] if name else platform.processor()
    able = ", ".join(sorted(_TELLING & cpu_flags())) or "no vector extension known"
    versions = ", ".join(f"{name} {v}" for name in _DISTRIBUTIONS if (v := _version(name)))
    return f"{os.cpu_count()} cores of {cpu} ({able}), {platform.system()}; {versions}"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


_HEAD = """# Benchmarks

GenKit against a training step written by hand for one framework alone: the same network, batch,
optimizer and noise, as that framework's practitioners would write it. The code of both sides is in
`tests/benchmarks/`; a test proves that both compute the same losses. Of several hand-written
variants (eager or compiled, memory layouts) the fastest counts.

GenKit's side is its whole training loop with loader and log. The two sides are processes of their
own that work in turn in one run; the ratio is the median of the pairs' ratios, with its 95 %
bootstrap interval. A target is met when it lies inside or above that interval. The machine was
shared: read the ratios, not the milliseconds. Memory and the time to the first step, from the
start of the process, are given as GenKit / other; the other process loads GenKit too, to start from
the same weights, so its two figures are upper bounds. For `generation` a step is one image. What
names no precision is float32.

This page and `benchmarks.json` are written by `nox -s bench`, or
`python -m tests.benchmarks --write` for some of the rows. The second table of each section says
where and when its rows were measured:

{machines}
"""
