"""Extractors: the same numbers everywhere, from weights that are the expected ones."""

import hashlib
import http.server
import json
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genkit.builtin.datasets.fashion_mnist import CLASSES, FashionMnistConfig, open_fashion_mnist
from genkit.builtin.datasets.mnist import MnistConfig, open_mnist
from genkit.builtin.extractor_specs import EXTRACTORS
from genkit.errors import DataError, UsageError
from genkit.evaluation import Batch
from genkit.evaluation.extractors.resizing import network_input, resizing_matrix
from genkit.plan.activation import BACKENDS
from genkit.plugins.specs import Field
from tests.evaluation.shown import opened

GRAY = Field((28, 28, 1), "uint8", "image", (0, 255))
SHIPPED = ("mnist-classifier", "fashion-classifier")
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def digits():
    items = open_mnist(MnistConfig(split="test")).gather(np.arange(1000))
    return items["image"], items["label"]


def named(extractor, images):
    return extractor.probabilities(extractor.features(images)).argmax(axis=1)


@pytest.mark.usefixtures("active_backend")
def test_digits_that_it_never_saw_are_recognised(digits):
    images, labels = digits
    extractor = opened("mnist-classifier", GRAY)
    features = extractor.features(images)
    assert (features.shape, features.dtype) == ((1000, 128), np.float32)
    np.testing.assert_allclose(extractor.probabilities(features).sum(axis=1), 1, rtol=1e-5)
    assert np.mean(named(extractor, images) == labels) >= 0.99
    assert extractor.classes == tuple("0123456789")


@pytest.mark.usefixtures("active_backend", "data_folder")
def test_clothes_that_it_never_saw_are_recognised():
    items = open_fashion_mnist(FashionMnistConfig(split="test")).gather(np.arange(1000))
    extractor = opened("fashion-classifier", GRAY)
    assert np.mean(named(extractor, items["image"]) == items["label"]) >= 0.91
    assert extractor.classes == CLASSES


@pytest.mark.usefixtures("active_backend")
def test_digits_of_other_sizes_ranges_and_in_colour_are_recognised(digits):
    images, labels = (array[:200] for array in digits)
    larger = np.repeat(np.repeat(np.repeat(images, 2, axis=1), 2, axis=2), 3, axis=3)
    field = Field((56, 56, 3), "float32", "image", (-1, 1))
    extractor = opened("mnist-classifier", field)
    assert np.mean(named(extractor, larger / 127.5 - 1) == labels) >= 0.98


@pytest.mark.usefixtures("active_backend")
def test_a_batch_makes_features_once_for_all_that_ask(digits, monkeypatch):
    extractor = opened("mnist-classifier", GRAY)
    batch = Batch(digits[0][:8], extractor)
    first = batch.features
    monkeypatch.setattr(extractor, "features", None)
    assert batch.features is first
    assert batch.probabilities.shape == (8, 10)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_weights_are_small_and_have_the_digest_that_the_card_states(name, active_backend):
    folder = Path(__file__).parents[2] / "genkit/evaluation/extractors/weights"
    content = (folder / f"{name}.safetensors").read_bytes()
    card = opened(name, GRAY).card()
    assert len(content) < 1_000_000
    assert card["extractor"] == name
    assert card["extractor_hash"] == hashlib.sha256(content).hexdigest()
    assert "28x28" in card["resize"]


@pytest.mark.usefixtures("active_backend")
def test_damaged_or_missing_weights_are_refused(monkeypatch, tmp_path):
    from genkit.evaluation.extractors import classifier

    monkeypatch.setattr(classifier, "files", lambda _: tmp_path)
    with pytest.raises(DataError, match=r"mnist-classifier\.safetensors is missing or damaged"):
        opened("mnist-classifier", GRAY)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "mnist-classifier.safetensors").write_bytes(b"others")
    with pytest.raises(DataError, match="Install genkit-keras again"):
        opened("mnist-classifier", GRAY)


@pytest.mark.slow
@pytest.mark.usefixtures("active_backend")
def test_the_command_in_the_repo_writes_weights_that_the_extractor_takes(
    monkeypatch, tmp_path, capsys
):
    from genkit.evaluation.extractors import classifier, train

    few = open_mnist(MnistConfig(limit=256))
    monkeypatch.setattr(train, "_open", lambda *_: few)
    monkeypatch.setattr(
        sys, "argv", ["train", "mnist-classifier", "--out", str(tmp_path / "weights")]
    )
    train.main()
    digest = capsys.readouterr().out.split()[-1]
    monkeypatch.setattr(classifier, "files", lambda _: tmp_path)
    monkeypatch.setattr(classifier.MnistClassifier, "digest", digest)
    assert opened("mnist-classifier", GRAY).digest == digest


def test_an_unknown_extractor_is_suggested_and_strange_images_are_refused(active_backend):
    with pytest.raises(UsageError, match="Did you mean 'pixels'"):
        opened("pixel", GRAY)
    for shape, limits in (((28, 28, 4), (0, 255)), ((None, None, 1), (0, 255)), ((8, 8, 1), None)):
        with pytest.raises(DataError, match="mnist-classifier expects gray or colour images"):
            opened("mnist-classifier", Field(shape, "uint8", "image", limits))


@pytest.mark.parametrize(("size", "new"), [(28, 28), (8, 28), (64, 28), (30, 299), (17, 5)])
def test_resizing_is_pillows(size, new):
    line = RNG.uniform(0, 255, (size, size)).astype("float32")
    resized = Image.fromarray(line).resize((new, new), Image.Resampling.BILINEAR)
    matrix = resizing_matrix(size, new)
    np.testing.assert_allclose(matrix @ line @ matrix.T, np.asarray(resized), atol=0.01)


def test_gray_becomes_three_channels_and_colours_their_mean():
    gray = RNG.integers(0, 256, (2, 28, 28, 1)).astype("uint8")
    colour = np.concatenate([gray, 0 * gray, 0 * gray], axis=-1)
    coloured = network_input(GRAY, 28, 3, "x")(gray)
    np.testing.assert_array_equal(coloured, np.repeat(gray, 3, axis=-1))
    field = Field((28, 28, 3), "uint8", "image", (0, 255))
    np.testing.assert_allclose(network_input(field, 28, 1, "x")(colour), gray / 3, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.cross_backend
def test_features_are_the_same_on_every_backend(tmp_path):
    text = (
        "import sys, numpy as np, genkit; genkit.activate(sys.argv[1])\n"
        "from genkit.builtin.datasets.mnist import MnistConfig, open_mnist\n"
        "from genkit.evaluation.extractors import open_extractor\n"
        "source = open_mnist(MnistConfig(split='test'))\n"
        "extractor = open_extractor('mnist-classifier', source.schema, 'image')\n"
        "features = extractor.features(source.gather(np.arange(100))['image'])\n"
        "np.savez(sys.argv[2], f=features, p=extractor.probabilities(features))\n"
    )
    for name in BACKENDS:
        subprocess.run([sys.executable, "-c", text, name, str(tmp_path / name)], check=True)
    first, *others = (np.load(tmp_path / f"{name}.npz") for name in BACKENDS)
    for other in others:
        np.testing.assert_allclose(other["f"], first["f"], atol=1e-4, rtol=1e-4)
        np.testing.assert_allclose(other["p"], first["p"], atol=1e-4)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder that a server on this machine serves, and an empty cache."""
    folder = tmp_path / "served"
    folder.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    handler = partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{httpd.server_port}/"
        httpd.shutdown()
        thread.join()


def small_classifier(extractor):
    """Build a network with MobileNet's input, features and classes that is built in no time."""
    import keras

    layers = keras.layers
    images = keras.Input((extractor.side, extractor.side, 3))
    features = layers.Conv2D(960, 1)(layers.Conv2D(8, 16, 16)(images))
    scores = layers.Conv2D(1000, 1)(layers.GlobalAveragePooling2D(keepdims=True)(features))
    return keras.Model(images, layers.Softmax()(layers.Flatten()(scores)))


@pytest.mark.slow
@pytest.mark.usefixtures("active_backend")
@pytest.mark.parametrize("network", ["small", pytest.param("whole", marks=pytest.mark.full)])
def test_mobilenet_is_downloaded_once_checked_and_makes_features(served, monkeypatch, network):
    from genkit.evaluation.extractors.applications import MobileNet

    if network == "small":
        monkeypatch.setattr(MobileNet, "build", small_classifier)
    folder, url = served
    monkeypatch.setattr(MobileNet, "base_url", url)
    with pytest.raises(DataError, match=r"404.*put the file into .*extractors"):
        opened("mobilenet", GRAY)

    untrained = MobileNet.build(MobileNet)
    write_old_format(untrained, folder / MobileNet.file)
    with pytest.raises(DataError, match=r"hash of downloaded file.*does not match"):
        opened("mobilenet", GRAY)

    content = (folder / MobileNet.file).read_bytes()
    monkeypatch.setattr(MobileNet, "md5", hashlib.md5(content).hexdigest())
    extractor = opened("mobilenet", GRAY)
    (folder / MobileNet.file).unlink()
    again = opened("mobilenet", GRAY)
    assert again.digest == hashlib.sha256(content).hexdigest()

    images = RNG.integers(0, 256, (3, 28, 28, 1)).astype("uint8")
    features = extractor.features(images)
    assert (features.shape, features.dtype) == ((3, 960), np.float32)
    np.testing.assert_array_equal(again.features(images), features)
    wanted = untrained(network_input(GRAY, 224, 3, "x")(images) / 127.5 - 1, training=False)
    found = extractor.probabilities(features)
    np.testing.assert_allclose(found, np.asarray(wanted), atol=1e-5)
    assert json.dumps(extractor.card())


def write_old_format(model, file):
    """Write weights in the format of the published files."""
    import h5py
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    with h5py.File(file, "w") as archive:
        save_weights_to_hdf5_group(archive, model)


@pytest.mark.slow
@pytest.mark.usefixtures("active_backend")
def test_weights_of_another_network_are_refused(served, monkeypatch):
    import keras

    from genkit.evaluation.extractors.applications import MobileNet

    folder, url = served
    write_old_format(
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]), folder / MobileNet.file
    )
    digest = hashlib.md5((folder / MobileNet.file).read_bytes()).hexdigest()
    monkeypatch.setattr(MobileNet, "build", small_classifier)
    monkeypatch.setattr(MobileNet, "base_url", url)
    monkeypatch.setattr(MobileNet, "md5", digest)
    with pytest.raises(DataError, match="Layer count mismatch"):
        opened("mobilenet", GRAY)


@pytest.mark.slow
@pytest.mark.usefixtures("active_backend")
def test_inception_without_a_connection_says_where_to_put_the_file(monkeypatch, tmp_path):
    from genkit.evaluation.extractors.applications import Inception

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(Inception, "base_url", "http://127.0.0.1:9/")
    with pytest.raises(DataError) as raised:
        opened("inception", GRAY)
    assert "inception_v3_weights_tf_dim_ordering_tf_kernels.h5 from http" in raised.value.message
    assert f"put the file into {tmp_path}" in raised.value.hint


def test_the_records_name_classes_of_that_name(active_backend):
    from genkit.plugins.specs import resolve

    for spec in EXTRACTORS:
        assert resolve(spec.extractor).name == spec.name
