"""A model in hand becomes an exported one."""

import numpy as np
import pytest

import genkit
from genkit.errors import UsageError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.usefixtures("active_backend", "compiled_fast"),
]


def test_a_loaded_model_is_saved_and_loads_again(trained, tmp_path):
    result = trained(steps=2)
    model = genkit.load(result)
    genkit.save(model, tmp_path / "models" / "mine")
    again = genkit.load(tmp_path / "models" / "mine")
    np.testing.assert_array_equal(again.generate(3), model.generate(3))
    for name in ("config.json", "weights.safetensors"):
        saved = (tmp_path / "models" / "mine" / name).read_bytes()
        assert saved == (result.path / "model" / name).read_bytes()
    with pytest.raises(UsageError, match="mine exists already"):
        genkit.save(model, tmp_path / "models" / "mine")


def test_what_cannot_be_saved_leaves_nothing(trained, tmp_path, monkeypatch):
    class Own(genkit.Model):
        pass

    own = Own()
    with pytest.raises(UsageError, match="never bound"):
        genkit.save(own, tmp_path / "own")
    own.schema = genkit.load(trained(steps=2)).schema
    with pytest.raises(UsageError, match=r"Own is a program's own") as caught:
        genkit.save(own, tmp_path / "own")
    assert "genkit.train" in caught.value.hint
    model = genkit.load(trained(steps=2))
    monkeypatch.setattr("genkit.runs.export.write_json", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        genkit.save(model, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_keeps_items_of_its_data_stays_in_its_run(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("genkit.builtin.models.vae.VAE.keeps_items", True)
    run = trained(steps=3).path
    with pytest.raises(UsageError, match=r"'vae' are items of its data as they were") as caught:
        genkit.save(genkit.load(run), tmp_path / "copy")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "copy").exists()
    assert not (run / "model" / "weights.safetensors").exists()
    card = (run / "model" / "README.md").read_text(encoding="utf-8")
    assert "Its weights are items of the data" in card
    assert "It keeps items of its data as they were" in card
    assert card.count("genkit.load(run)") == 1
