"""RecBole's side of ``bench.quality``; runs in RecBole's environment, imports nothing of ours."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

PARTS = ("train", "validation", "test")
# The classes, and whether they learn from drawn negatives.
MODELS = {
    "popularity": ("Pop", True),
    "item-knn": ("ItemKNN", True),
    "ease": ("EASE", False),
    "bpr": ("BPR", True),
    "mult-vae": ("MultiVAE", False),
    "mult-dae": ("MultiDAE", False),
    "recvae": ("RecVAE", False),
}


def main() -> None:
    """Train a model with RecBole's own settings and trainer, and print its test figures."""
    import recbole
    import torch
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_trainer, init_seed

    model, folder, seed = sys.argv[1:]
    # RecBole reads the command line itself; and it loads its own checkpoint, which newer versions
    # of PyTorch refuse unless told that it is trusted.
    sys.argv = sys.argv[:1]
    load = torch.load
    torch.load = lambda *a, **k: load(*a, **{**k, "weights_only": False})
    name, negatives = MODELS[model]
    settings: dict[str, Any] = {
        "data_path": folder,
        "checkpoint_dir": folder,
        "benchmark_filename": PARTS,
        "load_col": {"inter": ["user_id", "item_id"]},
        "eval_args": {"group_by": "user", "mode": "full"},
        "metrics": ["Recall", "NDCG", "Hit"],
        "topk": [10],
        "valid_metric": "NDCG@10",
        "seed": int(seed),
        "use_gpu": False,
        "show_progress": False,
        **({} if negatives else {"train_neg_sample_args": None}),
    }
    config = Config(model=name, dataset="mls", config_dict=settings)
    init_seed(config["seed"], True)
    dataset = create_dataset(config)
    train, valid, test = data_preparation(config, dataset)
    general = importlib.import_module("recbole.model.general_recommender")
    made = getattr(general, name)(config, train.dataset).to(config["device"])
    trainer = get_trainer(config["MODEL_TYPE"], name)(config, made)
    trainer.fit(train, valid, verbose=False)
    found = trainer.evaluate(test)
    values = {key: float(value) for key, value in found.items()}
    print(json.dumps({"recbole": recbole.__version__, "values": values}))


if __name__ == "__main__":
    main()
