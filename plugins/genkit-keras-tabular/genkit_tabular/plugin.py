"""What the plugin brings; light, because every genkit command imports it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import genkit

_SPLITS = ("train", "test")
_FRAMES = "genkit_tabular.datasets:open_frame"
_CUSTOMERS = {"dataset": "customers"}
_XU = "Xu et al. 2019, Modeling Tabular data using Conditional GAN, arXiv:1907.00503"

_STEPWISE = {
    **_CUSTOMERS,
    "batch_size": 256,
    "learning_rate_schedule": "cosine",
    "sample_every": 1000,
    "validate_every": 20,
    "callbacks": {
        "early-stopping": {
            "monitor": "validation_loss",
            "patience": 40,
            "restore_best_weights": True,
        }
    },
}
"""How models learn that held-out rows tell when to end."""


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
        subset=("limit",),
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


def _model(name: str, summary: str, *, imputes: bool = True, **settings: Any) -> genkit.ModelSpec:
    return genkit.ModelSpec(
        name=name,
        summary=summary,
        accepts=("column",),
        generates=("column",),
        capabilities=("generate", *(["impute"] if imputes else []), "contrast"),
        **settings,
    )


@genkit.hookimpl
def genkit_models() -> Iterable[genkit.ModelSpec]:
    """Register the models, the simplest last."""
    yield _model(
        "tab-ar",
        "Any-order autoregression of tables: exact conditions, imputation and likelihood",
        model="genkit_tabular.models.ar:TableAR",
        config="genkit_tabular.configs:ARConfig",
        presets={"default": {**_STEPWISE, "steps": 1000}},
        references=("Tiwald et al. 2025, TabularARGN, arXiv:2501.12012",),
        tiny={"hidden": 8, "embedding": 4},
    )
    yield _model(
        "tab-mixture",
        "Mixture of independent columns: any conditions exact, imputation and likelihood",
        model="genkit_tabular.models.mixture:TableMixture",
        config="genkit_tabular.configs:MixtureConfig",
        presets={"default": {**_STEPWISE, "steps": 1500}},
        references=("Dempster, Laird and Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x",),
        tiny={"components": 8, "rank": 2},
    )
    yield _model(
        "tvae",
        "Variational autoencoder of tables: rows from standard normal numbers",
        imputes=False,
        model="genkit_tabular.models.tvae:TableTVAE",
        config="genkit_tabular.configs:TVAEConfig",
        presets={
            "default": {**_CUSTOMERS, "batch_size": 500, "steps": 4000, "sample_every": 4000},
            "paper": {**_CUSTOMERS, "batch_size": 500, "epochs": 300, "sample_every": 5000},
        },
        references=(_XU,),
        tiny={"hidden": 8, "latent_dim": 4},
    )
    yield _model(
        "ctgan",
        "Conditional GAN of tables: a generator that is told a value, a critic of ten rows",
        imputes=False,
        model="genkit_tabular.models.ctgan:TableCTGAN",
        config="genkit_tabular.configs:CTGANConfig",
        presets={
            "default": {
                **_CUSTOMERS,
                "batch_size": 500,
                "steps": 4000,
                "learning_rate_schedule": "cosine",
                "sample_every": 4000,
                "config": {"learning_rate": 1e-3, "dropout": 0.0},
            },
            "paper": {**_CUSTOMERS, "batch_size": 500, "epochs": 300, "sample_every": 5000},
        },
        references=(_XU,),
        tiny={"hidden": 8, "latent_dim": 4, "pac": 2},
    )
    yield _model(
        "tab-ddpm",
        "Diffusion of tables: Gaussian noise of numbers, multinomial noise of names",
        imputes=False,
        model="genkit_tabular.models.ddpm:TableDDPM",
        config="genkit_tabular.configs:TableDDPMConfig",
        presets={
            "default": {
                **_CUSTOMERS,
                "batch_size": 500,
                "steps": 6000,
                "learning_rate_schedule": "cosine",
                "sample_every": 6000,
            },
            "reference": {
                **_CUSTOMERS,
                "batch_size": 4096,
                "steps": 30_000,
                "learning_rate_schedule": "linear",
                "sample_every": 30_000,
                "config": {
                    "hidden": 1024,
                    "layers": 6,
                    "sampling_steps": 1000,
                    "learning_rate": 1e-3,
                },
            },
        },
        references=("Kotelnikov et al. 2023, TabDDPM, arXiv:2209.15421",),
        tiny={"hidden": 8, "layers": 1, "noise_steps": 10, "sampling_steps": 3},
    )
    yield _model(
        "tab-cart",
        "Sequential trees: each column from a leaf of those before it; the one to beat",
        model="genkit_tabular.models.cart:TableCART",
        config="genkit_tabular.configs:CARTConfig",
        trainer="closed-form",
        presets={"default": _CUSTOMERS},
        references=("Nowok, Raab and Dibben 2016, synthpop, doi:10.18637/jss.v074.i11",),
    )
    yield _model(
        "tab-smote",
        "SMOTE-NC: rows between real ones; a baseline that keeps real rows, never handed on",
        model="genkit_tabular.models.smote:TableSMOTE",
        config="genkit_tabular.configs:SMOTEConfig",
        trainer="closed-form",
        presets={"default": _CUSTOMERS},
        references=("Chawla et al. 2002, SMOTE, doi:10.1613/jair.953",),
    )
    yield _model(
        "tab-copula",
        "Gaussian copula: each column by its frequencies, joined by correlations of ranks",
        model="genkit_tabular.models.copula:TableCopula",
        config="genkit_tabular.configs:MarginalsConfig",
        trainer="closed-form",
        presets={"default": _CUSTOMERS},
    )
    yield _model(
        "tab-marginals",
        "Independent columns: the floor of every comparison",
        model="genkit_tabular.models.marginals:TableMarginals",
        config="genkit_tabular.configs:MarginalsConfig",
        trainer="closed-form",
        presets={"default": _CUSTOMERS},
    )


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
