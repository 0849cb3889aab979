"""The records of the objects of other libraries that can be data."""

from __future__ import annotations

from genkit.plugins.opener_spec import OpenerSpec

_FRAMES = "genkit.builtin.openers.frames"
_DATA_SETS = "genkit.builtin.openers.data_sets"

OPENERS = (
    OpenerSpec(
        name="pandas",
        summary="Tables of pandas: a field a column",
        types=("pandas:DataFrame", "pandas:Series"),
        opener=f"{_FRAMES}:open_pandas",
    ),
    OpenerSpec(
        name="polars",
        summary="Tables of Polars: a field a column",
        types=("polars:DataFrame", "polars:LazyFrame", "polars:Series"),
        opener=f"{_FRAMES}:open_polars",
    ),
    OpenerSpec(
        name="arrow",
        summary="Tables of Apache Arrow: a field a column",
        types=("pyarrow:Table",),
        opener=f"{_FRAMES}:open_arrow",
    ),
    OpenerSpec(
        name="torch-dataset",
        summary="PyTorch's Dataset, and that of a DataLoader",
        types=("torch:Dataset", "torch:DataLoader"),
        opener=f"{_DATA_SETS}:open_torch",
    ),
    OpenerSpec(
        name="tf-data",
        summary="TensorFlow's tf.data.Dataset, of items or of batches",
        types=("tensorflow:DatasetV2",),
        opener=f"{_DATA_SETS}:open_tensorflow",
    ),
    OpenerSpec(
        name="hugging-face",
        summary="A split of Hugging Face's datasets",
        types=(
            "datasets:Dataset",
            "datasets:IterableDataset",
            "datasets:DatasetDict",
            "datasets:IterableDatasetDict",
        ),
        opener=f"{_DATA_SETS}:open_hugging_face",
    ),
)
