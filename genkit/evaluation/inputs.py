"""What an evaluation opens before it measures: the data, the extractor, and the card of both."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genkit.errors import GenkitError, UsageError
from genkit.evaluation.extractors import open_extractor, usual_extractors
from genkit.evaluation.metric import Context
from genkit.evaluation.real_store import RealStore
from genkit.evaluation.results import Weights
from genkit.evaluation.streams import knows_labels_of

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.evaluation.extractors.base import Extractor
    from genkit.evaluation.progress import EvaluationProgress
    from genkit.models.model import Model
    from genkit.plan.plan import Plan
    from genkit.plugins.entries import Entry
    from genkit.plugins.registry import Registry
    from genkit.plugins.schema import Field, Schema


@dataclass(frozen=True)
class Reference:
    """The data that samples are compared with."""

    entry: Entry
    source: Source
    split: str


@dataclass(frozen=True)
class Training:
    """The data that a model was trained on, or why metrics can't see it."""

    source: Source | None
    missing: str = ""


def open_reference(
    weights: Weights,
    registry: Registry,
    against: str | None,
    changes: Mapping[str, Any],
    split: str | None,
) -> Reference:
    """Open the data that samples are compared with.

    Args:
        weights: of a run, which names its own data, or of an exported model, which doesn't.
        registry: knows the data sets.
        against: name of another data set; without it the run's own, with its settings. Those that
            choose training items don't choose from another split.
        changes: settings to change.
        split: which items, where the data has splits; None for those held out.

    Raises:
        GenkitError: no such data set, a bad setting, or data that can't be read.
    """
    from genkit.runs.inputs import open_entry

    plan = _plan_of(weights)
    if against is not None:
        entry, settings = registry.find("datasets", against), {}
    elif plan is not None:
        entry = registry.find("datasets", plan.qualified("dataset"))
        chooses = entry.spec.subset if entry.spec.splits else ()
        settings = {key: value for key, value in plan.data.items() if key not in chooses}
    else:
        raise UsageError(
            "An exported model doesn't say where its data is.", "Name it: --against DATASET"
        )
    wanted = {"split": split or entry.spec.held_out} if entry.spec.splits else {}
    settings = {**settings, **wanted, **changes}
    source = open_entry(entry, settings)
    opened: Any = entry.settings(settings)
    return Reference(entry, source, opened.split if entry.spec.splits else "all")


def _plan_of(weights: Weights) -> Plan | None:
    from genkit.runs.run import Run

    return None if weights.step is None else Run.open(weights.path).plan


def open_context(
    model: Model,
    reference: Reference,
    training: Training,
    registry: Registry,
    progress: EvaluationProgress,
    *,
    extractor: str | None,
    n: int,
    seed: int,
) -> Context:
    """Put together what all metrics of an evaluation have in common.

    Args:
        model: what is measured.
        reference: the data it is compared with.
        training: the data it was trained on, or why that is not at hand.
        registry: knows the extractors.
        progress: tells what was chosen.
        extractor: its name; by default that which the data set names, or else the usual one.
        n: how many items are generated.
        seed: of everything random.

    Raises:
        UsageError: data of another form than the model's; or no such extractor.
        DataError: the extractor's weights can't be had.
    """
    assert model.schema is not None, "a loaded model knows its data"
    real = reference.source
    check_alike(model.schema, real.schema, model.output_fields)
    card = {
        "against": reference.entry.spec.name,
        "fingerprint": real.fingerprint(),
        "split": reference.split,
        "n_generated": n,
        "n_real": len(real),
        "seed": seed,
    }
    if model.conditional and not knows_labels_of(model, real):
        card["labels"] = "the classes take turns"
    opened = _extractor(model, reference, registry, extractor, progress)
    if opened is not None:
        card |= opened.card()
        if opened.field.modality == "image":
            card["pixels"] = "rounded to 8 bits for features"
    if reference.split == "all":
        progress.note(
            f"{reference.entry.spec.name} is taken as a whole: items that the model has seen in "
            "training make it look better than it is."
        )
    return Context(
        model.schema,
        opened,
        seed,
        model,
        training.source,
        real,
        card,
        training.missing,
        _store(opened, seed, card, training),
        model.output_fields,
        model.assets,
    )


def _extractor(
    model: Model,
    reference: Reference,
    registry: Registry,
    name: str | None,
    progress: EvaluationProgress,
) -> Extractor | None:
    """Open the extractor that is asked for, or the data set's, or the modality's usual one."""
    assert model.schema is not None, "a loaded model knows its data"
    field = model.output_fields[0]
    modality = model.schema[field].modality

    def opened(chosen: str) -> Extractor:
        assert model.schema is not None, "a loaded model knows its data"
        return open_extractor(chosen, model.schema, field, model.assets, registry)

    if name is not None:
        return opened(name)
    natural = reference.entry.spec.extractor
    if natural and registry.find("extractors", natural).spec.modality == modality:
        entries = [registry.find("extractors", natural)]
    else:
        entries = usual_extractors(modality, registry)
    if len(entries) > 1:
        names = ", ".join(entry.qualified_name for entry in entries)
        progress.note(f"Features: none; choose with --extractor from {names}")
    if len(entries) != 1:
        return None
    progress.note(
        f"Features: {entries[0].spec.name}; others with: genkit evaluate --extractor NAME"
    )
    return opened(entries[0].qualified_name)


def _store(
    extractor: Extractor | None, seed: int, card: Mapping[str, Any], training: Training
) -> RealStore:
    """Return the place of what is computed of these data by this extractor."""
    return RealStore(
        {
            "real": [card["fingerprint"], card["n_real"]],
            "training": training.source.fingerprint() if training.source else None,
            "extractor": {**extractor.card(), "field": str(extractor.field)} if extractor else None,
            "seed": seed,
        }
    )


def check_alike(schema: Schema, other: Schema, generated: Collection[str]) -> None:
    """Refuse to compare a model with data of another form.

    Labels may be others, and what no batch holds may be missing, such as captions, unless it is
    generated.

    Raises:
        UsageError: the form is another.
    """
    for name, wanted in schema.fields.items():
        counts = name in generated or (wanted.computable and wanted.modality != "label")
        received = other.fields.get(name)
        if counts and received != wanted:
            shown = _in_words(wanted), "none" if received is None else _in_words(received)
            if shown[0] == shown[1]:
                shown = str(wanted), str(received)
            raise UsageError(
                f"Expected data like the model's, with {name} as {shown[0]}; received {shown[1]}.",
                "Bring it into that form: --data transforms=..., see genkit info DATASET",
            )


def _in_words(field: Field) -> str:
    """Return what one looks at first: shape, dtype, range, and which vocabulary."""
    sizes = "x".join("any" if size is None else str(size) for size in field.shape)
    limits = f" from {field.range[0]:g} to {field.range[1]:g}" if field.range else ""
    names = f", vocabulary {field.vocabulary[:8]}" if field.vocabulary else ""
    return f"{sizes or 'one value'}, {field.dtype}{limits}{names}"


def open_training(
    weights: Weights, registry: Registry, reference: Reference, progress: EvaluationProgress
) -> Training:
    """Open the data that a run was trained on; an exported model doesn't say where that is.

    It is of use only beside held-out data of the same data set, and as it was in training.
    """
    from genkit.runs.inputs import open_data
    from genkit.runs.run import Run

    if weights.step is None:
        return Training(None, "the training data is not at hand")
    run = Run.open(weights.path)
    name = run.plan.qualified("dataset")
    try:
        if registry.find("datasets", name).qualified_name != reference.entry.qualified_name:
            return Training(None, "the reference is not the data set that the model was trained on")
        source = open_data(run.plan, registry)
    except GenkitError as error:
        progress.note(f"The training data can't be opened: {error.message}")
        return Training(None, "the training data can't be opened")
    if source.fingerprint() != run.environment().get("data", {}).get("fingerprint"):
        progress.note(f"The data set {run.plan.dataset} is not what the run was trained on.")
        return Training(None, "the training data has changed since training")
    return Training(source)
