"""RecBole's side of ``bench.speed``; runs in RecBole's environment, and imports nothing of ours."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

STOP = 10**9


def main() -> None:
    """Train some steps with RecBole's own trainer, and print what it learned from in a second."""
    import recbole
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.model.general_recommender import MultiVAE
    from recbole.model.sequential_recommender import SASRec
    from recbole.trainer import Trainer
    from recbole.utils import init_seed

    model, folder, asked, steps, warm = sys.argv[1:]
    job, count = json.loads(asked), int(steps) + int(warm)
    own, special = {
        "mult-vae": (
            MultiVAE,
            {
                "mlp_hidden_size": [job["settings"].get("hidden_dim")],
                "latent_dimension": job["settings"].get("latent_dim"),
                "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "RO", "mode": "full"},
                "train_neg_sample_args": None,
            },
        ),
        "sasrec": (
            SASRec,
            {
                "hidden_size": job["settings"].get("dim"),
                "inner_size": job["settings"].get("dim"),
                "n_layers": job["settings"].get("blocks"),
                "n_heads": job["settings"].get("heads"),
                "MAX_ITEM_LIST_LENGTH": job["settings"].get("length"),
                "loss_type": "CE",
                "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"},
                "train_neg_sample_args": None,
            },
        ),
    }[model]
    # RecBole reads the command line itself.
    sys.argv = sys.argv[:1]
    settings: dict[str, Any] = {
        "data_path": folder,
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "train_batch_size": job["batch"],
        "epochs": 1,
        "use_gpu": False,
        "show_progress": False,
        **special,
    }
    config = Config(model=own.__name__, dataset="mls", config_dict=settings)
    init_seed(0, True)
    dataset = create_dataset(config)
    data, _, _ = data_preparation(config, dataset)
    made = own(config, data.dataset)
    trainer = Trainer(config, made)
    times: list[tuple[float, float]] = []

    class Enough(Exception):  # noqa: N818 - no error: it ends the epoch
        """Enough steps were seen."""

    calculate = made.calculate_loss

    def watched(*arguments: Any) -> Any:
        times.append((time.perf_counter(), time.process_time()))
        if len(times) > count:
            raise Enough
        return calculate(*arguments)

    made.calculate_loss = watched
    try:
        for epoch in range(STOP):
            trainer._train_epoch(data, epoch)  # noqa: SLF001 - its own loop, with its own loader
    except Enough:
        pass
    wall, cpu = (last - first for first, last in zip(times[int(warm)], times[count], strict=True))
    seen = int(steps) * job["batch"]
    told = {
        "recbole": recbole.__version__,
        "examples_a_second": seen / wall,
        "learned_a_second": seen / wall,
        "learned_a_cpu_second": seen / cpu,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
