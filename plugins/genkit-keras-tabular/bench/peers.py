"""What the package ctgan makes of Adult: ``python bench/peers.py FILE ctgan --epochs 300 --out X``.

It runs in an environment of its own, ``pip install ctgan==0.12.1 pyarrow``, on one thread, and
imports nothing of GenKit. ``python -m bench.adult FILE --rows X.parquet`` judges the rows.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

_TEST = 16_281


def main() -> None:
    """Train, generate as many rows as there are to learn from, and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("model", choices=("ctgan", "tvae"))
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="a name without .parquet")
    asked = parser.parse_args()

    import ctgan
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
    model = (ctgan.CTGAN if asked.model == "ctgan" else ctgan.TVAE)(epochs=asked.epochs)
    began = time.process_time()
    model.fit(frame, names)
    fitted = time.process_time()
    made = model.sample(len(frame))
    generated = time.process_time()
    made.to_parquet(asked.out.with_suffix(".parquet"))
    figures = {
        "model": f"ctgan {ctgan.__version__}, {asked.model}, {asked.epochs} epochs",
        "seed": asked.seed,
        "fit_cpu_seconds": round(fitted - began, 1),
        "rows_a_cpu_second": round(len(frame) / (generated - fitted)),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    asked.out.with_suffix(".json").write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
