"""From noise to styles: the network that gives a picture its style (Karras et al. 2019)."""

from __future__ import annotations

from typing import Any

import keras
from keras import initializers, ops

from genkit.engine import workers
from genkit.layers import one_hot
from genkit_style.layers import EqualizedDense, normalised

_RATE = 0.01  # how much slower the mapping learns than the rest (Karras et al. 2019, appendix C)


class Mapping(keras.layers.Layer):
    """Dense layers from noise, and from the class if there are classes, to ``w``.

    Args:
        latent_dim: length of the noise; 0 for a mapping of the class alone.
        width: length of ``w``.
        depth: how many layers.
        classes: how many there are; 0 for none.
    """

    def __init__(
        self, latent_dim: int, width: int, depth: int, classes: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.latent_dim, self.classes = latent_dim, classes
        self.embedding = EqualizedDense(width, name="embedding") if classes else None
        self.hidden = [
            EqualizedDense(width, rate=_RATE, active=True, name=f"hidden_{number}")
            for number in range(depth)
        ]
        joined = latent_dim + (width if classes else 0)
        if self.embedding is not None:
            self.embedding.build((None, classes))
        for layer, length in zip(self.hidden, (joined, *[width] * (depth - 1)), strict=False):
            layer.build((None, length))
        self.built = True

    def call(self, z: Any = None, label: Any = None) -> Any:
        """Return ``(batch, width)`` for noise ``(batch, latent_dim)`` and labels ``(batch,)``."""
        parts = [] if z is None else [normalised(z)]
        if self.embedding is not None:
            parts.append(normalised(self.embedding(one_hot(label, self.classes))))
        w = ops.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        for layer in self.hidden:
            w = layer(w)
        return w


class Centre(keras.layers.Layer):
    """The mean style of each class, or of all pictures, which truncation draws styles to.

    Args:
        width: length of a style.
        classes: how many there are; 0 for none.
    """

    momentum = 0.995
    """What a mean keeps of itself in a step in which all items are of its class."""

    def __init__(self, width: int, classes: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes
        self.mean = self.add_weight(
            name="mean",
            shape=(max(classes, 1), width),
            initializer=initializers.Zeros(),
            trainable=False,
            dtype="float32",
            autocast=False,
            aggregation="mean",
        )
        self.built = True

    def call(self, label: Any = None) -> Any:
        """Return ``(batch, width)`` for labels, or ``(1, width)`` where there are no classes."""
        mean = ops.convert_to_tensor(self.mean)
        return mean if label is None else ops.take(mean, label, axis=0)

    def follow(self, w: Any, label: Any = None) -> None:
        """Move the means towards the styles of a batch, of all workers."""
        w = ops.stop_gradient(ops.cast(w, "float32"))
        members = ops.ones_like(w[:, :1]) if label is None else one_hot(label, self.classes)
        own = [ops.sum(members, axis=0)[:, None], ops.matmul(ops.transpose(members), w)]
        counts, sums = workers().sum(own)
        apart = sums / ops.maximum(counts, 1.0) - self.mean
        self.mean.assign(self.mean + (1 - self.momentum) * ops.minimum(counts, 1.0) * apart)
