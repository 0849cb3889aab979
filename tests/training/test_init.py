"""Beginning from another run's weights: all that fits is taken, and what doesn't is told."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file

import genkit
from genkit.errors import RunError
from tests.training.small import SMALL

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.usefixtures("active_backend", "compiled_fast"),
]

SEVERAL_CLASSES = {"config": {**SMALL["config"], "dropout": 0}, "batch_size": 8}


def weights(result, step):
    return load_file(result.path / f"checkpoints/{step:08d}/model.safetensors")


def told(result):
    return json.loads((result.path / "environment.json").read_text())["init"]


@pytest.fixture
def pictures(tmp_path):
    """Write an .npz file of labelled pictures; give the settings that open it."""

    def write(name, classes, channels):
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (24, 8, 8, channels), dtype=np.uint8)
        np.savez(tmp_path / name, image=images, label=np.arange(24) % classes)
        return {"dataset": "npz", "data": {"path": str(tmp_path / name), "label": "label"}}

    return write


def test_the_same_model_takes_all_weights_and_begins_at_step_one(train):
    first = train(steps=5, name="first")
    second = train(steps=0, init=str(first.path), seed=9, name="second")
    zero = second.path / "checkpoints/00000000/model.safetensors"
    assert zero.read_bytes() == (first.path / "checkpoints/00000005/model.safetensors").read_bytes()
    assert told(second)["taken"] == sorted(weights(first, 5))
    assert told(second)["left_out"] == {}
    third = train(steps=1, init=str(first.path), name="third")
    assert json.loads((third.path / "metrics.jsonl").read_text())["step"] == 1


def test_a_run_killed_before_its_first_checkpoint_still_starts_from_init(train):
    first = train(steps=5, name="first")
    second = train(steps=0, init=first, seed=9, name="second")
    shutil.rmtree(second.path / "checkpoints")
    genkit.resume(second.path, verbose=False)
    zero = second.path / "checkpoints/00000000/model.safetensors"
    assert zero.read_bytes() == (first.path / "checkpoints/00000005/model.safetensors").read_bytes()


def test_an_exported_model_serves_as_its_run_does(train, tmp_path):
    first = train(steps=5, name="first")
    model = tmp_path / "model"
    shutil.copytree(first.path / "model", model)
    second = train(steps=0, init=str(model), seed=9, name="second")
    zero = second.path / "checkpoints/00000000/model.safetensors"
    assert zero.read_bytes() == (first.path / "checkpoints/00000005/model.safetensors").read_bytes()
    assert told(second)["run"] == str(model)
    file = model / "weights.safetensors"
    (tmp_path / "elsewhere").write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="without links out of it"):
        train(steps=0, init=str(model), name="third")


def test_other_classes_keep_all_but_what_belongs_to_the_classes(train, pictures):
    three, five = pictures("three.npz", 3, 1), pictures("five.npz", 5, 1)
    first = train("cgan", steps=2, name="first", **SEVERAL_CLASSES, **three)
    with pytest.warns(UserWarning, match=r"variables \d+ were taken from .*not taken: .*\(3, 32\)"):
        second = train(
            "cgan", steps=0, init=first, seed=9, name="second", **SEVERAL_CLASSES, **five
        )
    before, after = weights(first, 2), weights(second, 0)
    left_out = told(second)["left_out"]
    assert len(left_out) == 2, "the generator's and the discriminator's embeddings"
    assert all("(3, " in reason and "(5, " in reason for reason in left_out.values())
    for name, array in after.items():
        if name not in left_out:
            np.testing.assert_array_equal(array, before[name])


def test_other_channels_keep_what_does_not_touch_the_image(train, pictures):
    gray, color = pictures("gray.npz", 2, 1), pictures("color.npz", 2, 3)
    first = train(steps=2, name="first", **{**SMALL, **gray, "batch_size": 8})
    with pytest.warns(UserWarning, match="there, "):
        second = train(
            steps=0, init=first, seed=9, name="second", **{**SMALL, **color, "batch_size": 8}
        )
    left_out = told(second)["left_out"]
    assert {name.split("/")[0] for name in left_out} == {"encoder", "decoder"}
    assert len(left_out) == 3, "the first kernel, and the last kernel and bias"
    assert second.to_dict()["init"]["left_out"] == left_out


def test_a_model_that_shares_nothing_is_refused_and_leaves_nothing(train):
    first = train(steps=0, name="first")
    with pytest.raises(RunError, match=r"Nothing of .*first fits this model: .*same model"):
        train("dcgan", steps=1, init=first, name="second")
    assert [p.name for p in first.path.parent.iterdir()] == ["first"]


def test_what_was_not_taken_is_drawn_from_the_seed(train, pictures):
    gray, color = pictures("gray.npz", 2, 1), pictures("color.npz", 2, 3)
    first = train(steps=2, name="first", **{**SMALL, **gray, "batch_size": 8})
    settings = {**SMALL, **color, "batch_size": 8, "seed": 9, "steps": 0}
    fresh = train(name="fresh", **settings)
    with pytest.warns(UserWarning, match="not taken"):
        second = train(init=first, name="second", **settings)
    for name in told(second)["left_out"]:
        np.testing.assert_array_equal(weights(second, 0)[name], weights(fresh, 0)[name])


def test_a_damaged_run_is_refused_in_one_line(train):
    first = train(steps=0, name="first")
    file = first.path / "checkpoints/00000000/model.safetensors"
    file.write_bytes(file.read_bytes()[:-8] + b"\xff" * 8)
    with pytest.raises(RunError, match="SHA-256 differs") as caught:
        train(steps=1, init=first, name="second")
    assert "\n" not in str(caught.value)
