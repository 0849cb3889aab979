"""The likelihood of a VAE on binarised MNIST as it trains, with a curve.

python -m tests.experiments.binarised_nll --epochs 40

Each pixel is drawn once, black or white with its gray value as probability (Salakhutdinov and
Murray 2008). At every fifth epoch: the bound on ``-log p(x)`` of test images from 200 importance
samples, in nats. Called again with more epochs it goes on. What was measured stays in the folder.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

import genkit
from genkit.evaluation import importance_nll, mean_interval
from genkit.report import plots

EVERY, SAMPLES, BATCH = 5, 200, 100
PICTURE = Path("docs/images/binarised-nll")
PUBLISHED = 89.78  # Chadebec et al. 2022, "Pythae", 500 epochs, 200 importance samples


def main() -> None:
    """Train, measure what isn't measured yet, print one JSON object a line, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--images", type=int, default=10_000, help="of the test images")
    parser.add_argument("--folder", type=Path, default=Path("zoo"))
    parser.add_argument("--backend", default="tensorflow")
    options = parser.parse_args()
    genkit.activate(options.backend)
    options.folder.mkdir(parents=True, exist_ok=True)
    data = options.folder / "binarised-mnist.npz"
    train, test = _binarised("train"), _binarised("test")
    # Spread over all: the first half of MNIST's test images are the easier ones.
    test = test[np.linspace(0, len(test) - 1, options.images).astype(int)]
    if not data.exists():
        np.savez_compressed(data, image=train)
    run = options.folder / "binarised-vae"
    per_epoch = len(train) // BATCH
    _train(run, data, options.epochs * per_epoch, per_epoch, options.backend)
    rows = _measure(run, test, per_epoch)
    _draw(rows)


def _binarised(split: str) -> np.ndarray:
    from genkit.builtin.datasets.mnist import MnistConfig, open_mnist

    source = open_mnist(MnistConfig(split=split))
    gray = source.gather(np.arange(len(source)))["image"]
    drawn = np.random.default_rng(0).uniform(0, 255, gray.shape) < gray
    return drawn.astype("uint8") * np.uint8(255)


def _train(run: Path, data: Path, steps: int, per_epoch: int, backend: str) -> None:
    from genkit.runs.run import Run
    from genkit.workflows.resume import resume

    if run.exists():
        done = Run.open(run).status()["step"]
        if steps > done:
            resume(run, steps - done)
        return
    genkit.train(
        "vae",
        dataset="npz",
        data={"path": str(data)},
        config={"latent_dim": 32, "hidden": 256},
        batch_size=BATCH,
        steps=steps,
        backend=backend,
        runs_dir=run.parent,
        name=run.name,
        checkpoint_every=EVERY * per_epoch,
        sample_every=EVERY * per_epoch,
        keep=1000,
    )


def _measure(run: Path, test: np.ndarray, per_epoch: int) -> list[dict[str, Any]]:
    from genkit.runs import checkpoints
    from genkit.runs.run import Run

    kept = run / "nll.json"
    rows: list[dict[str, Any]] = json.loads(kept.read_text()) if kept.exists() else []
    known = {(row["step"], row["images"]) for row in rows}
    for step in sorted(checkpoints.steps(Run.open(run).checkpoints)):
        if step and (step, len(test)) not in known:
            nll = importance_nll(genkit.load(run, checkpoint=step), test, SAMPLES)
            value, low, high = (round(each, 2) for each in mean_interval(nll))
            rows.append(
                {
                    "step": step,
                    "epoch": step / per_epoch,
                    "images": len(test),
                    "nll": value,
                    "low": low,
                    "high": high,
                }
            )
            kept.write_text(json.dumps(rows, indent=1))
            print(json.dumps(rows[-1]), flush=True)
    return rows


def _draw(rows: list[dict[str, Any]]) -> None:
    figure, (axes,) = plots.figure()
    rows = sorted(rows, key=lambda row: row["step"])
    plots.curve(axes, [r["epoch"] for r in rows], [r["nll"] for r in rows], "vae, latent_dim 32")
    axes.axhline(PUBLISHED, linestyle="--", linewidth=1, label="Pythae's VAE, 500 epochs: 89.78")
    axes.set_xlabel("epochs")
    axes.set_ylabel("test NLL, k = 200, nats an image")
    axes.legend()
    plots.save_plot(figure, PICTURE)


if __name__ == "__main__":
    main()
