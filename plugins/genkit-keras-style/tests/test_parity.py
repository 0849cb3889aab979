"""Five steps that hold every penalty: the losses that other backends computed from the same start.

``python tests/test_parity.py`` puts the losses of this backend into ``parity.json``.
"""

import json
from pathlib import Path

import keras
import numpy as np
from small import model, pictures

import genkit

KEPT = Path(__file__).with_name("parity.json")
LIMIT = 1e-5  # of a loss, or of its size where that is above 1


def losses():
    """Return each logged number of five steps, with R1 at three of them and path lengths at two."""
    source = pictures(64, side=16)
    found = model(
        source, noise_inputs=True, mixing=0.9, r1=5.0, r1_interval=2, path_length=2.0,
        path_length_interval=2, latent_dim=16, base=128, most=16,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    for weight in found.trainable_variables:
        if len(weight.shape) > 1:  # biases and strengths of noise begin alike everywhere
            weight.assign(rng.normal(size=weight.shape).astype("float32"))
    seen = []

    class Kept(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append({name: float(value) for name, value in logs.items()})

    found.fit(source, steps=5, batch_size=16, verbose=False, callbacks=[Kept()])
    return seen


def test_losses_are_those_of_other_backends():
    seen = losses()
    for backend, rows in json.loads(KEPT.read_text()).items():
        for step, (row, kept) in enumerate(zip(seen, rows, strict=True)):
            assert row.keys() == kept.keys()
            for name, value in kept.items():
                gap = abs(row[name] - value) / max(1.0, abs(value))
                assert gap <= LIMIT, f"{name} of step {step + 1}, {backend}: {row[name]}, {value}"


if __name__ == "__main__":
    kept = json.loads(KEPT.read_text()) | {genkit.activate(): losses()}
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")
