"""The settings of the models; this module is free of Keras, so that help and errors stay fast."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field

import genkit


def _words(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], pydantic.BeforeValidator(_words)]
"""Several words, on the command line separated by spaces."""

LIKELIHOODS = ("bernoulli", "gaussian", "laplace")


class MultimodalConfig(genkit.Config):
    """Settings that all models share."""

    latent_dim: int = Field(32, ge=1, le=4096, description="Length of the latent vector")
    networks: Literal["convolutional", "dense"] = Field(
        "convolutional",
        description="What encodes and decodes pictures and spectrograms; dense also where sides "
        "can't be halved twice",
    )
    width: int = Field(
        32, ge=1, le=1024, description="Channels of the first convolution; the second has twice it"
    )
    hidden: int = Field(256, ge=1, le=8192, description="Units of dense layers")
    dense_layers: int = Field(2, ge=1, le=16, description="Of encoders and decoders that are dense")
    activation: Literal["relu", "swish"] = Field("relu", description="Of all layers between")
    likelihood: Words = Field(
        (),
        description="How a field's values are distributed around the decoder's output, FIELD=KIND: "
        "bernoulli, gaussian or laplace; bernoulli for pictures and spectrograms, gaussian for "
        "other arrays when left out",
        examples=["audio=laplace"],
    )
    scale: float = Field(
        0.1, gt=0, description="Of gaussian and laplace, for values brought to [0, 1]"
    )
    weight: Words = Field(
        (),
        description="What a field's log-likelihood is multiplied by, FIELD=NUMBER; 1 when left out",
        examples=["label=10"],
    )
    rescale: bool = Field(
        False,
        description="Multiply each field's log-likelihood by the size of the largest field over "
        "its own, so that small ones count as much",
    )
    kl_weight: float = Field(
        1.0, ge=0, description="Weight of the divergence from the prior; 1 is the bound itself"
    )
    kl_warmup_steps: int = Field(
        0, ge=0, description="Steps over which that weight rises from 0 to its value"
    )
    learning_rate: float = Field(1e-3, gt=0, description="Adam's step size")

    @pydantic.field_validator("likelihood")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if not each.partition("=")[0] or each.partition("=")[2] not in LIKELIHOODS:
                raise ValueError(f"expected FIELD=KIND, KIND one of {', '.join(LIKELIHOODS)}")
        return value

    @pydantic.field_validator("weight")
    @classmethod
    def _numbers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            number = each.partition("=")[2]
            if not number.replace(".", "", 1).isdecimal():
                raise ValueError("expected FIELD=NUMBER, the number 0 or more")
        return value


class MVAEConfig(MultimodalConfig):
    """Settings of ``mvae``."""

    random_subsets: int = Field(
        1,
        ge=0,
        le=64,
        description="Bounds a step of some of the fields, drawn for each item, beside those of all "
        "and of each alone; only where there are three fields or more",
    )


class MMVAEConfig(MultimodalConfig):
    """Settings of ``mmvae``."""

    samples: int = Field(
        1,
        ge=1,
        le=1000,
        description="Latents drawn from each field's posterior: above 1 the bound is that of "
        "importance-weighted autoencoders",
    )


class MoPoEConfig(MultimodalConfig):
    """Settings of ``mopoe``."""


class JMVAEConfig(MultimodalConfig):
    """Settings of ``jmvae``."""

    alpha: float = Field(
        0.1,
        ge=0,
        description="Weight of the divergence of the joint posterior from each field's own",
    )
