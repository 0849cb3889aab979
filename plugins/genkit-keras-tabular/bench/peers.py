"""What other libraries make of Adult: ``python bench/peers.py FILE ctgan --epochs 300 --out X``.

Each runs in an environment of its own, ``pip install ctgan==0.12.1 pyarrow`` or ``pip install
mostlyai-engine==2.7.3 pyarrow``, on one thread, and imports nothing of GenKit. ``python -m
bench.adult FILE --rows X.parquet`` judges the rows.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

_TEST = 16_281


def by_ctgan(asked: argparse.Namespace, frame: Any, names: list[str]) -> tuple[Any, float, float]:
    """Return rows of ctgan's CTGAN or TVAE, and the CPU seconds of training and of generation."""
    import ctgan

    model = (ctgan.CTGAN if asked.model == "ctgan" else ctgan.TVAE)(epochs=asked.epochs)
    began = time.process_time()
    model.fit(frame, names)
    fitted = time.process_time()
    return model.sample(len(frame)), fitted - began, time.process_time() - fitted


def by_mostlyai(asked: argparse.Namespace, frame: Any, _: list[str]) -> tuple[Any, float, float]:
    """Return rows of mostlyai's engine, and the same CPU seconds."""
    import pandas as pd
    from mostlyai import engine

    engine.set_random_state(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        place = {"workspace_dir": folder}
        began = time.process_time()
        engine.split(tgt_data=frame, model_type="TABULAR", **place)
        engine.analyze(**place)
        engine.encode(**place)
        engine.train(device="cpu", max_epochs=asked.epochs, **place)
        fitted = time.process_time()
        engine.generate(sample_size=len(frame), device="cpu", **place)
        made = pd.read_parquet(Path(folder, "SyntheticData"))
        return made[list(frame)], fitted - began, time.process_time() - fitted


def main() -> None:
    """Train, generate as many rows as there are to learn from, and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("model", choices=("ctgan", "tvae", "mostlyai"))
    parser.add_argument("--epochs", type=int, default=300, help="at most, of mostlyai")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="a name without .parquet")
    asked = parser.parse_args()

    import numpy as np
    import pandas as pd
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(asked.seed)
    np.random.seed(asked.seed)  # noqa: NPY002
    frame = pd.read_parquet(asked.file).iloc[_TEST:].reset_index(drop=True)
    names = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    for name in names:
        frame[name] = frame[name].astype(object).where(frame[name].notna(), "?").astype(str)
    other = asked.model == "mostlyai"
    made, fitted, generated = (by_mostlyai if other else by_ctgan)(asked, frame, names)
    made.to_parquet(asked.out.with_suffix(".parquet"))
    package = "mostlyai-engine" if other else "ctgan"
    figures = {
        "model": f"{package} {version(package)}, {asked.model}, {asked.epochs} epochs",
        "seed": asked.seed,
        "fit_cpu_seconds": round(fitted, 1),
        "rows_a_cpu_second": round(len(frame) / generated),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    asked.out.with_suffix(".json").write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
