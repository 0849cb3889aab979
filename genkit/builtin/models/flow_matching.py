"""Flow matching on straight paths: rectified flow (Liu et al. 2022, Lipman et al. 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras import ops

from genkit.builtin.models.denoiser import Denoiser

if TYPE_CHECKING:
    from collections.abc import Callable


class FlowMatching(Denoiser):
    """A velocity that carries noise to images along straight lines.

    Liu et al. 2022, "Flow Straight and Fast", equation 1: between noise ``x_0`` and an image
    ``x_1`` the network sees ``x_t = (1 - t) x_0 + t x_1`` and should answer the velocity
    ``x_1 - x_0``. An image is made by following the velocity from ``t = 0`` to ``1`` in steps of
    equal length (Euler).

    Args:
        config: see ``genkit info flow-matching``.
        schema: data with an image field whose height and width are multiples of ``2 * patch``,
            and, if ``conditional``, labels.
    """

    def noised(self, image: Any, noise: Any, time: Any) -> tuple[Any, Any]:
        return (1.0 - time) * noise + time * image, image - noise

    def sampling_step(
        self, x: Any, step: Any, steps: int, answer: Callable[[Any, Any], Any]
    ) -> Any:
        length = 1.0 / steps
        return x + length * answer(x, ops.cast(step, "float32") * length)
