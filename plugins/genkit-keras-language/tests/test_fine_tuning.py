"""Going on from weights, of one's own or of others, in full or beside frozen ones."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from foreign import FIXTURES, numbers
from genkit_language import read_weights, write_weights
from genkit_language.configs import GPTConfig, PromptsConfig
from genkit_language.gpt import GPT
from genkit_language.network import Decoder
from genkit_language.prompts import open_prompts
from genkit_language.weights_command import export_weights, import_weights
from safetensors.numpy import load_file
from small import opened, write_text

import genkit
from genkit.errors import DataError, UsageError

SCRIPT = Path(__file__).parents[1] / "fine-tune.sh"
TINY = {"context": 12, "layers": 1, "heads": 2, "width": 16, "longest": 24}
LORA = {"lora_rank": 2, "lora_alpha": 8.0, "learning_rate": 0.05, "warmup_steps": 0}


def checkpoint(run, step):
    return load_file(run.path / f"checkpoints/{step:08d}/model.safetensors")


def is_adapter(name):
    return name.endswith(("lora_a", "lora_b"))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuned")
    write_text(folder)
    (folder / "other.txt").write_text("WELL! the fox is quick?\n" * 60, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def train(place):
    def trained(name, **settings):
        settings = {"dataset": "text", "data": {"path": str(place / "sayings.txt")}, **settings}
        config = {**TINY, **settings.pop("config", {})}
        with warnings.catch_warnings():  # of weights that the first run hasn't: the narrow ones
            warnings.simplefilter("ignore", UserWarning)
            return genkit.train(
                "gpt", config=config, name=name, runs_dir=place / "runs", batch_size=4,
                sample_every=1000, verbose=False, **settings,
            )  # fmt: skip

    return trained


@pytest.fixture(scope="module")
def base(train):
    return train("base", steps=4)


@pytest.fixture(scope="module")
def tuned(train, base):
    return train("tuned", steps=6, checkpoint_every=3, init=base, config=LORA)


def test_beside_frozen_weights_it_begins_as_the_base_to_the_bit(train, base):
    begun = train("begun", steps=0, init=base, config=LORA)
    first, second = genkit.load(base), genkit.load(begun)
    text = np.random.default_rng(0).integers(0, 28, (3, 12)).astype("int32")
    np.testing.assert_array_equal(numbers(second.network(text)), numbers(first.network(text)))
    asked = {"given": {"prompt": "the lazy"}, "seed": 3, "length": 12}
    assert second.generate(2, **asked).tolist() == first.generate(2, **asked).tolist()


def test_only_what_is_beside_is_learned_and_kept_by_the_optimizer(base, tuned):
    before, after = checkpoint(base, 4), checkpoint(tuned, 6)
    assert {name for name in after if not is_adapter(name)} == before.keys()
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array, err_msg=name)
    beside = {name: array for name, array in after.items() if is_adapter(name)}
    assert len(beside) == 2 * 5
    assert all(np.abs(array).max() > 0 for array in beside.values())
    slots = load_file(tuned.path / "checkpoints/00000006/training.safetensors")
    momenta = [name for name in slots if "momentum" in name or "momentums" in name]
    assert momenta
    assert all(is_adapter(name) for name in momenta)
    windows = genkit.load(base).examples(genkit.open_data(base, unseen=True))
    rows = windows.gather(np.arange(8))["window"]
    surprise = [genkit.load(run).map_items("surprise", window=rows).mean() for run in (base, tuned)]
    assert surprise[1] < surprise[0] - 0.03


def test_a_resumed_one_goes_on_to_the_bit(tuned, place):
    again = Path(shutil.copytree(tuned.path, place / "runs" / "again"))
    shutil.rmtree(again / "checkpoints" / "00000006")
    status = json.loads((again / "status.json").read_text())
    (again / "status.json").write_text(json.dumps({**status, "state": "stopped", "step": 3}))
    assert genkit.resume(again, verbose=False).outcome.steps == 6
    for file in ("model", "training"):
        one, other = (
            load_file(path / f"checkpoints/00000006/{file}.safetensors")
            for path in (tuned.path, again)
        )
        assert one.keys() == other.keys()
        for name, array in one.items():
            np.testing.assert_array_equal(other[name], array, err_msg=name)


def test_what_is_beside_is_added_when_it_is_written_for_others(tmp_path):
    config = GPTConfig(
        **TINY, lora_rank=3, lora_alpha=2.0, activation="swiglu", normed_heads=False, kv_heads=1
    )
    source = opened(write_text(tmp_path), tokenizer="bytes")
    model = GPT(config, source.schema)
    model.bind(source.schema, source.assets)
    rng = np.random.default_rng(0)
    for weight in model.network.weights:
        weight.assign(rng.normal(0, 0.4, weight.shape).astype("float32"))
    write_weights(model, tmp_path / "out")
    assert not any("lora" in name for name in load_file(tmp_path / "out" / "model.safetensors"))
    text = np.arange(12, dtype="int32")[None]
    merged = read_weights(tmp_path / "out")
    np.testing.assert_allclose(
        numbers(merged.network(text)), numbers(model.network(text)), atol=2e-4
    )
    plain = Decoder(config.model_copy(update={"lora_rank": 0}), 256)
    plain.build()
    assert merged.network.count_params() == plain.count_params()


def test_rows_of_tokens_follow_their_text_into_another_alphabet(train, base, place):
    other = train("other", steps=0, init=base, data={"path": str(place / "other.txt")})
    known, letters = (genkit.load(run).tokenizer.letters for run in (base, other))
    assert known != letters
    before, after = checkpoint(base, 4)["network/table"], checkpoint(other, 0)["network/table"]
    fresh = train("fresh", steps=0, data={"path": str(place / "other.txt")})
    begun = checkpoint(fresh, 0)["network/table"]
    for row, letter in enumerate(letters):
        at = known.find(letter)
        np.testing.assert_array_equal(after[row], begun[row] if at < 0 else before[at])


def test_the_tokenizer_of_a_run_or_an_exported_model_can_be_taken(base, place):
    for folder in (base.path, base.path / "model"):
        source = opened(place / "sayings.txt", tokenizer_file=folder)
        assert source.tokens.tokenizer.letters == genkit.load(base).tokenizer.letters
    with pytest.raises(UsageError, match="received 'W' in 'WELL!"):
        opened(place / "other.txt", tokenizer_file=base.path)


def test_a_run_on_documents_goes_on_with_prompts_and_answers_in_its_tokens(train, tmp_path):
    (tmp_path / "texts").mkdir()
    for number in range(4):
        (tmp_path / "texts" / f"{number}.txt").write_text(f"{number} and 1 = 23456789.\n" * 9)
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(f'{{"prompt": "{n} and 1", "answer": "{n + 1}"}}\n' for n in range(9)))
    settings = {"path": tmp_path / "texts", "held_out": 0.3}
    begun = train("documents", data=settings, steps=2)
    told = {"path": rows, "tokenizer_file": begun.path}
    answering = train("answers", dataset="prompts", data=told, init=begun, steps=2)
    first, second = (genkit.load(each) for each in (begun, answering))
    assert first.tokenizer.end == second.tokenizer.end
    assert first.tokenizer.size == second.tokenizer.size
    assert len(second.generate(1, given={"prompt": "3 and 1"})) == 1


def test_answers_need_a_token_that_ends_them(base, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prompt": "a", "answer": "b"}\n{"prompt": "b", "answer": "a"}\n')
    config = PromptsConfig(path=rows, tokenizer_file=base.path)
    with pytest.raises(DataError, match="a token that ends an answer"):
        open_prompts(config)


def test_learned_places_are_cut_to_a_shorter_context(train):
    long = train("long", steps=0, config={"places": "learned"})
    short = train("short", steps=0, init=long, config={"places": "learned", "context": 6})
    rows = [checkpoint(run, 0)["network/places"] for run in (short, long)]
    np.testing.assert_array_equal(rows[0], rows[1][:6])


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A folder in which the commands of the how-to page were run, with less to learn."""
    folder = tmp_path_factory.mktemp("walked")
    write_text(folder).rename(folder / "letters.txt")
    shutil.copytree(FIXTURES / "llama", folder / "downloads" / "small")
    script = SCRIPT.read_text(encoding="utf-8")
    script = script.replace("--steps 500", "--set width=16 --set layers=1 --steps 2")
    script = script.replace("--init runs/plays", "--init runs/plays --set width=16 --set layers=1")
    assert script.count("--steps 200") == 2
    done = subprocess.run(
        ["bash", "-ec", script.replace("--steps 200", "--steps 2")],
        cwd=folder,
        env={
            **os.environ,
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "KERAS_BACKEND": keras.config.backend(),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout + done.stderr


def test_the_commands_of_the_page_run(walked):
    folder, told = walked
    assert "272 tokens, context 32" in told
    for run, left_out in (("letters", False), ("small-letters", True)):
        init = json.loads((folder / "runs" / run / "environment.json").read_text())["init"]
        assert bool(init["left_out"]) is left_out
        assert all(is_adapter(name) for name in init["left_out"])
    back = read_weights(folder / "letters-for-others")
    assert back.network.size == 272
    assert back.config.rotary_stretch == (4.0, 1.0, 4.0, 16.0)


def test_an_imported_model_has_a_recipe_without_paths(walked):
    folder, _ = walked
    text = (folder / "models" / "small" / "fine-tune.toml").read_text()
    recipe = tomllib.loads(text)
    assert recipe["config"]["kv_heads"] == 2
    assert recipe["config"]["optimizer"] == "adamw"
    assert str(folder) not in text
    loaded, read = genkit.load(folder / "models" / "small"), read_weights(FIXTURES / "llama")
    assert loaded.config == read.config
    ids = np.arange(12, dtype="int32")[None]
    np.testing.assert_array_equal(numbers(loaded.network(ids)), numbers(read.network(ids)))


def test_what_is_refused_leaves_nothing(walked, monkeypatch):
    folder, _ = walked
    monkeypatch.chdir(folder)
    with pytest.raises(UsageError, match="models/small exists already"):
        import_weights("downloads/small")
    with pytest.raises(DataError, match=r"Expected a folder with config.json"):
        import_weights("nowhere/at/all")
    with pytest.raises(UsageError, match="letters-for-others exists already"):
        export_weights(Path("runs/small-letters"), Path("letters-for-others"))
    with pytest.raises(UsageError, match="Expected a model that llama computes too"):
        export_weights(Path("runs/letters"), Path("new"))
    assert [path.name for path in (folder / "models").iterdir()] == ["small"]
    assert not [path for path in folder.iterdir() if "new" in path.name]
