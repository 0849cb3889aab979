"""What the recipes share: where real data is found, tables of JSON lines, and one way to be run."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import genkit


def real(name: str) -> Path | None:
    """Return where a real data set is, below ``GENKIT_DATA``; None where it isn't."""
    folder = os.environ.get("GENKIT_DATA")
    path = Path(folder, name) if folder else None
    return path if path is not None and path.exists() else None


def write_rows(file: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write a table as JSON lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    file.write_text("".join(lines), encoding="utf-8")
    return file


def held_out(folder: Path, n: int) -> tuple[list[str], list[str]]:
    """Return prompts that a model of prompts never learned from, and their true answers.

    Args:
        folder: as for ``trained``.
        n: how many at most.
    """
    source: Any = genkit.open_data(folder / "run", unseen=True)
    decode, numbers = source.tokens.tokenizer.decode, source.tokens.numbers
    prompts, answers = [], []
    for start, (prompt, answer) in zip(source.starts[:n], source.lengths[:n], strict=True):
        prompts.append(decode(numbers[start : start + prompt]).removesuffix("\n"))
        answers.append(decode(numbers[start + prompt : start + prompt + answer]))
    return prompts, answers


def arguments(about: str, steps: int) -> argparse.Namespace:
    """Read the command line: a folder to work in, how long to train, and which data."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="Data, the run and what comes out go here.")
    parser.add_argument("--steps", type=int, default=steps, help=f"Of training; {steps} if left.")
    return parser.parse_args()


def trained(
    folder: Path,
    dataset: str,
    data: Mapping[str, Any],
    config: Mapping[str, Any],
    steps: int,
    batch_size: int = 12,
) -> tuple[Any, float]:
    """Train ``gpt``, and return the model and its last loss on what is held out.

    Args:
        folder: the run goes into it.
        dataset: ``text`` or ``prompts``.
        data: settings of the data set.
        config: settings of the model.
        steps: of training.
        batch_size: texts of a step.
    """
    result = genkit.train(
        "gpt",
        dataset=dataset,
        data=dict(data),
        config=dict(config),
        steps=steps,
        batch_size=batch_size,
        validate_every=steps,
        sample_every=steps,
        name="run",
        runs_dir=folder,
        verbose=False,
    )
    return genkit.load(result.path), float(result.history["validation_loss"][-1])
