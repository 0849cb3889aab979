"""Two published rows on MNIST with its label: what was reached, along the way.

A run is trained by its preset ``reference``, a stretch at a time; after each its figure is taken by
the paper's protocol, and kept. It goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from genkit_multimodal.models.translating import log_mean_exp

import genkit

_WARMUP = 0.4  # share of the epochs: 200 of 500
_SAMPLES, _SAMPLES_ON_THE_WAY = 1000, 50  # latents an item
_AT_ONCE = 500  # test items


def jmvae_image_log_likelihood(
    model: Any, items: dict[str, np.ndarray], samples: int
) -> np.ndarray:
    """Return ``log p(image)`` of each item, by latents from the posterior of image and label.

    Suzuki et al. 2016, section 4.2: the marginal log-likelihood with the multiple encoder.
    """
    found = []
    for start in range(0, len(items["image"]), _AT_ONCE):
        some = {name: array[start : start + _AT_ONCE] for name, array in items.items()}
        likelihood, ratio = model.bound_terms(some, of=["image"], samples=samples, seed=start)
        found.append(log_mean_exp(likelihood + ratio))
    return np.concatenate(found)


def mvae_three_bounds(model: Any, items: dict[str, np.ndarray]) -> np.ndarray:
    """Return for each item the sum of three negative bounds: of both fields, and of each alone.

    As the test loss of Wu and Goodman's own code, github.com/mhw32/multimodal-vae-public: weights
    of 1, and the latent at the posterior's mean.
    """
    from keras import ops

    model.likelihood_weights = dict.fromkeys(model.likelihood_weights, 1.0)

    def three_bounds(**fields: Any) -> Any:
        count = len(fields["label"])
        given = ops.ones((2, count))
        still = {
            "eps": ops.zeros((count, model.draws, model.config.latent_dim)),
            "choice": ops.zeros((count, model.draws)),
            "kl_weight": 1.0,
        }
        return model.bound(model.inputs_of(fields), given, still)[0]

    model.three_bounds = three_bounds
    found: np.ndarray = model.map_items("three_bounds", **items)
    return found


def stretches(
    name: str, epochs: int, runs: Path, *, at_once: int, items: int
) -> Iterator[dict[str, Any]]:
    """Train ``jmvae`` or ``mvae`` on, stretch by stretch; yield what each has reached.

    Args:
        name: of the model.
        epochs: how many in all: 500 in both papers. The divergence warms up over two fifths.
        runs: folder of the runs.
        at_once: epochs a stretch.
        items: how many of the 10,000 test items are measured; the first.
    """
    folder = runs / f"{name}-{epochs}-epochs"
    test = genkit.open_dataset("paired", {"sets": ["mnist", "label"]}, unseen=True)
    measured = test.gather(np.arange(items))
    batch = int(genkit.info(name)["presets"]["reference"]["batch_size"])
    per_epoch = 60_000 // batch
    done = genkit.load(folder).trained_steps if folder.is_dir() else 0
    while (left := epochs * per_epoch - done) > 0:
        stretch = min(left, at_once * per_epoch)
        began = time.process_time()
        if done:
            genkit.resume(folder, stretch, verbose=False)
        else:
            genkit.train(
                name,
                preset="reference",
                config={"kl_warmup_steps": int(_WARMUP * epochs * per_epoch)},
                steps=stretch,
                runs_dir=runs,
                name=folder.name,
                verbose=False,
            )
        seconds = time.process_time() - began
        model = genkit.load(folder)
        done = model.trained_steps
        samples = _SAMPLES if done >= epochs * per_epoch else _SAMPLES_ON_THE_WAY
        if name == "jmvae":
            each = jmvae_image_log_likelihood(model, measured, samples)
        else:
            each = mvae_three_bounds(model, measured)
        yield {
            "model": name,
            "of": epochs,
            "epochs": done // per_epoch,
            "steps": done,
            "cpu_seconds": round(seconds),
            "items": items,
            "samples": samples if name == "jmvae" else None,
            "figure": float(each.mean()),
            "error": float(each.std(ddof=1) / np.sqrt(items)),
        }
