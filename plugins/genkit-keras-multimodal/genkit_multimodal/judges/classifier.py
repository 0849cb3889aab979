"""The judge of a field: a classifier that learns from the data a model was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

import genkit
from genkit_multimodal.configs import MultimodalConfig
from genkit_multimodal.data.paired import CLASS, LABEL
from genkit_multimodal.modalities import Label, Modality

if TYPE_CHECKING:
    from collections.abc import Callable

    from genkit.data import Source
    from genkit.evaluation import Context

STEPS, _BATCH = 600, 64
_NOISE = 0.1  # standard deviation, of values in [0, 1]


def key_of(schema: genkit.Schema) -> str | None:
    """Name the field that says which class an item is of; None where there is none."""
    kinds = {field.modality: name for name, field in reversed(list(schema.fields.items()))}
    return kinds.get(CLASS, kinds.get(LABEL))


class Judge(genkit.Model):
    """A classifier of one field's items.

    Its network is the modality's encoder, so that whoever brings a modality brings a judge.

    Args:
        modality: of the items.
        schema: of the data it learns from.
        key: the field with the classes.
    """

    def __init__(self, modality: Modality, schema: genkit.Schema, key: str) -> None:
        super().__init__(None, schema)
        self.item, self.key = modality, key
        self.network = keras.Sequential(
            [
                modality.encoder(),
                layers.Dropout(0.3),
                layers.Dense(len(schema[key].classes), dtype="float32"),
            ]
        )
        self.add_optimizer("judge", keras.optimizers.Adam(1e-3), self.network)

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        shape = (n, *self.item.field.shape)
        return {"jitter": _NOISE * rng.standard_normal(shape, dtype="float32")}

    def cross_entropy(self, batch: dict[str, Any]) -> Any:
        """Return the mean cost of the classes in nats, for items with noise on them."""
        logits = self.network(
            self.item.to_network(batch[self.item.name]) + batch["jitter"], training=True
        )
        right = ops.take_along_axis(logits, ops.expand_dims(batch[self.key], 1), axis=1)[:, 0]
        return ops.mean(ops.logsumexp(logits, axis=1) - right)

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        loss, _ = minimize("judge", self.cross_entropy, batch)
        return {"loss": loss}

    def class_of(self, items: Any) -> Any:
        """Return the likeliest class of each item; tensors in, tensors out."""
        logits = self.network(self.item.to_network(items), training=False)
        return ops.cast(ops.argmax(logits, axis=1), "int32")


def judge_of(context: Context, name: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return what names the classes of a field's items: of a label they are known.

    It is trained once for data and seed, and kept.

    Args:
        context: with the model, and the data that it was trained on.
        name: of the field.
    """
    training, model = context.training, context.model
    assert training is not None, "unfit() asked for the training data"
    field = training.schema[name]
    modality = model.kinds[field.modality](name, field, MultimodalConfig(width=16, hidden=128))  # type: ignore[union-attr]
    if isinstance(modality, Label):
        return np.asarray
    key = key_of(training.schema)
    assert key is not None, "unfit() asked for classes"
    judge = Judge(modality, training.schema, key)

    def trained() -> dict[str, np.ndarray]:
        _train(judge, training, context.seed)
        return {f"{place:03d}": each for place, each in enumerate(judge.network.get_weights())}

    what = f"judge of {name}, {STEPS} steps, {keras.backend.backend()}, seed {context.seed}"
    kept = context.of_real(what, trained)
    judge.network.set_weights([kept[place] for place in sorted(kept)])
    return lambda items: judge.map_items("class_of", items=np.asarray(items))


def _train(judge: Judge, data: Source, seed: int) -> None:
    judge.fit(data, steps=STEPS, batch_size=min(_BATCH, len(data)), seed=seed, verbose=False)
