"""What data hands on to the model that is trained on it: examples, draws, assets."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

import genkit
from genkit.data import Loader
from genkit.errors import DataError, RunError
from genkit.plugins.registry import Plugin, Registry, installed, using
from tests.training import pairs_plugin

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.usefixtures("active_backend", "words"),
]

SMALL = {"epochs": 1, "batch_size": 4, "verbose": False}


@pytest.fixture
def words():
    """Have the plugin with words and pairs installed."""
    registry = Registry()
    registry.add(pairs_plugin, Plugin("pairs", "pairs", "1.0"))
    with using(registry):
        yield


@pytest.fixture
def train(tmp_path):
    def run(name, **settings):
        settings = {**SMALL, "runs_dir": tmp_path, "name": name, **settings}
        return genkit.train("pairs", **settings)

    return run


def kernel(path):
    weights = load_file(path / "model/weights.safetensors")
    return next(array for name, array in weights.items() if name.endswith("kernel"))


def test_an_epoch_goes_through_the_examples_of_the_model(train):
    assert train("one").outcome.steps == 12 // 4
    with pytest.raises(DataError, match="no larger than the data, 12 items"):
        train("two", batch_size=13)


def test_draws_follow_the_seed_and_differ_from_batch_to_batch():
    source = pairs_plugin.Pairs(pairs_plugin.Words(pairs_plugin.WordsConfig()))

    def partners(seed, start=0):
        with Loader(source, batch_size=4, seed=seed, start_step=start) as loader:
            return [next(loader)["partner"] for _ in range(4)]

    first, again, later, other = partners(0), partners(0), partners(0, 2), partners(1)
    assert np.array_equal(first, again)
    assert np.array_equal(first[2:], later[:2])
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_assets_come_back_with_the_run_and_with_the_exported_model(train):
    path = train("kept").path
    for folder in (path, path / "model"):
        assert genkit.load(folder).assets["ids"].tolist() == [5, 4, 3, 2, 1, 0]


def test_the_card_shows_how_to_use_a_model_that_does_not_generate(train):
    card = (train("carded").path / "model/README.md").read_text()
    assert "help(model.pair)" in card
    assert "generate(" not in card


def test_damaged_assets_are_told_of_in_one_line(train):
    path = train("damaged").path
    (path / "assets.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(RunError, match="assets.safetensors can't be read") as caught:
        genkit.load(path)
    assert "\n" not in str(caught.value)


def test_data_without_assets_leaves_no_file(train, tmp_path, monkeypatch):
    monkeypatch.setattr(pairs_plugin.Words, "assets", {}, raising=False)
    make = pairs_plugin.Words.__init__

    def bare(self, config):
        make(self, config)
        del self.assets

    monkeypatch.setattr(pairs_plugin.Words, "__init__", bare)
    path = train("bare").path
    assert not list(path.rglob("assets.safetensors"))


def test_weights_of_another_run_are_adopted_by_what_its_assets_say(train):
    first = train("first").path
    second = train("second", data={"count": 8}, init=str(first), steps=0).path
    old, new = kernel(first), kernel(second)
    assert np.array_equal(new[2:], old)  # words 5 to 0 stand behind 7 and 6
    told = json.loads((second / "environment.json").read_text())["init"]
    assert told["left_out"] == {}


def test_one_call_binds_a_model_to_its_data_and_to_its_record():
    spec = installed().find("models", "cvae").spec
    schema = genkit.Schema({"image": genkit.Field((8, 8, 1), "uint8", "image", (0, 255))})
    ids = {"ids": np.arange(3)}
    model = genkit.Model()
    model.bind(schema, ids, spec)
    assert (model.schema, model.assets["ids"].tolist()) == (schema, [0, 1, 2])
    assert (model.capabilities, model.modality) == (spec.capabilities, "image")
    assert model.options == spec.options
    model.bind(schema.replace(image=genkit.Field((4, 4, 1), "uint8", "image", (0, 255))))
    assert model.schema == schema
    assert model.capabilities == spec.capabilities
