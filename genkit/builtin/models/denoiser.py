"""What flow matching and diffusion share: a network that denoises, labels, and guidance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras import ops

from genkit.builtin.models.averaging import averaging_adam
from genkit.builtin.models.guidance import guided, hidden
from genkit.builtin.models.images import image_shape
from genkit.builtin.models.labels import class_count, wants_labels
from genkit.builtin.models.unet import build_unet
from genkit.engine import loop
from genkit.errors import UsageError
from genkit.layers import rescale
from genkit.models.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from genkit.builtin.models.flow_configs import DenoiserConfig
    from genkit.plugins.specs import Schema

INSIDE = (-1.0, 1.0)
"""The range in which images are noised."""


class Denoiser(Model):
    """A network trained to see through noise, and a way from noise to images in small steps.

    A subclass defines ``noised``, what the network sees and should answer, and ``sampling_step``.
    Where the data has labels, unless the settings say otherwise, they are shown to the network,
    but hidden now and then, so that it learns to do without; ``guidance`` then goes from its answer
    without a label through that with it, and beyond (see ``guided``).

    Args:
        config: the settings.
        schema: data with an image field whose height and width are multiples of ``2 * patch``,
            and, if ``conditional``, labels.
    """

    config: DenoiserConfig
    schema: Schema

    def __init__(self, config: DenoiserConfig, schema: Schema) -> None:
        super().__init__(config, schema)
        name = type(self).__name__
        self.shape = image_shape(schema, name, multiple_of=2 * config.patch)
        self.conditional = wants_labels(config.conditional, schema)
        self.no_label = class_count(schema, name) if self.conditional else 0
        self.network = build_unet(self.shape, config, self.no_label)
        adam = averaging_adam(config.learning_rate, config.average, config.average_window)
        self.add_optimizer("denoiser", adam, self.network)

    def noised(self, image: Any, noise: Any, time: Any) -> tuple[Any, Any]:
        """Return what the network sees of an image, and what it should answer.

        Args:
            image: in [-1, 1], ``(batch, height, width, channels)``.
            noise: standard normal, same shape.
            time: in [0, 1), ``(batch, 1, 1, 1)``.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no noised.")

    def sampling_step(
        self, x: Any, step: Any, steps: int, answer: Callable[[Any, Any], Any]
    ) -> Any:
        """Go one step from noise towards images.

        Args:
            x: ``(batch, height, width, channels)``.
            step: which, from 0 on; an int32 scalar.
            steps: how many there are.
            answer: maps ``x`` and a time, a float32 scalar, to the network's guided answer.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no sampling_step.")

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"noise": rng.standard_normal((n, *self.shape), dtype="float32")}

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        noise = self.noise(rng, n)
        noise["time"] = rng.random((n, 1, 1, 1), dtype="float32")
        if self.conditional:
            noise["hide"] = rng.random(n, dtype="float32")
        return noise

    def loss(self, batch: dict[str, Any]) -> Any:
        """Return the mean squared error of the network's answer, per value."""
        field = self.schema.name_of("image")
        image = rescale(batch[field], self._data_range(), INSIDE)
        seen, wanted = self.noised(image, batch["noise"], batch["time"])
        inputs = [seen, batch["time"][:, 0, 0, 0]]
        if self.conditional:
            label = batch[self.schema.name_of("label")]
            inputs.append(hidden(label, batch["hide"], self.config.label_dropout, self.no_label))
        return ops.mean(ops.square(self.network(inputs, training=True) - wanted))

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        loss, _ = minimize("denoiser", self.loss, batch)
        return {"loss": loss}

    def decode(
        self,
        noise: Any,
        label: Any = None,
        guidance: Any = None,
        sampling_steps: int | None = None,
    ) -> Any:
        if guidance is not None and label is None:
            raise UsageError("Guidance needs labels: the model was not trained as conditional.")
        scale = self.config.guidance if guidance is None else guidance
        steps = sampling_steps or self.config.sampling_steps

        def step(number: Any, x: Any) -> Any:
            return self.sampling_step(
                x, number, steps, lambda x, time: self._answer(x, time, label, scale)
            )

        x = loop(step, noise, steps)
        return rescale(ops.clip(x, *INSIDE), INSIDE, self._data_range())

    def _answer(self, x: Any, time: Any, label: Any, guidance: Any) -> Any:
        times = time * ops.ones_like(x[:, 0, 0, 0])
        return guided(self.network, x, times, label, no_label=self.no_label, guidance=guidance)

    def _data_range(self) -> tuple[float, float]:
        limits = self.schema[self.schema.name_of("image")].range
        assert limits is not None, "image_shape() checked it"
        return limits
