"""A model trained by actors is the one that processes of this machine train."""

import hashlib
import json

import pytest

import genkit
from genkit.errors import UsageError

STEPS = 4


def train(folder, name, **asked):
    asked = {"workers": 2, "batch_size": 32, **asked}
    return genkit.train(
        "dcgan", dataset="digits", config={"width": 2}, steps=STEPS,
        checkpoint_every=2, keep=10, runs_dir=folder, name=name, verbose=False,
        **asked,
    )  # fmt: skip


def bits(path):
    files = [*path.glob("model/*.safetensors"), *path.glob("checkpoints/*/*.safetensors")]
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }


def test_two_actors_train_the_model_that_two_processes_do(cluster, tmp_path):
    here = train(tmp_path, "here")
    there = train(tmp_path, "there", launcher="ray")
    assert there.outcome.metrics == here.outcome.metrics
    assert len(bits(there.path)) > 2
    assert bits(there.path) == bits(here.path)
    environment = json.loads((there.path / "environment.json").read_text())
    assert environment["workers"] == 2


@pytest.mark.parametrize("workers", [None, 1000])
def test_what_is_refused_leaves_nothing(cluster, tmp_path, workers):
    with pytest.raises(UsageError, match=r"Expected (a number of|no more) workers") as caught:
        train(tmp_path, "refused", launcher="ray", workers=workers, batch_size=1000)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
