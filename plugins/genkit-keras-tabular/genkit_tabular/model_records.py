"""The records of the models; light, because every genkit command imports it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import genkit

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

_PRIVATE = {
    "dataset": "table",
    "data": {"described": True},
    "batch_size": 512,
    "steps": 2000,
    "learning_rate_schedule": "cosine",
    "sample_every": 2000,
}
"""Without validation, which would look at rows: for the trainer ``dp``."""


def _model(name: str, summary: str, *, imputes: bool = True, **settings: Any) -> genkit.ModelSpec:
    return genkit.ModelSpec(
        name=name,
        summary=summary,
        accepts=("column",),
        generates=("column",),
        capabilities=("generate", *(["impute"] if imputes else []), "contrast"),
        **settings,
    )


def model_records() -> Iterable[genkit.ModelSpec]:
    """Return the models' records, the simplest last."""
    yield _model(
        "tab-ar",
        "Any-order autoregression of tables: exact conditions, imputation and likelihood",
        model="genkit_tabular.models.ar:TableAR",
        config="genkit_tabular.configs:ARConfig",
        presets={
            "default": {**_STEPWISE, "steps": 1000},
            # Each row's gradient is computed alone: a small network is quick, and tells less.
            "private": {**_PRIVATE, "config": {"hidden": 16, "embedding": 4}},
        },
        references=("Tiwald et al. 2025, TabularARGN, arXiv:2501.12012",),
        tiny={"hidden": 8, "embedding": 4},
    )
    yield _model(
        "tab-mixture",
        "Mixture of independent columns: any conditions exact, imputation and likelihood",
        model="genkit_tabular.models.mixture:TableMixture",
        config="genkit_tabular.configs:MixtureConfig",
        presets={"default": {**_STEPWISE, "steps": 1500}, "private": _PRIVATE},
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
            "private": _PRIVATE,
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
                "steps": 6000,
                "learning_rate_schedule": "cosine",
                "sample_every": 6000,
                # Of ten rows at once the critic learns less about each: far worse, and slower.
                "config": {"learning_rate": 1e-3, "dropout": 0.0, "pac": 1},
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
