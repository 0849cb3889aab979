"""The trainer; imported when it is used, after the backend was chosen."""

from typing import Any

import genkit
from keras import ops

from genkit_myplugin.settings import AdaptiveClippingConfig


class AdaptiveClipping(genkit.Trainer):
    """Scales down a gradient that is long beside the weights that it changes.

    Brock et al. 2021, "High-Performance Large-Scale Image Recognition Without Normalization",
    equation 3, with one length for each array of weights instead of one for each unit:

        g * min(1, share * max(||w||, least) / ||g||)

    Args:
        config: see the settings; the defaults if not given.
    """

    config: AdaptiveClippingConfig

    def __init__(self, config: AdaptiveClippingConfig | None = None) -> None:
        super().__init__(config or AdaptiveClippingConfig())

    def transform_gradients(self, name: str, gradients: list[Any]) -> list[Any]:
        model = self.engine.model
        # In float16 the optimizer scales the loss up, and takes that out again when it updates.
        scale = model.optimizers[name].scale_loss(1.0)
        return [
            self.clipped(gradient, weight, scale)
            for gradient, weight in zip(gradients, model.owned_variables(name), strict=True)
        ]

    def clipped(self, gradient: Any, weight: Any, scale: Any = 1.0) -> Any:
        """Return the gradient of an array of weights, no longer than it may be, times a scale."""
        longest = scale * self.config.share * ops.maximum(_length(weight), self.config.least)
        # A gradient of 0 stays 0: what it is divided by only must not be 0.
        factor = ops.minimum(1.0, longest / ops.maximum(_length(gradient), 1e-12))
        return gradient * ops.cast(factor, gradient.dtype)


def _length(values: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(ops.cast(values, "float32"))))
