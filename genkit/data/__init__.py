"""Data: what an item is, where items come from, and how they reach a model in batches."""

from __future__ import annotations

from genkit.data.columns import ColumnSource
from genkit.data.file_source import FileSource
from genkit.data.item_files import FileItem, ItemFiles
from genkit.data.left_out import LeftOut
from genkit.data.loader import Loader, check_sizes, in_order
from genkit.data.noise import NoiseFn, noise_for_samples, noise_for_step, sample_rng, training_rng
from genkit.data.pipeline import transformed
from genkit.data.sampling import Sampler, Shuffled
from genkit.data.source import ArraySource, Batch, Source
from genkit.data.subset import Subset, hold_out, rows_per_class
from genkit.data.transform_names import parse_transforms
from genkit.data.transforms import Transform
from genkit.data.values import as_source
from genkit.data.varying import Ragged, bucket, items_of
from genkit.data.vocabulary import pack_text, unpack_text, vocabulary_of, with_vocabulary

__all__ = [
    "ArraySource",
    "Batch",
    "ColumnSource",
    "FileItem",
    "FileSource",
    "ItemFiles",
    "LeftOut",
    "Loader",
    "NoiseFn",
    "Ragged",
    "Sampler",
    "Shuffled",
    "Source",
    "Subset",
    "Transform",
    "as_source",
    "bucket",
    "check_sizes",
    "hold_out",
    "in_order",
    "items_of",
    "noise_for_samples",
    "noise_for_step",
    "pack_text",
    "parse_transforms",
    "rows_per_class",
    "sample_rng",
    "training_rng",
    "transformed",
    "unpack_text",
    "vocabulary_of",
    "with_vocabulary",
]
