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
        {"epochs": 50, "batch_size": 64, "kl_weight": 0.2, "annealing_steps": 500},
        {"epochs": 30, "batch_size": 64, "kl_weight": 0.5, "annealing_steps": 300},
    ],
    "mult-dae": [
        {"epochs": 30, "batch_size": 64, "l2": 1e-4},
        {"epochs": 30, "batch_size": 64, "l2": 1e-3},
    ],
    "recvae": [
        {"epochs": 60, "batch_size": 64, "gamma": 0.005},
        {"epochs": 60, "batch_size": 64, "gamma": 0.0035, "learning_rate": 1e-3},
    ],
    "cfgan": [
        {"epochs": 40, "batch_size": 32, "zero_reconstruction": 0.1},
        {"epochs": 40, "batch_size": 32, "zero_reconstruction": 0.5},
    ],
    "sasrec": [
        {"epochs": 10, "batch_size": 32},
        {"epochs": 10, "batch_size": 32, "learning_rate": 0.003, "dropout": 0.4},
    ],
}
