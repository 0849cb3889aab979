"""Settings and options; this module is free of Keras, so that help and errors stay fast."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

import genkit

Split = Annotated[
    Literal["train", "test"], Field(description="Which rows: for training, or held out")
]
Bins = Annotated[
    int, Field(ge=2, le=10_000, description="About how many codes a column of many numbers has")
]
Most = Annotated[
    int,
    Field(
        ge=8,
        le=65_536,
        description="Names of a column that have a code of their own; the rarer ones share one",
    ),
]


class TableConfig(genkit.Config):
    """Settings of ``table``."""

    path: genkit.AbsolutePath = Field(
        description="The file: Parquet, or CSV as it is or packed as .gz, .bz2 or .zst, whose "
        "first line names the columns"
    )
    describe: genkit.AbsolutePath | None = Field(
        None, description="What the columns are: a file that genkit table inspect wrote"
    )
    target: str = Field("", description="The column to foretell, for figures of usefulness")
    group: str = Field("", description="The column by which usefulness is told, group by group")
    missing: tuple[str, ...] = Field(("?",), description="Cells that stand for nothing, as '' does")
    delimiter: str = Field("", description="What parts the cells of CSV; found out when left out")
    encoding: str = Field("", description="Of CSV, such as latin-1; by default UTF-8, or UTF-16")
    split: Split = "train"
    held_out: float = Field(
        0.2, ge=0, lt=1, description="Share of the rows that is held out, chosen at random"
    )
    test: genkit.AbsolutePath | None = Field(
        None, description="A file of its own with the rows that are held out"
    )
    limit: int | None = Field(None, ge=1, description="At most so many rows of a split")
    bins: Bins = 100
    most: Most = 1000


class CustomersConfig(genkit.Config):
    """Settings of ``customers``."""

    n: int = Field(2000, ge=60, le=10_000_000, description="How many rows each split has")
    split: Split = "train"
    seed: int = Field(0, ge=0, lt=2**31, description="Seed of the rows")


class ARConfig(genkit.Config):
    """Settings of ``tab-ar``."""

    embedding: int = Field(8, ge=1, le=256, description="Numbers of a code's embedding")
    hidden: int = Field(64, ge=1, le=1024, description="Units of each column's hidden layers")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of units left out in training")
    in_order: float = Field(
        0.75,
        ge=0,
        le=1,
        description="Share of each batch that is learned in the table's own order, which rows are "
        "generated in; the others in orders that are drawn",
    )
    learning_rate: float = Field(3e-3, gt=0, description="Adam's step size")


class MixtureConfig(genkit.Config):
    """Settings of ``tab-mixture``."""

    components: int = Field(1000, ge=1, le=65_536, description="Components of the mixture")
    rank: int = Field(16, ge=1, le=1024, description="Numbers of a component's point")
    learning_rate: float = Field(0.02, gt=0, description="Adam's step size")


class TVAEConfig(genkit.Config):
    """Settings of ``tvae``."""

    latent_dim: int = Field(128, ge=1, le=4096, description="Numbers that a row is decoded from")
    hidden: int = Field(128, ge=1, le=4096, description="Units of each of two hidden layers")
    rebuilt_weight: float = Field(
        2.0, gt=0, description="Weight of how well rows are rebuilt, beside that of the prior"
    )
    learning_rate: float = Field(1e-3, gt=0, description="Adam's step size")


class CTGANConfig(genkit.Config):
    """Settings of ``ctgan``."""

    latent_dim: int = Field(128, ge=1, le=4096, description="Numbers that a row is made of")
    hidden: int = Field(256, ge=1, le=4096, description="Units of each of two hidden layers")
    pac: int = Field(10, ge=1, le=100, description="Rows that the critic sees at once")
    penalty: float = Field(10.0, ge=0, description="Weight of the penalty on the critic's slope")
    temperature: float = Field(0.2, gt=0, description="Of the Gumbel softmax: 0 would be one-hot")
    dropout: float = Field(0.5, ge=0, lt=1, description="Share of the critic's units left out")
    by_sampling: bool = Field(
        True, description="Draw training rows by their values, so that rare ones come more often"
    )
    normalisation: Literal["batch", "layer"] = Field(
        "batch", description="What normalises the generator's layers: over a batch, or a row alone"
    )
    learning_rate: float = Field(2e-4, gt=0, description="Adam's step size, both networks")


class TableDDPMConfig(genkit.Config):
    """Settings of ``tab-ddpm``."""

    hidden: int = Field(256, ge=1, le=4096, description="Units of each hidden layer")
    layers: int = Field(3, ge=1, le=32, description="Hidden layers")
    noise_steps: int = Field(1000, ge=2, le=10_000, description="Amounts of noise that are learned")
    sampling_steps: int = Field(
        50, ge=2, le=10_000, description="Steps in which rows are made, in strides over the amounts"
    )
    learning_rate: float = Field(2e-3, gt=0, description="Adam's step size")


class MarginalsConfig(genkit.Config):
    """Settings of ``tab-marginals`` and ``tab-copula``: none."""


class SMOTEConfig(genkit.Config):
    """Settings of ``tab-smote``."""

    neighbours: int = Field(
        5, ge=1, le=100, description="Nearest rows of its class that a row is drawn towards"
    )


class CARTConfig(genkit.Config):
    """Settings of ``tab-cart``."""

    leaf: int = Field(10, ge=1, le=100_000, description="Training rows that a leaf has at least")
