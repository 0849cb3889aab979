"""The built-in plugin: the same hooks as anyone's."""

from __future__ import annotations

from collections.abc import Iterable

from genkit.builtin.extractor_specs import EXTRACTORS
from genkit.builtin.metric_specs import METRICS
from genkit.builtin.model_specs import MODELS
from genkit.builtin.opener_specs import OPENERS
from genkit.builtin.transform_specs import TRANSFORMS
from genkit.plugins.hookspecs import hookimpl
from genkit.plugins.item_specs import ExtractorSpec, LearnerSpec, RendererSpec, TransformSpec
from genkit.plugins.launcher_spec import LauncherSpec
from genkit.plugins.opener_spec import OpenerSpec
from genkit.plugins.specs import CallbackSpec, DatasetSpec, MetricSpec, ModelSpec, TrainerSpec


@hookimpl
def genkit_models() -> Iterable[ModelSpec]:
    """Register the built-in models."""
    return MODELS


@hookimpl
def genkit_trainers() -> Iterable[TrainerSpec]:
    """Register the built-in trainers."""
    yield TrainerSpec(
        name="gradient",
        summary="Steps along gradients: the model's training_step, compiled",
        trainer="genkit.models.training.trainer:Trainer",
    )
    yield TrainerSpec(
        name="closed-form",
        summary="One solve over all data: the model's solve(data)",
        trainer="genkit.models.training.closed_form:ClosedFormTrainer",
    )


@hookimpl
def genkit_metrics() -> Iterable[MetricSpec]:
    """Register the metrics of features, and those of images."""
    return METRICS


@hookimpl
def genkit_extractors() -> Iterable[ExtractorSpec]:
    """Register what makes features of images."""
    return EXTRACTORS


@hookimpl
def genkit_callbacks() -> Iterable[CallbackSpec]:
    """Register callbacks that are useful from a recipe."""
    yield CallbackSpec(
        name="csv-logger",
        summary="Write epoch means to a CSV file in the run directory",
        callback="genkit.models.training.callbacks:CSVLogger",
        writes={"filename": "epochs.csv"},
    )
    yield CallbackSpec(
        name="tensorboard",
        summary="Log losses and samples for TensorBoard into the run directory",
        callback="genkit.models.training.tensorboard_logger:TensorBoardLogger",
        packages=("tensorboard",),
        extra="tensorboard",
        writes={"log_dir": "tensorboard"},
    )
    yield CallbackSpec(
        name="mlflow",
        summary="Log settings, losses, samples and the model to MLflow",
        callback="genkit.runs.mlflow_logger:MLflowLogger",
        packages=("mlflow", "sqlalchemy", "alembic"),
        extra="mlflow",
        writes={"folder": "mlflow"},
        expected_failures=dict.fromkeys(
            ("runs_in_training", "writes_only_where_it_says", "state_survives_a_resume"),
            "it logs a run directory, and the toy training of the checks has none",
        ),
    )
    for name, summary, attribute in (
        ("early-stopping", "Stop when a loss no longer improves", "EarlyStopping"),
        ("reduce-lr-on-plateau", "Lower the learning rate on a plateau", "ReduceLROnPlateau"),
    ):
        callback = f"genkit.models.training.monitors:{attribute}"
        yield CallbackSpec(name=name, summary=summary, callback=callback)
    yield CallbackSpec(
        name="terminate-on-nan",
        summary="End quietly when the loss is not a number",
        callback="keras.callbacks:TerminateOnNaN",
    )


@hookimpl
def genkit_renderers() -> Iterable[RendererSpec]:
    """Register the built-in renderers."""
    for name, modality, summary, renderer in (
        ("image", "image", "Images of 1 or 3 channels as PNG or WebP, and in grids",
         "images:ImageRenderer"),
        ("text", "text", "Text, a line an item", "texts:TextRenderer"),
        ("sound", "audio", "Sound as 16-bit WAV files, and as players in reports",
         "sounds:SoundRenderer"),
        ("clip", "video", "Clips as moving WebP files", "clips:ClipRenderer"),
    ):  # fmt: skip
        yield RendererSpec(
            name=name, summary=summary, renderer=f"genkit.report.{renderer}", modality=modality
        )


@hookimpl
def genkit_transforms() -> Iterable[TransformSpec]:
    """Register the transforms of images."""
    return TRANSFORMS


@hookimpl
def genkit_learners() -> Iterable[LearnerSpec]:
    """Register what learns labels of images."""
    yield LearnerSpec(
        name="image-classifier",
        summary="A small convolutional classifier, the same in every arm",
        learner="genkit.workflows.augmentation.image_learner:ImageLearner",
        modality="image",
        classical=("flip", "translation", "cutout"),
        usual=("translation", "cutout"),
    )


@hookimpl
def genkit_datasets() -> Iterable[DatasetSpec]:
    """Register the built-in data sets."""
    home = "genkit.builtin.datasets"
    halves: tuple[str, ...] = ("train", "test")
    subset: tuple[str, ...] = ("limit", "per_class", "subset_seed", "subset")
    yield DatasetSpec(
        name="mnist",
        summary="70,000 handwritten digits, 28x28 gray; comes with GenKit",
        source=f"{home}.mnist:open_mnist",
        config=f"{home}.configs:MnistConfig",
        modality="image",
        splits=halves,
        subset=subset,
        extractor="mnist-classifier",
        licence="CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
        homepage="http://yann.lecun.com/exdb/mnist/",
    )
    yield DatasetSpec(
        name="fashion-mnist",
        summary="70,000 pictures of clothes, 28x28 gray; downloaded once, 30 MB",
        source=f"{home}.fashion_mnist:open_fashion_mnist",
        config=f"{home}.configs:FashionMnistConfig",
        modality="image",
        splits=halves,
        subset=subset,
        extractor="fashion-classifier",
        licence="MIT, Zalando SE",
        homepage="https://github.com/zalandoresearch/fashion-mnist",
    )
    yield DatasetSpec(
        name="digits",
        summary="1,797 handwritten digits, 8x8 gray, from scikit-learn; for quick trials",
        source=f"{home}.digits:open_digits",
        config=f"{home}.configs:DigitsConfig",
        modality="image",
        splits=halves,
        subset=subset,
        licence="CC BY 4.0, E. Alpaydin and C. Kaynak, UCI",
        homepage="https://archive.ics.uci.edu/dataset/80",
    )
    yield DatasetSpec(
        name="image-folder",
        summary="Your own images in a folder, with labels from sub-folders and captions",
        source=f"{home}.image_folder:open_image_folder",
        fake="genkit.testing.fakes:write_image_folder",
        config=f"{home}.configs:ImageFolderConfig",
        modality="image",
        splits=("train", "validation", "test"),
        subset=subset,
    )
    yield DatasetSpec(
        name="npz",
        summary="Your own NumPy arrays in an .npz file",
        source=f"{home}.npz:open_npz",
        fake="genkit.testing.fakes:write_npz",
        config=f"{home}.configs:NpzConfig",
        modality="image",
        subset=subset,
    )
    yield DatasetSpec(
        name="memory",
        summary="What a Python program has: genkit.train(..., dataset=array)",
        source=f"{home}.in_memory:open_memory",
        fake="genkit.testing.fakes:hold_images",
        config=f"{home}.configs:MemoryConfig",
        modality="any",
        subset=subset,
    )


@hookimpl
def genkit_openers() -> Iterable[OpenerSpec]:
    """Register the objects of other libraries that can be data."""
    return OPENERS


@hookimpl
def genkit_launchers() -> Iterable[LauncherSpec]:
    """Register what starts workers without a plugin."""
    yield LauncherSpec(
        name="local",
        summary="A process a worker on this machine",
        launcher="genkit.workers.local:LocalLauncher",
    )
    yield LauncherSpec(
        name="env",
        summary="Processes that torchrun, srun or mpirun has started",
        launcher="genkit.workers.env:EnvLauncher",
    )
