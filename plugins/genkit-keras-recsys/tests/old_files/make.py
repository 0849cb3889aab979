"""Make a run with this version of the plugin, and what it must give later.

KERAS_BACKEND=jax OMP_NUM_THREADS=1 python tests/old_files/make.py tests/old_files/COMMIT
"""

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from genkit_recsys.histories import Histories

import genkit

STEPS, MORE_STEPS = 20, 10
STRANGER = "Forrest Gump (1994), Pulp Fiction (1994), Fargo (1996)"


def main(folder):
    """Train, and keep the run with what it gives."""
    run = genkit.train(
        "mult-vae", dataset="ml-latest-small", data={"min_rating": 5, "item_core": 60},
        config={"hidden_dim": 8, "latent_dim": 4, "learning_rate": 0.05}, batch_size=64, seed=7,
        steps=STEPS, keep=1, runs_dir=folder, name="mult-vae", verbose=False,
    ).path  # fmt: skip
    for unread in (run / "report.html", run / "model/README.md"):
        unread.unlink(missing_ok=True)
    expected = {"scores": scores_of(run), "ndcg@10": figure_of(run), "resumed": resumed(run)}
    np.savez_compressed(folder / "expected.npz", **expected)


def scores_of(path):
    """Return the scores that a run or an exported model gives to users, and to strangers."""
    model = genkit.load(path, genkit.activate())
    lists = [model.archive.seen[user].tolist() for user in range(20)]
    lists += [model.archive.items_named(STRANGER), []]
    return model.scores(Histories.of_lists(lists, model.n_items))


def figure_of(path):
    """Return what an evaluation on the test split gives."""
    with copied(path) as copy:
        figures = {figure.name: figure.value for figure in genkit.evaluate(copy, verbose=False)}
    return np.array(figures["ndcg@10"])


def resumed(path):
    """Return the scores after more steps."""
    with copied(path) as copy:
        genkit.resume(copy, MORE_STEPS, backend=genkit.activate(), verbose=False)
        return scores_of(copy)


@contextmanager
def copied(path):
    """Copy a run for what is going to write into it."""
    with tempfile.TemporaryDirectory() as place:
        yield Path(shutil.copytree(path, Path(place) / path.name))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
