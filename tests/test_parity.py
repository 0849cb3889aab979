"""One shared step-0 checkpoint, the same noise, no layer randomness: the same losses.

Prints the largest difference: pytest -s tests/test_parity.py
"""

import json

import pytest

from genkit.plan.activation import BACKENDS

pytestmark = pytest.mark.slow

HALF_WIDTH = {
    "dcgan": ["--set", "width=32", "--set", "dropout=0"],
    "vae": ["--set", "width=16"],
}


@pytest.mark.cross_backend
@pytest.mark.parametrize("model", HALF_WIDTH)
def test_twenty_steps_have_the_same_losses_on_every_backend(genkit_command, tmp_path, model):
    common = [
        "run",
        model,
        "--preset",
        "reference",
        "--dataset",
        "mnist",
        "--batch-size",
        64,
        *HALF_WIDTH[model],
    ]
    genkit_command(*common, "--backend", "torch", "--steps", 0, "--name", "start")
    losses = {}
    for name in BACKENDS:
        genkit_command(
            *common, "--backend", name, "--steps", 20, "--name", name, "--init", "runs/start",
            "--sample-every", 1000,
        )  # fmt: skip
        lines = (tmp_path / "runs" / name / "metrics.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        losses[name] = [
            {k: v for k, v in row.items() if k not in ("step", "epoch", "seconds")} for row in rows
        ]
    worst = 0.0
    for step in range(20):
        for key in losses["jax"][step]:
            values = [losses[name][step][key] for name in BACKENDS]
            scale = max(1.0, *(abs(v) for v in values))  # the VAE's loss is some hundred nats
            worst = max(worst, (max(values) - min(values)) / scale)
    print(f"\n{model}: largest loss difference over 20 steps {worst:.1e}")
    assert worst <= 1e-4
