"""The hooks a plugin may implement.

Each returns an iterable of frozen records. A plugin is a module (or object) whose functions carry
``@genkit.hookimpl``, named by an entry point of the group ``genkit.plugins``. None of the hooks
chooses a winner: all plugins' records are kept, and the name a person types decides.

Keep the module light: import no framework in it, refer to heavy code as ``"module:attribute"``.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from genkit.plugins.item_specs import (
    ExtractorSpec,
    LearnerSpec,
    RendererSpec,
    ReviewerSpec,
    TransformSpec,
)
from genkit.plugins.launcher_spec import LauncherSpec
from genkit.plugins.opener_spec import OpenerSpec
from genkit.plugins.specs import (
    CallbackSpec,
    CommandSpec,
    DatasetSpec,
    MetricSpec,
    ModelSpec,
    TrainerSpec,
)

hookspec = pluggy.HookspecMarker("genkit")
hookimpl = pluggy.HookimplMarker("genkit")
"""Marks a function of a plugin as the implementation of a hook."""


@hookspec
def genkit_models() -> Iterable[ModelSpec]:  # type: ignore[empty-body]
    """Register models.

    Example:
        >>> import genkit
        >>> @genkit.hookimpl
        ... def genkit_models():
        ...     yield genkit.ModelSpec(
        ...         name="tiny-gan",
        ...         summary="The smallest GAN that learns digits",
        ...         model="genkit_tiny.model:TinyGAN",
        ...         config="genkit_tiny.config:TinyGANConfig",
        ...         accepts=("image",),
        ...         presets={"default": {"dataset": "digits", "epochs": 5}},
        ...     )
    """


@hookspec
def genkit_datasets() -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
    """Register data sets.

    Example:
        >>> import genkit
        >>> @genkit.hookimpl
        ... def genkit_datasets():
        ...     yield genkit.DatasetSpec(
        ...         name="rings",
        ...         summary="Points on noisy rings",
        ...         source="genkit_rings.data:open_rings",
        ...         config="genkit_rings.data:RingsConfig",
        ...         modality="vector",
        ...     )
    """


@hookspec
def genkit_trainers() -> Iterable[TrainerSpec]:  # type: ignore[empty-body]
    """Register trainers.

    Example:
        >>> import genkit
        >>> @genkit.hookimpl
        ... def genkit_trainers():
        ...     yield genkit.TrainerSpec(
        ...         name="private",
        ...         summary="Gradients clipped per example, with noise",
        ...         trainer="genkit_private.trainer:PrivateTrainer",
        ...     )
    """


@hookspec
def genkit_metrics() -> Iterable[MetricSpec]:  # type: ignore[empty-body]
    """Register metrics.

    Example:
        >>> import genkit
        >>> @genkit.hookimpl
        ... def genkit_metrics():
        ...     yield genkit.MetricSpec(
        ...         name="sharpness",
        ...         summary="Mean gradient magnitude of the images",
        ...         metric="genkit_sharp.metric:Sharpness",
        ...         direction="max",
        ...         modality="image",
        ...     )
    """


@hookspec
def genkit_extractors() -> Iterable[ExtractorSpec]:  # type: ignore[empty-body]
    """Register what turns items of a modality into the features that metrics compare.

    Metrics that see features alone, such as the Frechet distance and precision and recall, then
    measure models of that modality.

    Example:
        >>> import genkit
        >>> @genkit.hookimpl
        ... def genkit_extractors():
        ...     yield genkit.ExtractorSpec(
        ...         name="loudness",
        ...         summary="Mean and peak of a recording's power",
        ...         extractor="genkit_speech.loudness:Loudness",
        ...         modality="audio",
        ...     )
    """


@hookspec
def genkit_callbacks() -> Iterable[CallbackSpec]:  # type: ignore[empty-body]
    """Register Keras callbacks that a recipe can name.

    Example:
        >>> import genkit
        >>> @genkit.hookimpl
        ... def genkit_callbacks():
        ...     yield genkit.CallbackSpec(
        ...         name="phone-me",
        ...         summary="Send a message when training ends",
        ...         callback="genkit_phone.callback:PhoneMe",
        ...     )
    """


@hookspec
def genkit_commands() -> Iterable[CommandSpec]:  # type: ignore[empty-body]
    """Register verbs of the command line.

    The function behind a verb is imported when the verb, or its ``--help``, is used. A name that
    a built-in verb has stays with that. Of two plugins with one name, each answers to
    ``distribution/name``; if both verbs are for one capability, the name alone is that of the
    distribution whose model the ``RUN`` has.

    Example:
        >>> import genkit
        >>> @genkit.hookimpl
        ... def genkit_commands():
        ...     yield genkit.CommandSpec(
        ...         name="transcribe",
        ...         summary="Write down what is said in recordings",
        ...         command="genkit_speech.transcribe:transcribe",
        ...         capability="transcribe",
        ...     )
    """


@hookspec
def genkit_renderers() -> Iterable[RendererSpec]:  # type: ignore[empty-body]
    """Register ways to show items of a modality, in grids, reports and files.

    Example:
        >>> import genkit
        >>> @genkit.hookimpl
        ... def genkit_renderers():
        ...     yield genkit.RendererSpec(
        ...         name="player",
        ...         summary="Recordings as WAV files, and as players in reports",
        ...         renderer="genkit_speech.player:Player",
        ...         modality="audio",
        ...     )
    """


@hookspec
def genkit_reviewers() -> Iterable[ReviewerSpec]:  # type: ignore[empty-body]
    """Register checks of everything generated, before it is written.

    All reviewers of a modality are asked; what one refuses is not written.

    Example:
        >>> import genkit
        >>> @genkit.hookimpl
        ... def genkit_reviewers():
        ...     yield genkit.ReviewerSpec(
        ...         name="loudness",
        ...         summary="Refuses recordings that would hurt ears",
        ...         reviewer="genkit_speech.loudness:Loudness",
        ...         modality="audio",
        ...     )
    """


@hookspec
def genkit_transforms() -> Iterable[TransformSpec]:  # type: ignore[empty-body]
    """Register what can be done to items of a modality before a model sees them.

    Example:
        >>> import genkit
        >>> @genkit.hookimpl
        ... def genkit_transforms():
        ...     yield genkit.TransformSpec(
        ...         name="trim",
        ...         summary="Silence at both ends cut off, below so many decibels",
        ...         transform="genkit_speech.transforms:Trim",
        ...         modality="audio",
        ...         examples=("trim=-40",),
        ...     )
    """


@hookspec
def genkit_openers() -> Iterable[OpenerSpec]:  # type: ignore[empty-body]
    """Register objects of other libraries that can be data: ``genkit.train(..., dataset=data)``.

    An object is recognised by the names of its classes; the library is not imported to ask.

    Example:
        >>> import genkit
        >>> @genkit.hookimpl
        ... def genkit_openers():
        ...     yield genkit.OpenerSpec(
        ...         name="xarray",
        ...         summary="Data sets of xarray: a field a variable",
        ...         types=("xarray:Dataset",),
        ...         opener="genkit_xarray.opener:open_xarray",
        ...     )
    """


@hookspec
def genkit_learners() -> Iterable[LearnerSpec]:  # type: ignore[empty-body]
    """Register what learns labels of items of a modality: ``genkit augment`` trains it.

    Example:
        >>> import genkit
        >>> @genkit.hookimpl
        ... def genkit_learners():
        ...     yield genkit.LearnerSpec(
        ...         name="keyword",
        ...         summary="Names the word that is spoken",
        ...         learner="genkit_speech.keyword:Keyword",
        ...         modality="audio",
        ...         classical=("shift", "noise"),
        ...     )
    """


@hookspec
def genkit_launchers() -> Iterable[LauncherSpec]:  # type: ignore[empty-body]
    """Register what starts the workers of a training: ``genkit run MODEL --launcher NAME``.

    Example:
        >>> import genkit
        >>> @genkit.hookimpl
        ... def genkit_launchers():
        ...     yield genkit.LauncherSpec(
        ...         name="dask",
        ...         summary="Workers on the machines of a Dask cluster",
        ...         launcher="genkit_dask.launcher:DaskLauncher",
        ...     )
    """
