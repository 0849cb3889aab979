"""The command line on conditional models and on models with latents."""

import json

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture
def trained(genkit_command, tmp_path):
    def train(model):
        genkit_command(
            "run", model, "--dataset", "digits", "--steps", 5, "--set", "width=4", "--name", model
        )
        return tmp_path / "runs" / model

    return train


def size_of(file):
    with Image.open(file) as picture:
        return picture.size


def test_labels_choose_what_is_generated(genkit_command, trained):
    run = trained("cgan")
    generate = ("generate", run)

    told = json.loads(
        genkit_command(*generate, "--label", "0:9", "--n", 3, "--format", "grid", "--json").stdout
    )
    assert (told["n"], told["label"]) == (30, list(range(10)))
    assert told["classes"] == list("0123456789")
    size = size_of(run / "generated" / "grid.png")
    assert size == (3 * 72 + 8, 10 * 72 + 8), "a row a class, 64 pixels each and 8 between"

    genkit_command(*generate, "--label", "7, 2:3, 3, 7", "--n", 2, "--format", "npz")
    with np.load(run / "generated" / "samples.npz") as arrays:
        samples, label = arrays["samples"], arrays["label"]
    assert label.tolist() == [7, 7, 2, 2, 3, 3], "each class once, however often it is named"
    assert samples.shape == (6, 8, 8, 1)

    genkit_command(*generate, "--label", "7", "--n", 1, "--format", "npz")
    with np.load(run / "generated" / "samples.npz") as arrays:
        np.testing.assert_array_equal(arrays["samples"], samples[:1])

    genkit_command(*generate, "--label", "3", "--n", 2)
    pngs = sorted(file.name for file in (run / "generated").glob("label-*"))
    assert pngs == ["label-3-00000.png", "label-3-00001.png"]

    for wrong, said in (("10", "received '10'"), ("9:4", "that rises"), ("cat", "received 'cat'")):
        done = genkit_command(*generate, "--label", wrong, check=False)
        assert done.returncode == 2
        assert said in done.stderr


def test_latents_are_written_and_drawn(genkit_command, trained):
    run = trained("vae")
    out = run / "generated"

    told = json.loads(genkit_command("reconstruct", run, "--n", 6, "--json").stdout)
    assert 0 < told["mean_squared_error"] < 1
    assert size_of(out / "reconstructed.png") == (6 * 72 + 8, 2 * 72 + 8)

    genkit_command("encode", run, "--data", "split=train", "--out", run / "z.npz")
    with np.load(run / "z.npz") as arrays:
        assert arrays["latent"].shape == (1500, 16)
        assert arrays["label"].shape == (1500,)

    genkit_command("interpolate", run, "--n", 3, "--steps", 5)
    assert size_of(out / "interpolated.png") == (5 * 72 + 8, 3 * 72 + 8)

    for arguments, said in (
        (("reconstruct", run, "--n", 100_000), "at most 297"),
        (("generate", run, "--label", 1), "Train a model that generates by label"),
        (("generate", run, "--out", "a" * 300), "a name of at most"),
        (("encode", run, "--out", "a" * 300 + ".npz"), "a name of at most"),
        (("report", run, "--out", "a" * 300 + ".html"), "a name of at most"),
        (("encode", run, "--data", "transforms=resize=16"), "another schema"),
    ):
        done = genkit_command(*arguments, check=False)
        assert done.returncode == 2
        assert said in done.stderr


def test_a_model_without_latents_says_what_it_can(genkit_command, trained):
    done = genkit_command("reconstruct", trained("dcgan"), check=False)
    assert done.returncode == 2
    assert "can generate; not reconstruct" in done.stderr
