"""Folders of others may be damaged or hostile: each fault is told in a line, and nothing is run."""

import json
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from foreign import FIXTURES, KINDS, change, read, with_tensors
from genkit_language import read_weights
from genkit_language.architectures import settings_of
from genkit_language.safetensors_files import tensors_in

from genkit.errors import DataError, RunError, UsageError


@pytest.fixture
def folder(tmp_path):
    """A copy that a test may damage."""
    return Path(shutil.copytree(FIXTURES / "gpt2", tmp_path / "gpt2"))


@pytest.mark.parametrize(
    ("kind", "settings", "told"),
    [
        ("gpt2", {"model_type": "mistral"}, "one of gpt2, llama, qwen2; received 'mistral'"),
        ("gpt2", {"n_layer": "gone"}, "Expected n_layer in"),
        ("gpt2", {"n_layer": 10**9}, "n_layer .* received 1000000000"),
        ("gpt2", {"n_embd": "x"}, "n_embd .* received x"),
        ("gpt2", {"n_positions": [1]}, "n_positions .* received"),
        ("gpt2", {"n_embd": 60_000}, r"wte.weight in .* of shape \(272, 60000\); received"),
        ("gpt2", {"n_layer": 3}, r"missing h\.2\.ln_1.* and 8 more; not expected none"),
        ("gpt2", {"n_layer": 1}, r"missing none; not expected h\.1\.attn.* and 8 more"),
        (
            "gpt2",
            {"n_inner": 32},
            r"mlp.c_fc.weight in .* of shape \(16, 32\); received \(16, 64\)",
        ),
        ("gpt2", {"n_head": 3}, "heads that divide the width 16"),
        ("gpt2", {"activation_function": "swish"}, "activation_function 'swish' is not built"),
        ("gpt2", {"add_cross_attention": True}, "add_cross_attention True is not built"),
        ("llama", {"hidden_act": "gelu"}, "hidden_act 'gelu' is not built"),
        ("llama", {"attention_bias": True}, "attention_bias without mlp_bias"),
        ("llama", {"rope_parameters": {"rope_type": "yarn"}}, "the type 'yarn' is not built"),
        ("llama", {"rope_parameters": 3}, "rope_parameters by name"),
        ("qwen2", {"use_sliding_window": True}, "use_sliding_window True is not built"),
        ("qwen2", {"layer_types": ["sliding_attention"]}, "sliding window is not built"),
        ("qwen2", {"tie_word_embeddings": False}, r"missing lm_head\.weight"),
    ],
)
def test_settings_that_do_not_fit_are_told_in_one_line(tmp_path, kind, settings, told):
    folder = Path(shutil.copytree(FIXTURES / kind, tmp_path / kind))
    change(folder, **settings)
    with pytest.raises((DataError, UsageError, RunError), match=told) as caught:
        read_weights(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_config_may_say_anything_in_any_place(kind):
    config = json.loads((FIXTURES / kind / "config.json").read_text())
    names = [*config, "rope_theta", "rope_scaling", "attention_bias", "hidden_act"]
    for name in names:
        for value in (None, -1, 0, 10**30, 0.5, "x", True, [], [[]], {}, {"rope_type": []}):
            told = ""
            try:
                settings_of({**config, name: value}, 8)
            except (DataError, UsageError) as refused:
                told = str(refused)
            assert "\n" not in told, (name, value)


def header(told, data=b""):
    content = json.dumps(told).encode()
    return len(content).to_bytes(8, "little") + content + data


F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "would have 0 bytes"),
        (b"\xff" * 8, "the file has 8"),
        ((1 << 40).to_bytes(8, "little") + b"{}", "would have 1099511627776 bytes"),
        (b"\x02" + bytes(7) + b"{]", "as JSON"),
        (b"\x02" + bytes(7) + b"[]", "as a JSON object"),
        (header({"a": 1}), "it is damaged: 1"),
        (header({"a": F32}), "it is damaged"),
        (header({"a": {**F32, "shape": [3]}}, bytes(8)), "it is damaged"),
        (header({"a": {**F32, "shape": [-2]}}, bytes(8)), "it is damaged"),
        (header({"a": {**F32, "shape": [2.0]}}, bytes(8)), "it is damaged"),
        (header({"a": {**F32, "shape": [True, 2]}}, bytes(8)), "it is damaged"),
        (header({"a": {**F32, "data_offsets": [8, 0]}}, bytes(8)), "it is damaged"),
        (header({"a": {**F32, "data_offsets": [-8, 0]}}, bytes(8)), "it is damaged"),
        (header({"a": {**F32, "dtype": ["F32"]}}, bytes(8)), "it is damaged"),
    ],
)
def test_a_hostile_header_is_refused_in_one_line(folder, content, told):
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(DataError, match=told) as caught:
        read_weights(folder)
    assert "\n" not in str(caught.value)


def test_a_header_that_tells_of_the_same_bytes_twice_takes_no_memory(folder):
    file = folder / "model.safetensors"
    content = file.read_bytes()
    told = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    told.pop("__metadata__")
    for each in told.values():
        begin, end = each["data_offsets"]
        each["data_offsets"] = [0, end - begin]
    most = max(each["data_offsets"][1] for each in told.values())
    change(folder, n_layer=40)
    for number in range(2, 40):
        for name in [name for name in told if ".h.0." in name]:
            told[name.replace(".h.0.", f".h.{number}.")] = told[name]
    file.write_bytes(header(told, bytes(most)))
    with pytest.raises(DataError, match="tell of the same bytes twice"):
        read_weights(folder)


def test_numbers_of_every_kind_are_read_and_others_refused(tmp_path):
    wanted = np.array([[0.5, -3.0], [2.0**-20, 1e4]], "float32")
    halves = (wanted.view("<u4") >> 16).astype("<u2")  # of numbers that bfloat16 has, but the last
    kinds = {"F64": wanted.astype("<f8"), "F32": wanted, "F16": wanted.astype("<f2")}
    kinds["BF16"] = halves
    for name, array in kinds.items():
        end = array.nbytes
        told = {"a": {"dtype": name, "shape": [2, 2], "data_offsets": [0, end]}}
        (tmp_path / name).write_bytes(header(told, array.tobytes()))
        found = tensors_in(tmp_path / name)["a"].read()
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, rtol=8e-3, atol=6e-8)
    told = {"a": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}
    (tmp_path / "f8").write_bytes(header(told, bytes(4)))
    with pytest.raises(DataError, match="received F8_E4M3"):
        tensors_in(tmp_path / "f8")["a"].read()
    told = {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    (tmp_path / "nan").write_bytes(header(told, np.float32(np.nan).tobytes()))
    with pytest.raises(DataError, match="finite numbers in a in"):
        tensors_in(tmp_path / "nan")["a"].read()


@pytest.mark.parametrize(
    "name", ["../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "x.bin", 3]
)
def test_an_index_names_files_of_its_folder_alone(tmp_path, name):
    folder = Path(shutil.copytree(FIXTURES / "llama", tmp_path / "llama"))
    file = folder / "model.safetensors.index.json"
    file.write_text(json.dumps({"weight_map": {"model.norm.weight": name}}))
    with pytest.raises(DataError, match="files of its folder in"):
        read_weights(folder)


def test_a_shard_that_is_missing_or_says_the_same_twice_is_told(tmp_path):
    folder = Path(shutil.copytree(FIXTURES / "llama", tmp_path / "llama"))
    shards = sorted(folder.glob("*.safetensors"))
    kept = shards[0].read_bytes()
    shards[0].unlink()
    with pytest.raises(DataError, match=f"{shards[0].name} can't be read"):
        read_weights(folder)
    shards[0].write_bytes(shards[1].read_bytes())
    with pytest.raises(DataError, match=r"in one file of .*; it is in two"):
        read_weights(folder)
    shards[0].write_bytes(kept)
    read_weights(folder)


def test_pickles_and_links_out_are_refused(folder, tmp_path):
    weights = folder / "model.safetensors"
    weights.rename(tmp_path / "elsewhere.safetensors")
    with pytest.raises(DataError, match=r"Expected model.safetensors in .*; it has config.json"):
        read_weights(folder)
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n")
    with pytest.raises(DataError, match=r"pytorch_model.bin is a pickle"):
        read_weights(folder)
    weights.symlink_to(tmp_path / "elsewhere.safetensors")
    with pytest.raises(DataError, match="without a link out of its folder"):
        read_weights(folder)


def test_a_tokenizer_with_more_tokens_than_the_table_has_rows_is_told(folder):
    with_tensors(
        folder,
        lambda arrays: arrays.update(
            {"transformer.wte.weight": arrays["transformer.wte.weight"][:99]}
        ),
    )
    with pytest.raises(
        DataError, match=r"each of the tokenizer's 272 tokens in .*; its shape is \(99, 16\)"
    ):
        read_weights(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(DataError, match=r"tokenizer .* can't be read"):
        read_weights(folder)


def test_text_comes_back_as_it_was_composed_or_not():
    tokenizer = read(FIXTURES / "qwen2").tokenizer
    for text in ("caf\u00e9", "cafe\u0301"):
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_model_of_the_hub_comes_through_its_library(monkeypatch):
    asked = []

    def snapshot_download(source, allow_patterns):
        asked.append((source, allow_patterns))
        return str(FIXTURES / "gpt2")

    hub = types.SimpleNamespace(snapshot_download=snapshot_download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert read_weights("somebody/small").network.size == 272
    assert asked[0][0] == "somebody/small"
    assert not any(name.endswith((".bin", ".py")) for name in asked[0][1])
    hub.snapshot_download = lambda *_, **__: (_ for _ in ()).throw(OSError("no network"))
    with pytest.raises(DataError, match="no such folder, and the hub says: no network"):
        read_weights("somebody/small")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(DataError, match="huggingface-hub must be installed") as caught:
        read_weights("somebody/small")
    assert "pip install huggingface-hub" in caught.value.hint
    with pytest.raises(DataError, match=r"Expected a folder with config.json"):
        read_weights("no/such/folder")
