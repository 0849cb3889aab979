"""Plain steps beside the authors' network: ``python -m bench.speed --reference FOLDER``.

FOLDER is a clone of github.com/NVlabs/stylegan2-ada-pytorch, whose licence allows to measure it.
Each is a process on one core that does a few steps when its turn comes: the generator's and the
discriminator's update without penalties and augmentation, on random pictures. What is told is
pictures a processor second, the median of the rounds, and the ratio to the reference's of the same
round. Take a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

SIZES = {
    32: {"base": 1024, "most": 64, "latent_dim": 64, "batch": 16},
    64: {"base": 4096, "most": 128, "latent_dim": 128, "batch": 8},
}
WHO = ("reference", "tensorflow", "torch", "jax")
_STEPS = 4  # a round


def ours(side: int) -> Callable[[], None]:
    """Return what does a round of GenKit's steps."""
    import genkit

    genkit.activate()
    import keras
    from genkit_style.configs import StyleGAN2Config
    from genkit_style.stylegan2 import StyleGAN2

    from genkit.data import as_source
    from genkit.models.training.stepping import CompiledStep

    keras.utils.set_random_seed(0)
    size = dict(SIZES[side])
    batch = size.pop("batch")
    source = as_source(_pictures(batch, side))
    model = StyleGAN2(StyleGAN2Config(**size, r1=0.0, noise_inputs=True), source.schema)
    trainer = genkit.Trainer()
    trainer.open_engine(model)
    step = CompiledStep(trainer, model, 0)
    rng = np.random.default_rng(0)
    rows = source.gather(np.arange(batch))

    def steps() -> None:
        for number in range(_STEPS):
            told = step(number, {**rows, **model.training_noise(rng, batch)}, total=10**6)
            trainer.engine.fetch(told)

    return steps


def reference(side: int, folder: str) -> Callable[[], None]:
    """Return what does a round of the same by the authors' network, on PyTorch."""
    sys.path.insert(0, folder)
    import torch
    from torch.nn.functional import softplus
    from training.networks import Discriminator, Generator

    torch.set_num_threads(1)
    size = SIZES[side]
    wide = {"channel_base": size["base"], "channel_max": size["most"]}
    w, batch = size["latent_dim"], size["batch"]
    generator = Generator(
        w, 0, w, side, 3, mapping_kwargs={"num_layers": 2}, synthesis_kwargs=wide
    ).train()
    discriminator = Discriminator(0, side, 3, **wide).train()
    adam = {"lr": 2.5e-3, "betas": (0.0, 0.99), "eps": 1e-8}
    for_generator = torch.optim.Adam(generator.parameters(), **adam)
    for_discriminator = torch.optim.Adam(discriminator.parameters(), **adam)
    real = torch.tensor(_pictures(batch, side)).permute(0, 3, 1, 2) * 2 - 1

    def drawn() -> Any:
        return generator(torch.randn(batch, w), None)

    def steps() -> None:
        for _ in range(_STEPS):
            discriminator.requires_grad_(False)
            for_generator.zero_grad(set_to_none=True)
            softplus(-discriminator(drawn(), None)).mean().backward()
            for_generator.step()
            discriminator.requires_grad_(True)
            for_discriminator.zero_grad(set_to_none=True)
            with torch.no_grad():
                fake = drawn()
            softplus(discriminator(fake, None)).mean().backward()
            softplus(-discriminator(real, None)).mean().backward()
            for_discriminator.step()

    return steps


def _pictures(batch: int, side: int) -> np.ndarray:
    return np.random.default_rng(1).random((batch, side, side, 3), dtype="float32")


def child(who: str, side: int, folder: str) -> None:
    """Do a round each time a line comes, and print its processor seconds."""
    steps = reference(side, folder) if who == "reference" else ours(side)
    steps()
    print("ready", flush=True)
    while sys.stdin.readline():
        began = time.process_time()
        steps()
        print(time.process_time() - began, flush=True)


def measure(side: int, folder: str, rounds: int) -> dict[str, Any]:
    """Return pictures a processor second of each, and the ratios to the reference's."""
    batch, found = SIZES[side]["batch"], {who: [] for who in WHO}
    with ExitStack() as stack:
        running = {who: stack.enter_context(_started(who, side, folder)) for who in WHO}
        for process in running.values():
            process.stdout.readline()
        for _ in range(rounds):
            for who, process in running.items():
                process.stdin.write("go\n")
                process.stdin.flush()
                found[who].append(_STEPS * batch / float(process.stdout.readline()))
        for process in running.values():
            process.kill()
    told: dict[str, Any] = {"side": side, "rounds": rounds}
    for who, rates in found.items():
        ratios = [a / b for a, b in zip(rates, found["reference"], strict=True)]
        told[who] = {
            "rate": round(statistics.median(rates), 1),
            "ratio": round(statistics.median(ratios), 2),
            "least": round(min(ratios), 2),
            "most": round(max(ratios), 2),
        }
    return told


def _started(who: str, side: int, folder: str) -> subprocess.Popen[str]:
    one = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    backend = {} if who == "reference" else {"KERAS_BACKEND": who}
    return subprocess.Popen(
        ["taskset", "-c", "0", sys.executable, "-m", "bench.speed", "--child", who,
         "--side", str(side), "--reference", folder],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, **one, **backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip


def main() -> None:
    """Measure one size, or do as a child is told."""
    parser = argparse.ArgumentParser(prog="python -m bench.speed")
    parser.add_argument("--reference", required=True, metavar="FOLDER")
    parser.add_argument("--side", type=int, choices=SIZES, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--child", choices=WHO)
    options = parser.parse_args()
    folder = str(Path(options.reference).resolve())
    if options.child:
        child(options.child, options.side, folder)
    else:
        print(json.dumps(measure(options.side, folder, options.rounds)))


if __name__ == "__main__":
    main()
