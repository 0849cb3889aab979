"""What the plugin brings; light, because every genkit command imports it."""

from __future__ import annotations

from collections.abc import Iterable

import genkit


@genkit.hookimpl
def genkit_datasets() -> Iterable[genkit.DatasetSpec]:
    """Register data sets joined by label, and one to join."""
    yield genkit.DatasetSpec(
        name="paired",
        summary="Data sets joined by label: pictures with sounds, or with their own classes",
        source="genkit_multimodal.data.paired:open_paired",
        config="genkit_multimodal.data.configs:PairedConfig",
        modality="any",
        splits=("train", "test"),
        subset=("limit",),
        tiny={"sets": ["digits", "label"], "limit": 200},
    )
    yield genkit.DatasetSpec(
        name="fsdd",
        summary="Spoken digits as spectrograms: 5 speakers, 8 kHz, a second each",
        source="genkit_multimodal.data.fsdd:open_fsdd",
        config="genkit_multimodal.data.configs:FsddConfig",
        modality="spectrogram",
        splits=("train", "test"),
        subset=("limit",),
        licence="CC BY-SA 4.0",
        homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
        fake="genkit_multimodal.data.fsdd:write_fake",
    )


_TINY = {"latent_dim": 4, "width": 4, "hidden": 16}
_MNIST = {"dataset": "paired", "data": {"sets": ["mnist", "fsdd"]}, "batch_size": 128}
_LABELLED = {**_MNIST, "data": {"sets": ["mnist", "label"]}}
_FIELDS = ("image", "spectrogram", "label", "vector", "number", "array")


def _model(
    name: str, summary: str, model: str, config: str, paper: str, **presets: object
) -> genkit.ModelSpec:
    return genkit.ModelSpec(
        name=name,
        summary=summary,
        model=f"genkit_multimodal.models.{model}",
        config=f"genkit_multimodal.configs:{config}",
        accepts=(),
        generates=_FIELDS,
        capabilities=("generate", "translate"),
        presets={"default": {**_MNIST, "epochs": 10}, **presets},
        references=(paper,),
        tiny=_TINY,
    )


@genkit.hookimpl
def genkit_models() -> Iterable[genkit.ModelSpec]:
    """Register the models; what differs is how the posteriors of the fields join."""
    dense = {"networks": "dense", "hidden": 512, "latent_dim": 64, "kl_warmup_steps": 120_000}
    yield _model(
        "mvae",
        "Any fields to any others: posteriors multiply, with the prior",
        "mvae:MVAE",
        "MVAEConfig",
        "Wu, Goodman 2018, Multimodal Generative Models ..., arXiv:1802.05335",
        reference={
            **_LABELLED,
            "batch_size": 100,
            "epochs": 500,
            "config": {**dense, "dense_layers": 3, "activation": "swish", "weight": ["label=10"]},
        },
    )
    yield _model(
        "mmvae",
        "Any fields to any others: posteriors mix",
        "mixtures:MMVAE",
        "MMVAEConfig",
        "Shi et al. 2019, Variational Mixture-of-Experts Autoencoders ..., arXiv:1911.03393",
    )
    yield _model(
        "mopoe",
        "Any fields to any others: products of all subsets of posteriors mix",
        "mixtures:MoPoE",
        "MoPoEConfig",
        "Sutter et al. 2021, Generalized Multimodal ELBO, arXiv:2105.02470",
    )
    yield _model(
        "jmvae",
        "Any fields to any others: one encoder for all, and one for each to stand in",
        "jmvae:JMVAE",
        "JMVAEConfig",
        "Suzuki et al. 2016, Joint Multimodal Learning with Deep ..., arXiv:1611.01891",
        reference={
            **_LABELLED,
            "batch_size": 50,
            "epochs": 500,
            "config": {**dense, "kl_warmup_steps": 240_000},
        },
    )


@genkit.hookimpl
def genkit_renderers() -> Iterable[genkit.RendererSpec]:
    """Register what shows spectrograms."""
    yield genkit.RendererSpec(
        name="spectrogram",
        summary="Spectrograms as WAV files that can be heard, pictures, players in reports",
        renderer="genkit_multimodal.spectrogram_renderer:SpectrogramRenderer",
        modality="spectrogram",
    )


@genkit.hookimpl
def genkit_commands() -> Iterable[genkit.CommandSpec]:
    """Register the verb genkit translate."""
    yield genkit.CommandSpec(
        name="translate",
        summary="Make fields of an item from other fields of it: a picture from a sound",
        command="genkit_multimodal.commands:translate",
        capability="translate",
    )


@genkit.hookimpl
def genkit_metrics() -> Iterable[genkit.MetricSpec]:
    """Register the judges of models of several modalities."""
    yield genkit.MetricSpec(
        name="coherence",
        summary="How often fields agree: made together, and made from others; by classifiers",
        metric="genkit_multimodal.judges.coherence:Coherence",
        direction="max",
        modality="any",
        headline={
            "joint-coherence": "fields of an item that agree",
            "cross-coherence (1 given)": "fields made from another that are right",
        },
    )
    yield genkit.MetricSpec(
        name="bounds",
        summary="Bounds of likelihoods: of all fields, of each, and given the others, in nats",
        metric="genkit_multimodal.judges.bounds:Bounds",
        direction="min",
        modality="any",
    )
