"""What is tried of each model: the budget of tuning, in the order it is tried.

A trial is measured on the validation split of seed 0; the best by NDCG@10 is trained with each
seed. The settings of a trial come over the model's defaults; ``epochs`` and ``batch_size`` are
training's.
"""

from __future__ import annotations

from typing import Any

TRIALS: dict[str, list[dict[str, Any]]] = {
    "popularity": [{}],
    "item-knn": [
        {"neighbours": 50, "shrink": 20.0},
        {"neighbours": 200, "shrink": 20.0},
        {"neighbours": 200, "shrink": 100.0},
    ],
    "ease": [{"l2": 100.0}, {"l2": 300.0}, {"l2": 1000.0}],
    "bpr": [
        {"epochs": 40, "batch_size": 2048, "learning_rate": 0.002, "l2": 0.001},
        {"epochs": 40, "batch_size": 2048, "learning_rate": 0.005, "l2": 0.01},
        {"epochs": 80, "batch_size": 2048, "learning_rate": 0.002, "l2": 0.01},
    ],
    "mult-vae": [
        {"epochs": 50, "batch_size": 64, "kl_weight": 1.0, "annealing_steps": 300},
        {
            "epochs": 100,
            "batch_size": 64,
            "kl_weight": 1.0,
            "annealing_steps": 500,
            "dropout": 0.7,
            "learning_rate": 5e-4,
        },
    ],
    "mult-dae": [
        {"epochs": 30, "batch_size": 64, "l2": 1e-4},
        {"epochs": 50, "batch_size": 64, "l2": 3e-4, "dropout": 0.7},
    ],
    "recvae": [
        {"epochs": 60, "batch_size": 64, "gamma": 0.005},
        {"epochs": 60, "batch_size": 64, "gamma": 0.0035, "learning_rate": 1e-3},
    ],
    "cfgan": [
        {"epochs": 200, "batch_size": 64},
        {"epochs": 300, "batch_size": 64},
    ],
    "sasrec": [{"epochs": 30, "batch_size": 32, "dropout": 0.4}],
}
