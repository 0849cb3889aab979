"""Small data and models that the tests share."""

import numpy as np
from genkit_multimodal.configs import JMVAEConfig, MMVAEConfig, MoPoEConfig, MVAEConfig
from genkit_multimodal.models.jmvae import JMVAE
from genkit_multimodal.models.mixtures import MMVAE, MoPoE
from genkit_multimodal.models.mvae import MVAE
from keras import ops

import genkit
from genkit.data import as_source

SMALL = {"latent_dim": 2, "width": 4, "hidden": 16}
MODELS = {
    "mvae": (MVAE, MVAEConfig),
    "mmvae": (MMVAE, MMVAEConfig),
    "mopoe": (MoPoE, MoPoEConfig),
    "jmvae": (JMVAE, JMVAEConfig),
}
SCHEMA = genkit.Schema(
    {
        "image": genkit.Field((8, 8, 1), "uint8", "image", (0, 255)),
        "vector": genkit.Field((3,), "float32", "vector", (-1, 1)),
        "label": genkit.Field((), "int32", "label", classes=("a", "b", "c")),
    }
)


def items(n=6, seed=0):
    """Return items of three fields, arrays by name."""
    rng = np.random.default_rng(seed)
    return {
        "image": rng.integers(0, 256, (n, 8, 8, 1)).astype("uint8"),
        "vector": rng.uniform(-1, 1, (n, 3)).astype("float32"),
        "label": rng.integers(0, 3, n).astype("int32"),
    }


def model(name, schema=SCHEMA, **settings):
    """Return an untrained model, the same each time."""
    import random

    random.seed(0)
    kind, config = MODELS[name]
    made = kind(config(**{**SMALL, **settings}), schema)
    made.bind(schema)
    return made


def labelled(numbers, shape=(2,), field="vector", classes=("a", "b", "c")):
    """Return a source of items that tell their own row, with labels."""
    rows = np.arange(len(numbers), dtype="float32")
    values = np.broadcast_to(rows.reshape(-1, *[1] * len(shape)), (len(rows), *shape)).copy()
    schema = genkit.Schema(
        {
            field: genkit.Field(shape, "float32", "vector"),
            "label": genkit.Field((), "int32", "label", classes=classes),
        }
    )
    from genkit.data import ArraySource

    return ArraySource({field: values, "label": np.asarray(numbers, "int32")}, schema)


def unlabelled():
    return as_source({"vector": np.arange(8, dtype="float32").reshape(4, 2)})


def tensors(*arrays):
    """Return arrays, or dicts of them, as tensors of the active backend."""
    found = [
        {name: ops.convert_to_tensor(each) for name, each in array.items()}
        if isinstance(array, dict)
        else ops.convert_to_tensor(array)
        for array in arrays
    ]
    return found if len(found) > 1 else found[0]


def array(tensor):
    """Return a tensor, of whatever backend, as an array."""
    return ops.convert_to_numpy(tensor)
