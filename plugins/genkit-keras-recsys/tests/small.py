"""Models in memory, small and quick, by the names they are registered under."""

import numpy as np
from data import opened
from genkit_recsys.histories import Histories

from genkit.plugins.registry import installed
from genkit.plugins.specs import resolve

SETTINGS = {
    "popularity": {},
    "item-knn": {"neighbours": 20, "shrink": 1.0},
    "ease": {"l2": 10.0},
    "bpr": {"dim": 8, "learning_rate": 0.02, "fold_in_l2": 0.1},
    "mult-vae": {"hidden_dim": 32, "latent_dim": 8, "dropout": 0.2, "learning_rate": 0.01},
    "mult-dae": {"hidden_dim": 32, "latent_dim": 8, "dropout": 0.2, "learning_rate": 0.01},
    "sasrec": {"dim": 16, "length": 8, "blocks": 1, "dropout": 0.0, "learning_rate": 0.01},
    "recvae": {"hidden_dim": 32, "latent_dim": 8, "dropout": 0.2, "learning_rate": 0.01},
    "cfgan": {"hidden_dim": 32, "discriminator_dim": 16, "learning_rate": 0.01},
}
STEPS = {"bpr": 300, "sasrec": 150, "mult-vae": 100, "mult-dae": 60, "recvae": 60, "cfgan": 200}


def build(name, schema, **settings):
    entry = installed().find("models", name)
    model = resolve(entry.spec.model)(entry.settings({**SETTINGS[name], **settings}), schema)
    model.bind(schema, spec=entry.spec)
    return model


def trained(name, source, steps=None, **settings):
    model = build(name, source.schema, **settings)
    if hasattr(model, "solve"):
        model.fit(source, verbose=False)
    else:
        size = 128 if name == "bpr" else 32
        model.fit(source, steps=steps or STEPS[name], batch_size=size, verbose=False)
    return model


def lists(*items, n_items=45):
    return Histories.of_lists([list(each) for each in items], n_items)


def random_source(tmp_path, users=40, items=30, seed=0):
    from data import write

    rng = np.random.default_rng(seed)
    table = [
        (f"u{user:03}", f"i{item:03}", 1, n)
        for user in range(users)
        for n, item in enumerate(rng.choice(items, rng.integers(6, 15), replace=False))
    ]
    return write(tmp_path / "random.csv", table), opened
