"""What the plugin brings; light, because every genkit command imports it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import genkit

_DATA = "genkit_recsys.data_settings"
_MODELS = "genkit_recsys.model_settings"
_SPLITS = ("train", "validation", "test")
_ACCEPTS = ("interactions", "user")
_GROUPLENS = "GroupLens: research, with acknowledgement, redistribution under the same terms"
_GROUPLENS_OWN = "GroupLens: research, with acknowledgement, no redistribution without permission"


@genkit.hookimpl
def genkit_datasets() -> Iterable[genkit.DatasetSpec]:
    """Register MovieLens, and files of one's own."""
    yield genkit.DatasetSpec(
        name="ml-latest-small",
        summary="MovieLens: 100,004 ratings of 9,066 films by 671 users, in the package",
        source="genkit_recsys.datasets:open_latest_small",
        config=f"{_DATA}:LatestSmallConfig",
        modality="interactions",
        splits=_SPLITS,
        licence=_GROUPLENS,
        homepage="https://grouplens.org/datasets/movielens/",
        tiny={"item_core": 100},
    )
    for size, what in (
        ("100k", "100,000 ratings of 1,682 films by 943 users"),
        ("1m", "1,000,209 ratings of 3,706 films by 6,040 users"),
        ("20m", "20,000,263 ratings of 26,744 films by 138,493 users"),
    ):
        yield genkit.DatasetSpec(
            name=f"ml-{size}",
            summary=f"MovieLens: {what}, downloaded",
            source=f"genkit_recsys.datasets:open_{size}",
            config=f"{_DATA}:DownloadedConfig",
            modality="interactions",
            splits=_SPLITS,
            licence=_GROUPLENS_OWN,
            homepage=f"https://grouplens.org/datasets/movielens/{size}/",
            fake=f"genkit_recsys.movielens:fake_{size}",
        )
    yield genkit.DatasetSpec(
        name="interactions",
        summary="Your own clicks, purchases or ratings: CSV, TSV, Parquet or RecBole files",
        source="genkit_recsys.datasets:open_own",
        config=f"{_DATA}:OwnConfig",
        modality="interactions",
        splits=_SPLITS,
        fake="genkit_recsys.datasets:fake_own",
    )


def _model(
    name: str,
    summary: str,
    home: str,
    config: str,
    reference: str,
    *,
    default: dict[str, Any] | None = None,
    tiny: dict[str, Any] | None = None,
) -> genkit.ModelSpec:
    """Describe a recommender; one without a length of training is solved."""
    return genkit.ModelSpec(
        name=name,
        summary=summary,
        model=f"genkit_recsys.models.{home}",
        config=f"{_MODELS}:{config}",
        accepts=_ACCEPTS,
        capabilities=("recommend",),
        trainer="gradient" if default else "closed-form",
        presets={"default": {"dataset": "ml-latest-small", **(default or {})}},
        references=(reference,),
        tiny=tiny or {},
    )


@genkit.hookimpl
def genkit_models() -> Iterable[genkit.ModelSpec]:
    """Register the recommenders."""
    yield from _baselines()
    yield from _generative()


def _baselines() -> Iterable[genkit.ModelSpec]:
    yield _model(
        "popularity",
        "Recommender: the most popular items for everybody",
        "popularity:Popularity",
        "PopularityConfig",
        "Ferrari Dacrema et al. 2019, Are We Really Making Much Progress?",
    )
    yield _model(
        "item-knn",
        "Recommender: items like those of the history, by cosine",
        "item_knn:ItemKNN",
        "ItemKNNConfig",
        "Deshpande and Karypis 2004, Item-Based Top-N Recommendation Algorithms",
        tiny={"neighbours": 5},
    )
    yield _model(
        "ease",
        "Recommender: the best linear model from items to items, in closed form",
        "ease:EASE",
        "EASEConfig",
        "Steck 2019, Embarrassingly Shallow Autoencoders for Sparse Data",
    )
    yield _model(
        "bpr",
        "Recommender: vectors of users and items, learned from pairs of items",
        "bpr:BPR",
        "BPRConfig",
        "Rendle et al. 2009, BPR: Bayesian Personalized Ranking from Implicit Feedback",
        default={"epochs": 80, "batch_size": 2048, "config": {"l2": 0.01}},
        tiny={"dim": 4},
    )


def _generative() -> Iterable[genkit.ModelSpec]:
    yield _model(
        "mult-vae",
        "Recommender: variational autoencoder with a multinomial likelihood",
        "autoencoder:MultVAE",
        "MultVAEConfig",
        "Liang et al. 2018, Variational Autoencoders for Collaborative Filtering",
        default={
            "epochs": 50,
            "batch_size": 64,
            "config": {"kl_weight": 1.0, "annealing_steps": 300},
        },
        tiny={"hidden_dim": 8, "latent_dim": 4},
    )
    yield _model(
        "mult-dae",
        "Recommender: denoising autoencoder with a multinomial likelihood",
        "autoencoder:MultDAE",
        "MultDAEConfig",
        "Liang et al. 2018, Variational Autoencoders for Collaborative Filtering",
        default={"epochs": 50, "batch_size": 64},
        tiny={"hidden_dim": 8, "latent_dim": 4},
    )
    yield _model(
        "sasrec",
        "Recommender: the next item, by self-attention over the newest ones",
        "sasrec:SASRec",
        "SASRecConfig",
        "Kang and McAuley 2018, Self-Attentive Sequential Recommendation",
        default={
            "epochs": 30,
            "batch_size": 32,
            "data": {"protocol": "leave-last-out"},
            "config": {"dropout": 0.4},
        },
        tiny={"dim": 8, "length": 6, "blocks": 1},
    )
    yield _model(
        "recvae",
        "Recommender: variational autoencoder with a composite prior, trained in turns",
        "recvae:RecVAE",
        "RecVAEConfig",
        "Shenbin et al. 2020, RecVAE: A New Variational Autoencoder for Top-N Recommendations",
        default={
            "epochs": 60,
            "batch_size": 64,
            "config": {"gamma": 0.0035, "learning_rate": 1e-3},
        },
        tiny={"hidden_dim": 8, "latent_dim": 4},
    )
    yield _model(
        "cfgan",
        "Recommender: a generator of histories against a discriminator",
        "cfgan:CFGAN",
        "CFGANConfig",
        "Chae et al. 2018, CFGAN: A Generic Collaborative Filtering Framework",
        default={"epochs": 200, "batch_size": 64},
        tiny={"hidden_dim": 8, "discriminator_dim": 4},
    )


@genkit.hookimpl
def genkit_metrics() -> Iterable[genkit.MetricSpec]:
    """Register the measure of rankings."""
    yield genkit.MetricSpec(
        name="ranking",
        summary="Recall, NDCG, MAP, MRR, hits, coverage, novelty, fairness of full rankings",
        metric="genkit_recsys.metric:Ranking",
        direction="max",
        modality="interactions",
    )


@genkit.hookimpl
def genkit_commands() -> Iterable[genkit.CommandSpec]:
    """Register the verbs."""
    yield genkit.CommandSpec(
        name="recommend",
        summary="Recommend items to users, or to strangers by what they like",
        command="genkit_recsys.command:recommend",
        capability="recommend",
    )
    yield genkit.CommandSpec(
        name="compare-recommenders",
        summary="Test whether one recommender ranks better than another, user by user",
        command="genkit_recsys.command:compare_recommenders",
    )
