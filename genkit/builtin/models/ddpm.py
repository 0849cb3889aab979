"""Denoising diffusion (Ho et al. 2020), sampled in few steps (Song et al. 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from genkit.builtin.models.denoiser import INSIDE, Denoiser

if TYPE_CHECKING:
    from collections.abc import Callable

    from genkit.builtin.models.flow_configs import DDPMConfig
    from genkit.plugins.specs import Schema


class DDPM(Denoiser):
    """A network that tells the noise in an image, at each of a thousand amounts of noise.

    Ho et al. 2020, "Denoising Diffusion Probabilistic Models", equation 14: the network sees
    ``x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) e`` and should answer ``e``; ``a_t`` falls from 1 to 0
    over the steps ``t``. Where little of the image is left, a small error in ``e`` is a large one
    in ``x_0``; with the setting ``answer`` the network tells the velocity
    ``sqrt(a_t) e - sqrt(1 - a_t) x_0`` instead, of which both follow without a division (Salimans
    and Ho 2022, "Progressive Distillation", section 4).

    Images are made by Song et al. 2021, "Denoising Diffusion Implicit Models", equation 12 with
    sigma = 0: from the answer follows an image ``x_0``, which is noised again, with the same
    ``e``, for the next of a few amounts.

    Args:
        config: see ``genkit info ddpm``.
        schema: data with an image field whose height and width are multiples of ``2 * patch``,
            and, if ``conditional``, labels.
    """

    config: DDPMConfig

    def __init__(self, config: DDPMConfig, schema: Schema) -> None:
        super().__init__(config, schema)
        self.signal = signal_shares(config.noise_steps, config.noise_schedule)

    def noised(self, image: Any, noise: Any, time: Any) -> tuple[Any, Any]:
        number = ops.cast(ops.floor(time * self.config.noise_steps), "int32")
        signal = ops.take(ops.convert_to_tensor(self.signal), number)
        seen = ops.sqrt(signal) * image + ops.sqrt(1.0 - signal) * noise
        if self.config.answer == "velocity":
            return seen, ops.sqrt(signal) * noise - ops.sqrt(1.0 - signal) * image
        return seen, noise

    def sampling_step(
        self, x: Any, step: Any, steps: int, answer: Callable[[Any, Any], Any]
    ) -> Any:
        # Evenly spaced amounts of noise, from the largest to the first, and then none.
        chosen = np.linspace(self.config.noise_steps - 1, 0, steps).round().astype(int)
        times = ((chosen + 0.5) / self.config.noise_steps).astype(np.float32)
        shares = ops.convert_to_tensor(np.append(self.signal[chosen], np.float32(1.0)))
        now, next_ = ops.take(shares, step), ops.take(shares, step + 1)
        predicted = answer(x, ops.take(ops.convert_to_tensor(times), step))
        if self.config.answer == "velocity":
            image = ops.sqrt(now) * x - ops.sqrt(1.0 - now) * predicted
        else:
            image = (x - ops.sqrt(1.0 - now) * predicted) / ops.sqrt(now)
        image = ops.clip(image, *INSIDE)
        noise = (x - ops.sqrt(now) * image) / ops.sqrt(1.0 - now)
        return ops.sqrt(next_) * image + ops.sqrt(1.0 - next_) * noise


def signal_shares(steps: int, schedule: str) -> np.ndarray:
    """Return what share of an image's variance is left after each step of noising.

    ``linear`` is Ho et al. 2020, section 4, with the variance of a step from 0.0001 to 0.02 for a
    thousand steps; ``cosine`` is Nichol and Dhariwal 2021, equation 17.

    Returns:
        float32 array of shape ``(steps,)``, falling, within (0, 1).
    """
    if schedule == "linear":
        variances = np.linspace(1e-4, 0.02, steps) * 1000 / steps
    else:
        at = np.cos((np.arange(steps + 1) / steps + 0.008) / 1.008 * np.pi / 2) ** 2
        variances = 1 - at[1:] / at[:-1]
    return np.cumprod(1 - np.clip(variances, 0, 0.999)).astype(np.float32)
