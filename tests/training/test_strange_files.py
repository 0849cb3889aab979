"""Runs and models that were damaged, or come from strangers."""

import json
import sys

import pytest

import genkit
from genkit.errors import DataError, RunError

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("active_backend")]


def test_a_changed_byte_in_a_checkpoint_is_found(train):
    result = train(steps=2)
    file = result.path / "checkpoints/00000002/model.safetensors"
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with pytest.raises(RunError, match=r"not as it was written.*one before"):
        genkit.load(result.path)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["metrics.jsonl", "samples", "checkpoints/00000002/state.json"])
def test_a_link_out_of_a_run_is_not_followed(train, tmp_path, where):
    result = train(steps=2, sample_every=2)
    outside = tmp_path / "outside"
    (result.path / where).rename(outside)
    (result.path / where).symlink_to(outside)
    for open_ in (genkit.load, lambda path: genkit.resume(path, 1, verbose=False)):
        with pytest.raises(RunError, match="without links out of it"):
            open_(result.path)


@pytest.mark.slow
def test_a_link_out_of_an_exported_model_is_not_followed(train, tmp_path):
    model = train(steps=1).path / "model"
    (model / "config.json").rename(tmp_path / "config.json")
    (model / "config.json").symlink_to(tmp_path / "config.json")
    with pytest.raises(RunError, match="without links out of it"):
        genkit.load(model)


@pytest.mark.slow
def test_a_small_file_gets_no_memory_for_a_large_model(train):
    """The config of an export asks for gigabytes; its weights are some kilobytes."""
    model = train(steps=1).path / "model"
    config = json.loads((model / "config.json").read_text())
    config["config"] |= {"width": 1024, "hidden": 8192}
    config["schema"]["image"]["shape"] = [4096, 4096, 1]
    (model / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match=r"asks for [0-9,]+ weights or more; there is room for"):
        genkit.load(model)


@pytest.mark.slow
def test_what_a_file_says_and_no_model_can_be_is_a_clear_error(train, monkeypatch):
    from genkit.builtin.models.vae import VAE

    model = train(steps=1).path / "model"
    config = json.loads((model / "config.json").read_text())
    config["schema"]["image"]["shape"] = [8, 8, 1.5]
    (model / "broken.json").write_text(json.dumps(config))
    monkeypatch.setattr(VAE, "__init__", lambda self, config, schema: 1 / 0)
    with pytest.raises(RunError, match="can't be built as its file says: division by zero"):
        genkit.load(model)
    (model / "broken.json").rename(model / "config.json")
    with pytest.raises(DataError, match="sizes must be positive integers"):
        genkit.load(model)


def test_a_class_named_by_a_file_is_not_imported(train, tmp_path, monkeypatch):
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    model = train(steps=1).path / "model"
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "model": "evil:Model"}))
    with pytest.raises(RunError, match="'evil:Model' of genkit-keras is not installed"):
        genkit.load(model)
    assert "evil" not in sys.modules
