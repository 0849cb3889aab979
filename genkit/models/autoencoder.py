"""Models that map items to latents and back: what they do for people, in arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import UsageError
from genkit.models.model import Model

if TYPE_CHECKING:
    from collections.abc import Sequence


class Autoencoder(Model):
    """A model that encodes and reconstructs items, and mixes them where latents are vectors.

    A subclass defines ``to_latent`` and ``from_latent`` on tensors. For a conditional model the
    methods below take the items' labels, by number or name, one for each.
    """

    def to_latent(self, items: Any, label: Any = None) -> Any:
        """Map items, in the schema's range, to latents; tensors in, tensors out."""
        raise NotImplementedError(f"{type(self).__name__} defines no to_latent.")

    def from_latent(self, latent: Any, label: Any = None) -> Any:
        """Map latents to items, in the schema's range; tensors in, tensors out."""
        raise NotImplementedError(f"{type(self).__name__} defines no from_latent.")

    def reconstruction(self, items: Any, label: Any = None) -> Any:
        """Map items to latents and back; tensors in, tensors out."""
        return self.from_latent(self.to_latent(items, label), label)

    def encode(self, items: np.ndarray, label: Sequence[int | str] | None = None) -> np.ndarray:
        """Return the latents of items.

        Args:
            items: shape ``(n, ...)`` in the schema's range.
            label: for a conditional model, the class of each.

        Returns:
            shape ``(n, *latent)``.
        """
        return self.map_items("to_latent", items=items, **self.label_input(len(items), label))

    def reconstruct(
        self, items: np.ndarray, label: Sequence[int | str] | None = None
    ) -> np.ndarray:
        """Return what is left of items on their way through the latent.

        Args:
            items: shape ``(n, ...)`` in the schema's range.
            label: for a conditional model, the class of each.

        Returns:
            float32 array of the items' shape.
        """
        return self.map_items("reconstruction", items=items, **self.label_input(len(items), label))

    def interpolate(
        self,
        first: np.ndarray,
        second: np.ndarray,
        steps: int = 8,
        label: Sequence[int | str] | None = None,
    ) -> np.ndarray:
        """Walk from items to others, in a straight line between their latents.

        Args:
            first: shape ``(n, ...)`` in the schema's range.
            second: same shape.
            steps: how many, at least 2; both ends count.
            label: for a conditional model, the class of each pair.

        Returns:
            float32 array of shape ``(n, steps, ...)``; the ends are reconstructions.

        Raises:
            UsageError: too few steps, or arrays that don't match.
        """
        if steps < 2 or first.shape != second.shape:  # noqa: PLR2004
            raise UsageError(
                "Expected two arrays of one shape and 2 steps or more; "
                f"received {first.shape}, {second.shape} and {steps}."
            )
        ends = self.encode(first, label), self.encode(second, label)
        weights = np.linspace(0, 1, steps, dtype=np.float32).reshape(
            1, -1, *[1] * (ends[0].ndim - 1)
        )
        latents = (1 - weights) * ends[0][:, None] + weights * ends[1][:, None]
        flat = latents.reshape(-1, *latents.shape[2:]).astype(np.float32)
        labels = {k: v.repeat(steps) for k, v in self.label_input(len(first), label).items()}
        items = self.map_items("from_latent", latent=flat, **labels)
        return items.reshape(len(first), steps, *items.shape[1:])

    def label_input(self, n: int, label: Sequence[int | str] | None) -> dict[str, np.ndarray]:
        """Return the ``label`` argument of the methods on tensors, or none.

        Raises:
            UsageError: a conditional model without the items' labels, or the reverse.
        """
        if label is None and self.conditional:
            raise UsageError(f"{type(self).__name__} needs the label of each item; received none.")
        numbers = None if label is None else self.class_numbers(n, label)
        return {} if numbers is None else {"label": numbers}
