"""Curves of three GANs over processor time: ``python -m bench.faces --data FOLDER --model NAME``.

FOLDER holds the 2,000 pixel-art faces with their metadata.jsonl. Each call trains one model with
one seed and adds a line to the results: what the judge says of 2,000 pictures, every so many
steps, with the processor seconds of training alone.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image

import genkit
from bench.judge import Judge, attributes_of, distance, statistics, trained
from genkit.plan.precision import cpu_name

SIDE, SAMPLES = 32, 2000
FALLING = {"learning_rate_schedule": "linear", "warmup_steps": 100}
# dcgan as its default preset has it, as wide as colours want it; and the family's relativistic GAN.
MODELS: dict[str, dict[str, Any]] = {
    "stylegan2": {"model": "stylegan2", "batch_size": 16, **FALLING},
    "dcgan": {
        "model": "dcgan",
        "batch_size": 64,
        **FALLING,
        "config": {
            "width": 32,
            "discriminator_hidden": 256,
            "discriminator_batch_norm": True,
            "dropout": 0.0,
            "learning_rate": 6e-4,
            "generator_average_window": 0.1,
        },
    },
    "r3gan": {
        "model": "dcgan",
        "batch_size": 64,
        "config": {
            "width": 32,
            "loss": "relativistic",
            "r1": 0.2,
            "r2": 0.2,
            "learning_rate": 1e-3,
            "dropout": 0.0,
            "beta_1": 0.0,
            "beta_2": 0.99,
            "generator_average_images": 10_000,
        },
    },
}


class Curve(keras.callbacks.Callback):
    """Asks the judge every so many steps, and counts training's processor seconds.

    Args:
        judge: see ``bench.judge``.
        real: statistics of real pictures.
        every: steps.
        seconds: of the processor, after which training ends.
    """

    def __init__(
        self, judge: Judge, real: tuple[np.ndarray, np.ndarray], every: int, seconds: float
    ) -> None:
        super().__init__()
        self.judge, self.real, self.every, self.seconds = judge, real, every, seconds
        self.points: list[dict[str, Any]] = []
        self.steps, self.spent, self.began = 0, 0.0, 0.0

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        self.began = time.process_time()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        self.steps += 1
        spent = time.process_time() - self.began - self.spent
        if self.steps % self.every and spent < self.seconds:
            return
        begun = time.process_time()
        with self.model.averaged_weights():
            found = self.model.generate(SAMPLES, seed=1)
        point = {"steps": self.steps, "seconds": round(spent, 1)}
        self.points.append({**point, "fid": round(distance(self.judge, found, self.real), 2)})
        print(self.points[-1], flush=True)
        self.spent += time.process_time() - begun
        self.model.stop_training = spent >= self.seconds


def read(folder: Path) -> np.ndarray:
    """Return the pictures of a folder in the order of their names, ``(n, SIDE, SIDE, 3)``."""
    opened = [Image.open(file).convert("RGB") for file in sorted(folder.glob("*.png"))]
    small = [each.resize((SIDE, SIDE), Image.Resampling.LANCZOS) for each in opened]
    return np.stack([np.asarray(each) for each in small]).astype("float32") / 255


def main() -> None:
    """Train one model with one seed and add its curve to the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.faces")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--every", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, default=Path("faces.jsonl"))
    options = parser.parse_args()
    genkit.activate()
    pictures = read(options.data)
    judge, digest = trained(pictures, attributes_of(options.data))
    curve = Curve(judge, statistics(judge, pictures), options.every, options.seconds)
    recipe = dict(MODELS[options.model])
    given = dict(pair.split("=", 1) for pair in options.set)
    recipe["config"] = {**recipe.get("config", {}), **{k: json.loads(v) for k, v in given.items()}}
    result = genkit.train(
        recipe.pop("model"),
        dataset=pictures,
        steps=options.steps,
        seed=options.seed,
        callbacks=[curve],
        verbose=False,
        **recipe,
    )
    line = {
        "model": options.model,
        "seed": options.seed,
        "settings": given,
        "judge": digest[:12],
        "backend": keras.config.backend(),
        "machine": f"{os.cpu_count()} cores of {cpu_name()}",
        "run": str(result.path),
        "points": curve.points,
    }
    with options.out.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
