"""What the plugin brings; light, because every genkit command imports it."""

from __future__ import annotations

from collections.abc import Iterable

import genkit

_LATENTS = ("reconstruct", "encode", "interpolate")
_RING = {"dataset": "points", "data": {"density": "ring"}, "batch_size": 256}
_LABEL = genkit.Condition("label", modality="label")
_SMALL = {"hidden": 16}


@genkit.hookimpl
def genkit_datasets() -> Iterable[genkit.DatasetSpec]:
    """Register the toy densities, and a person's own points."""
    yield genkit.DatasetSpec(
        name="points",
        summary="Points of a plane from a toy density, such as ring, grid, moons or spirals",
        source="genkit_points.data:open_points",
        config="genkit_points.configs:PointsConfig",
        modality="points",
        splits=("train", "test"),
        licence="made by the program",
        tiny={"n": 100},
    )
    yield genkit.DatasetSpec(
        name="points-csv",
        summary="Your own points of a plane, two columns of a CSV file",
        source="genkit_points.table:open_csv",
        config="genkit_points.configs:PointsCsvConfig",
        modality="points",
        splits=("train", "test"),
        fake="genkit_points.table:write_fake",
    )


@genkit.hookimpl
def genkit_models() -> Iterable[genkit.ModelSpec]:
    """Register the three models."""
    yield genkit.ModelSpec(
        name="points-gan",
        summary="GAN of points: two dense networks, with the losses and penalties of all GANs",
        model="genkit_points.gan:PointsGAN",
        config="genkit_points.configs:PointsGANConfig",
        accepts=("points",),
        conditions=(_LABEL,),
        presets={"default": {**_RING, "steps": 2000}},
        references=("Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661",),
        tiny=_SMALL,
    )
    yield genkit.ModelSpec(
        name="points-vae",
        summary="VAE of points: two dense networks around a latent plane",
        model="genkit_points.vae:PointsVAE",
        config="genkit_points.configs:PointsVAEConfig",
        accepts=("points",),
        conditions=(_LABEL,),
        capabilities=("generate", *_LATENTS),
        presets={"default": {**_RING, "steps": 2000}},
        references=("Kingma and Welling 2014, Auto-Encoding Variational Bayes, arXiv:1312.6114",),
        tiny=_SMALL,
    )
    yield genkit.ModelSpec(
        name="points-flow",
        summary="Flow matching of points, which also knows the density of each point exactly",
        model="genkit_points.flow:PointsFlow",
        config="genkit_points.configs:PointsFlowConfig",
        accepts=("points",),
        conditions=(_LABEL,),
        capabilities=("generate", "density"),
        options={
            "generate": "genkit_points.configs:FlowOptions",
            "density": "genkit_points.configs:FlowOptions",
        },
        presets={"default": {**_RING, "steps": 2000}},
        references=(
            "Lipman et al. 2022, Flow Matching for Generative Modeling, arXiv:2210.02747",
            "Chen et al. 2018, Neural Ordinary Differential Equations, arXiv:1806.07366",
        ),
        tiny={**_SMALL, "solver_steps": 4},
    )


@genkit.hookimpl
def genkit_metrics() -> Iterable[genkit.MetricSpec]:
    """Register the metrics of points."""
    yield genkit.MetricSpec(
        name="mode-coverage",
        summary="Share of the data's modes that samples reach, and of samples that are near one",
        metric="genkit_points.modes:ModeCoverage",
        direction="max",
        modality="points",
    )
    yield genkit.MetricSpec(
        name="energy-distance",
        summary="Energy distance between samples and data; 0 for one distribution",
        metric="genkit_points.energy:EnergyDistance",
        direction="min",
        modality="points",
        known="genkit_points.energy:known",
    )
    yield genkit.MetricSpec(
        name="log-density",
        summary="Mean log density of the data, for models that know densities",
        metric="genkit_points.likelihood:LogDensity",
        direction="max",
        modality="points",
    )


@genkit.hookimpl
def genkit_commands() -> Iterable[genkit.CommandSpec]:
    """Register the verb: genkit density RUN."""
    yield genkit.CommandSpec(
        name="density",
        summary="Draw a model's log density of points beside the data's",
        command="genkit_points.command:density",
        capability="density",
    )


@genkit.hookimpl
def genkit_renderers() -> Iterable[genkit.RendererSpec]:
    """Register how points are shown."""
    yield genkit.RendererSpec(
        name="scatter",
        summary="Points together in a scatter plot, and as CSV",
        renderer="genkit_points.show:Scatter",
        modality="points",
    )


@genkit.hookimpl
def genkit_reviewers() -> Iterable[genkit.ReviewerSpec]:
    """Register what must not be written."""
    yield genkit.ReviewerSpec(
        name="points-in-range",
        summary="Refuses points that are not finite or not inside the range of the data",
        reviewer="genkit_points.review:InRange",
        modality="points",
    )
