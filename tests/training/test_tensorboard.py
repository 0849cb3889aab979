"""What TensorBoard reads of a run: the losses, the pictures, and no trace of an interruption."""

import io
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import genkit
from genkit.errors import UsageError
from genkit.runs.run import Run
from tests.training.small import SMALL

pytest.importorskip("tensorboard")
from tensorboard.backend.event_processing.event_accumulator import IMAGES, SCALARS, EventAccumulator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.usefixtures("active_backend", "compiled_fast"),
    pytest.mark.filterwarnings("ignore:The training step runs eagerly:UserWarning"),
]
SETTINGS = {"log": ["tensorboard"], "steps": 40, "checkpoint_every": 5, "sample_every": 20}


def events(path):
    found = EventAccumulator(str(path / "tensorboard"), size_guidance={SCALARS: 0, IMAGES: 0})
    return found.Reload()


def curves(path):
    found = events(path)
    return {
        tag: [(point.step, point.value) for point in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
    }


@pytest.fixture(scope="module")
def whole(active_backend, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return genkit.train("vae", runs_dir=folder, **{**SMALL, **SETTINGS})


def test_losses_stand_by_step_and_their_means_by_epoch(whole):
    rows = Run.open(whole.path).metrics()
    found = curves(whole.path)
    losses = rows[0].keys() - {"step", "epoch", "seconds"}
    assert found.keys() == losses | {f"epoch_{name}" for name in losses}
    kept = [row for row in rows if row["step"] == 1 or row["step"] % 10 == 0]
    assert [step for step, _ in found["loss"]] == [1, 10, 20, 30, 40]
    assert [value for _, value in found["loss"]] == [np.float32(row["loss"]) for row in kept]
    means = [np.mean([r["loss"] for r in rows if r["epoch"] == epoch]) for epoch in (1, 2, 3)]
    assert [step for step, _ in found["epoch_loss"]] == [15, 30, 40]
    assert [value for _, value in found["epoch_loss"]] == pytest.approx(means)


def test_sample_grids_are_pictures_that_can_be_decoded(whole):
    found = events(whole.path).Images("samples")
    assert [image.step for image in found] == [1, 10, 20, 40]
    for image in found:
        file = whole.path / f"samples/{image.step:08d}.png"
        picture = Image.open(io.BytesIO(image.encoded_image_string))
        assert picture.size == (image.width, image.height)
        np.testing.assert_array_equal(np.asarray(picture), np.asarray(Image.open(file)))


def go_back(path, step):
    """Put a run back as a kill would have left it: without the checkpoints after a step."""
    for checkpoint in (path / "checkpoints").iterdir():
        if int(checkpoint.name) > step:
            shutil.rmtree(checkpoint)


def test_a_killed_run_reads_as_one_when_it_was_resumed(train, whole):
    parts = train(name="parts", **{**SETTINGS, "steps": 23}, keep=9)
    go_back(parts.path, 15)
    last = max((parts.path / "tensorboard").iterdir())
    last.write_bytes(last.read_bytes() + b"half an event")
    genkit.resume(parts.path, 17, verbose=False)
    go_back(parts.path, 30)
    genkit.resume(parts.path, 10, verbose=False)
    assert curves(parts.path) == curves(whole.path)
    steps = [image.step for image in events(parts.path).Images("samples")]
    assert steps == sorted(set(steps))
    assert {20, 40} <= set(steps)


def test_tensorflow_is_not_imported_for_it(tmp_path):
    if os.environ.get("KERAS_BACKEND") == "tensorflow":
        pytest.skip("it is the backend")
    script = """
import sys, genkit
genkit.train("vae", dataset="digits", steps=1, log=["tensorboard"], verbose=False)
assert "tensorboard" in sys.modules
assert "tensorflow" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)


def test_without_the_package_a_run_says_how_to_get_it_and_does_not_begin(
    train, tmp_path, monkeypatch
):
    monkeypatch.delitem(sys.modules, "genkit.models.training.event_file", raising=False)
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto.event_pb2", None)
    with pytest.raises(UsageError, match=r"pip install 'genkit-keras\[tensorboard\]'"):
        train(steps=1, log=["tensorboard"])
    assert not list((tmp_path / "runs").glob("*"))


def test_a_step_below_one_between_points_is_refused(train):
    with pytest.raises(UsageError, match=r"tensorboard\.every of at least 1; received 0"):
        train(steps=1, callbacks={"tensorboard": {"every": 0}})
