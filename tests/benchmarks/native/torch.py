"""PyTorch by hand: modules, fused Adam, autocast; eager or compiled, in either memory format.

On the first GPU if there is one, as GenKit is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as everyone calls it

from tests.benchmarks.native.interface import Native
from tests.benchmarks.native.start import ADAM, PENALTY, Adam, refuse_unknown
from tests.benchmarks.native.torch_networks import Networks

Tensors = dict[str, torch.Tensor]
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def make(
    case: str,
    precision: str,
    variant: str,
    weights: dict[str, np.ndarray],
    *,
    dropout: float = 0.3,
) -> Native:
    """Make the baseline of a case.

    Args:
        case: a key of ``ADAM``.
        precision: ``float32``, or ``bfloat16`` for mixed precision.
        variant: one of ``variants("torch", case)``.
        weights: initial weights of the GenKit model by structure key.
        dropout: rate in the discriminator of ``dcgan``.
    """
    refuse_unknown("torch", case, variant)
    compiled = variant.startswith("compile")
    adam, networks = ADAM[case], Networks(weights, channels_last="channels-last" in variant)
    kind: Any = {"vae": _VAE, "wgan-gp": _WGANGP}.get(case, _GAN)
    if case == "vae":
        pair = networks.encoder(), networks.decoder()
    elif case == "mlp-gan":
        pair = networks.mlp_generator(), networks.mlp_discriminator()
    else:
        rate = 0.0 if case == "wgan-gp" else dropout
        pair = networks.generator(), networks.discriminator(rate)
    first, second = (network.to(DEVICE) for network in pair)
    made: Native = kind(first, second, adam, precision, compiled=compiled)
    return made


class _Baseline:
    """What all cases share: mixed precision, and images from noise.

    Args:
        decoder: noise to images.
        precision: ``float32`` or ``bfloat16``.
        compiled: whether ``torch.compile`` is used.
    """

    def __init__(self, decoder: nn.Module, precision: str, *, compiled: bool) -> None:
        self.decoder = decoder
        self.mixed = precision == "bfloat16"
        self.compiled = compiled
        self._compiled_images = self.maybe_compile(self.images)

    def maybe_compile(self, fn: Any) -> Any:
        return torch.compile(fn, fullgraph=True, dynamic=False) if self.compiled else fn

    def autocast(self) -> Any:
        return torch.autocast(DEVICE, torch.bfloat16, enabled=self.mixed)

    def images(self, z: torch.Tensor) -> torch.Tensor:
        """Return images in [0, 255], ``(batch, height, width, channels)``."""
        raise NotImplementedError

    def decode(self, z: np.ndarray) -> np.ndarray:
        self.decoder.eval()
        with torch.inference_mode():
            images = self._compiled_images(torch.from_numpy(z).to(DEVICE))
        self.decoder.train()
        return images.cpu().numpy()

    def synchronize(self) -> None:
        if DEVICE == "cuda":  # on the CPU there is nothing to wait for
            torch.cuda.synchronize()


class _GAN(_Baseline):
    """Goodfellow et al. 2014, non-saturating: the discriminator's update, then the generator's."""

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        adam: Adam,
        precision: str,
        *,
        compiled: bool,
    ) -> None:
        super().__init__(generator, precision, compiled=compiled)
        self.generator = generator
        self.discriminator = discriminator
        self.generator_optimizer = _adam(generator, adam)
        self.discriminator_optimizer = _adam(discriminator, adam)
        self._compiled_fake = self.maybe_compile(self.fake)
        self._compiled_d_loss = self.maybe_compile(self.discriminator_loss)
        self._compiled_g_loss = self.maybe_compile(self.generator_loss)

    def step(self, batch: dict[str, np.ndarray]) -> Tensors:
        tensors = _tensors(batch)
        fake = self._compiled_fake(tensors["z"])
        d_loss = _update(
            self.discriminator_optimizer, self._compiled_d_loss, tensors, fake.detach()
        )
        # The generator's gradient passes through the discriminator, whose own isn't needed.
        self.discriminator.requires_grad_(False)
        g_loss = _update(self.generator_optimizer, self._compiled_g_loss, fake)
        self.discriminator.requires_grad_(True)
        return {"d_loss": d_loss, "g_loss": g_loss}

    def fake(self, z: torch.Tensor) -> torch.Tensor:
        with self.autocast():
            return self.generator(z)

    def discriminator_loss(self, batch: Tensors, fake: torch.Tensor) -> torch.Tensor:
        with self.autocast():
            real = batch["image"] * (2 / 255) - 1
            real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
            return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()

    def generator_loss(self, fake: torch.Tensor) -> torch.Tensor:
        with self.autocast():
            return F.softplus(-self.discriminator(fake)).mean()

    def images(self, z: torch.Tensor) -> torch.Tensor:
        with self.autocast():
            return (self.generator(z) + 1) * 127.5


class _WGANGP(_GAN):
    """Gulrajani et al. 2017, one critic update a step."""

    def discriminator_loss(self, batch: Tensors, fake: torch.Tensor) -> torch.Tensor:
        with self.autocast():
            real = batch["image"] * (2 / 255) - 1
            between = (batch["mix"] * real + (1 - batch["mix"]) * fake).requires_grad_()
            score = self.discriminator(between).sum()
            (slope,) = torch.autograd.grad(score, between, create_graph=True)
            norm = (slope.square().sum(dim=(1, 2, 3)) + 1e-12).sqrt()
            penalty = PENALTY * (norm - 1).square().mean()
            return self.discriminator(fake).mean() - self.discriminator(real).mean() + penalty

    def generator_loss(self, fake: torch.Tensor) -> torch.Tensor:
        with self.autocast():
            return -self.discriminator(fake).mean()


class _VAE(_Baseline):
    """Kingma and Welling 2014, with Bernoulli pixels."""

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, adam: Adam, precision: str, *, compiled: bool
    ) -> None:
        super().__init__(decoder, precision, compiled=compiled)
        self.encoder = encoder
        self.optimizer = _adam(nn.ModuleList([encoder, decoder]), adam)
        self._compiled_losses = self.maybe_compile(self.losses)

    def step(self, batch: dict[str, np.ndarray]) -> Tensors:
        self.optimizer.zero_grad()
        losses = self._compiled_losses(_tensors(batch))
        losses["loss"].backward()
        self.optimizer.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def losses(self, batch: Tensors) -> Tensors:
        with self.autocast():
            image = batch["image"] / 255
            mean, log_variance = self.encoder(image).chunk(2, dim=1)
            logits = self.decoder(mean + torch.exp(0.5 * log_variance) * batch["z"])
            nll = F.binary_cross_entropy_with_logits(logits, image, reduction="sum") / len(image)
            kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
            return {"loss": nll + kl, "reconstruction_loss": nll, "kl_loss": kl}

    def images(self, z: torch.Tensor) -> torch.Tensor:
        with self.autocast():
            return torch.sigmoid(self.decoder(z)) * 255


def _tensors(batch: dict[str, np.ndarray]) -> Tensors:
    return {name: torch.from_numpy(array).to(DEVICE) for name, array in batch.items()}


def _adam(network: nn.Module, adam: Adam) -> torch.optim.Adam:
    return torch.optim.Adam(
        network.parameters(),
        lr=adam.learning_rate,
        betas=(adam.beta_1, adam.beta_2),
        eps=adam.epsilon,
        fused=True,
    )


def _update(optimizer: torch.optim.Adam, loss_fn: Any, *inputs: Any) -> torch.Tensor:
    optimizer.zero_grad()
    loss = loss_fn(*inputs)
    loss.backward()
    optimizer.step()
    return loss.detach()
