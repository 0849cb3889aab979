"""Latent flow: a small variational autoencoder, and a flow that learns its latents by label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genkit.builtin.models.labels import wants_labels
from genkit.builtin.models.vae import VAE

if TYPE_CHECKING:
    import numpy as np

    from genkit.builtin.models.vae_configs import LatentFlowConfig
    from genkit.plugins.specs import Schema


class LatentFlow(VAE):
    """A ``VAE`` whose latents a flow draws, of a class that is asked for where the data has labels.

    Rombach et al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models", with
    latents that are short vectors. Encoder and decoder don't see the labels: the flow alone does,
    with guidance (see ``Denoiser``). A flow over few numbers is small and quick, so nearly all of
    the time goes into the pictures' sharpness.

    Args:
        config: see ``genkit info latent-flow``.
        schema: data with an image field whose height and width are multiples of 4, and perhaps
            labels.
    """

    config: LatentFlowConfig
    networks_take_labels = False

    def __init__(self, config: LatentFlowConfig, schema: Schema) -> None:
        self.conditional = config.prior == "flow" and wants_labels(config.conditional, schema)
        super().__init__(config, schema)

    def label_input(self, n: int, label: Sequence[int | str] | None) -> dict[str, np.ndarray]:
        """Return the ``label`` argument of the methods on tensors, if labels are given."""
        return {} if label is None else super().label_input(n, label)
