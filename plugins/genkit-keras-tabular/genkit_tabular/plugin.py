"""What the plugin brings; light, because every genkit command imports it."""

from __future__ import annotations

from collections.abc import Iterable

import genkit
from genkit_tabular.model_records import model_records

_SPLITS = ("train", "test")
_FRAMES = "genkit_tabular.datasets:open_frame"


@genkit.hookimpl
def genkit_datasets() -> Iterable[genkit.DatasetSpec]:
    """Register a person's own table, and an invented one."""
    yield genkit.DatasetSpec(
        name="table",
        summary="Your own table, CSV or Parquet: numbers, names, dates, gaps",
        source="genkit_tabular.datasets:open_table",
        config="genkit_tabular.configs:TableConfig",
        modality="column",
        splits=_SPLITS,
        subset=("limit", "per_class", "subset_seed", "subset"),
        fake="genkit_tabular.datasets:write_fake",
    )
    yield genkit.DatasetSpec(
        name="customers",
        summary="Invented customers: every kind of column, to try a model on",
        source="genkit_tabular.datasets:open_customers",
        config="genkit_tabular.configs:CustomersConfig",
        modality="column",
        splits=_SPLITS,
        licence="made by the program",
        tiny={"n": 200},
    )


@genkit.hookimpl
def genkit_openers() -> Iterable[genkit.OpenerSpec]:
    """Register frames as tables, for models of tables."""
    for name, types in (
        ("table-pandas", ("pandas:DataFrame",)),
        ("table-polars", ("polars:DataFrame", "polars:LazyFrame")),
        ("table-arrow", ("pyarrow:Table",)),
    ):
        yield genkit.OpenerSpec(
            name=name,
            summary=f"Frames of {name[6:].title()} for models of tables: dtypes and order are kept",
            types=types,
            opener=_FRAMES,
            modality="column",
        )


@genkit.hookimpl
def genkit_models() -> Iterable[genkit.ModelSpec]:
    """Register the models, the simplest last."""
    return model_records()


_VERDICT = {
    "two-sample": "trees can't tell it from real",
    "tstr-auc": "learned from it, tested on real",
    "membership": "training rows that are found",
}


def _metric(name: str, summary: str, metric: str, direction: str) -> genkit.MetricSpec:
    return genkit.MetricSpec(
        name=name,
        summary=summary,
        metric=f"genkit_tabular.judges.{metric}",
        direction=direction,
        modality="column",
        headline=_VERDICT if name == "two-sample" else {},
    )


@genkit.hookimpl
def genkit_metrics() -> Iterable[genkit.MetricSpec]:
    """Register the judges of rows: the verdict first."""
    yield _metric(
        "two-sample",
        "How far trees can tell generated from held-out rows, and by which columns",
        "judging:TwoSample",
        "max",
    )
    yield _metric(
        "usefulness",
        "How well trees that learned from generated rows foretell real ones' target",
        "judging:Usefulness",
        "max",
    )
    yield _metric(
        "membership",
        "How often training rows are found by generated ones, at 1 % false positives",
        "leaking:Membership",
        "min",
    )
    yield _metric(
        "broken-rules",
        "Share of generated rows that break a rule of the table",
        "judging:BrokenRules",
        "min",
    )
    yield _metric(
        "fidelity",
        "How like real columns, pairs of columns, gaps and rare names generated ones are",
        "fidelity:Fidelity",
        "max",
    )
    yield _metric(
        "usefulness-by-group",
        "Usefulness for each group of a column, and the gaps between groups",
        "groups:UsefulnessByGroup",
        "max",
    )
    yield _metric(
        "attacks",
        "Singling out, linkability and inference beyond what held-out rows suffer",
        "attacks:Attacks",
        "min",
    )


@genkit.hookimpl
def genkit_learners() -> Iterable[genkit.LearnerSpec]:
    """Register what learns a table's target, to see whether generated rows help it."""
    yield genkit.LearnerSpec(
        name="table-trees",
        summary="Foretells the target of a table by gradient boosting of trees",
        learner="genkit_tabular.judges.table_learner:TableLearner",
        modality="column",
        classical=("smote",),
        steps=100,
    )


@genkit.hookimpl
def genkit_commands() -> Iterable[genkit.CommandSpec]:
    """Register the verbs: genkit table inspect, genkit impute, genkit link and genkit join."""
    yield genkit.CommandSpec(
        name="table",
        summary="Propose what the columns of a table are, in a file to edit",
        command="genkit_tabular.command:table",
    )
    yield genkit.CommandSpec(
        name="impute",
        summary="Fill the holes of a table, each row given what it has",
        command="genkit_tabular.command:impute",
        capability="impute",
    )
    yield genkit.CommandSpec(
        name="link",
        summary="Make two tables to learn from of two that share a key: customers and their orders",
        command="genkit_tabular.two_tables:link_tables",
    )
    yield genkit.CommandSpec(
        name="join",
        summary="Make parents with their children, by the models of two linked tables",
        command="genkit_tabular.two_tables:join_tables",
    )
