"""Beside transformers itself, where it is installed: the same scores, there and back."""

import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from foreign import numbers
from genkit_language import read_weights, write_weights
from keras import ops
from small import LINES, opened, write_text
from test_weights_of_others import of_preset, one_by_one

pytest.importorskip("torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    transformers = pytest.importorskip("transformers")

SMALL = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 4, "max_position_embeddings": 40}
ENDS = {"bos_token_id": None, "eos_token_id": None}
MODELS = {
    "gpt2": lambda: transformers.GPT2Config(
        n_positions=40, n_embd=24, n_layer=2, n_head=4, n_inner=20, layer_norm_epsilon=1e-3, **ENDS
    ),
    "gpt2-untied": lambda: transformers.GPT2Config(
        n_positions=40, n_embd=24, n_layer=1, n_head=3, activation_function="gelu",
        tie_word_embeddings=False, **ENDS,
    ),
    "llama": lambda: transformers.LlamaConfig(**SMALL, **HEADS, num_key_value_heads=1, **ENDS),
    "llama-biased": lambda: transformers.LlamaConfig(
        **SMALL, **HEADS, num_key_value_heads=2, attention_bias=True, mlp_bias=True, head_dim=10,
        tie_word_embeddings=True, rms_norm_eps=1e-3, **ENDS,
        rope_parameters={"rope_type": "default", "rope_theta": 123.0},
    ),
    "qwen2": lambda: transformers.Qwen2Config(**SMALL, **HEADS, num_key_value_heads=2, **ENDS),
    "qwen2-tied": lambda: transformers.Qwen2Config(
        **SMALL, **HEADS, num_key_value_heads=4, tie_word_embeddings=True, **ENDS,
    ),
}  # fmt: skip


@contextmanager
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    return opened(write_text(folder), tokenizer="bpe", vocabulary=270)


def scores_of(model, ids):
    import torch

    with torch.no_grad(), quiet():
        return model(torch.tensor(ids, dtype=torch.long)).logits.numpy()


@pytest.mark.parametrize("kind", list(MODELS))
def test_a_random_model_has_the_same_scores(tmp_path, source, kind):
    import torch

    write_weights(of_preset(source, "gpt2-124m"), tmp_path / "tokenizer")
    config = MODELS[kind]()
    config.vocab_size = source.tokens.tokenizer.size
    torch.manual_seed(0)
    with quiet():
        model = transformers.AutoModelForCausalLM.from_config(config).eval()
        for weight in model.parameters():
            torch.nn.init.normal_(weight, 0, 0.3 if weight.dim() > 1 else 1.0)
        model.save_pretrained(tmp_path / "theirs")
    kept = (tmp_path / "tokenizer" / "tokenizer.json").read_bytes()
    (tmp_path / "theirs" / "tokenizer.json").write_bytes(kept)
    ids = np.random.default_rng(1).integers(0, config.vocab_size, (3, 40)).astype("int32")
    wanted, ours = scores_of(model, ids), read_weights(tmp_path / "theirs")
    assert np.abs(wanted).max() > 3
    np.testing.assert_allclose(numbers(ours.network(ids)), wanted, atol=1e-4)
    np.testing.assert_allclose(one_by_one(ours.network, ids, 30), wanted[:, 29:], atol=1e-4)
    write_weights(ours, tmp_path / "back")
    with quiet():
        back = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "back").eval()
    np.testing.assert_allclose(scores_of(back, ids), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("preset", "settings"),
    [
        ("nanogpt-cpu", {}),
        ("gpt2-124m", {"activation": "squared-relu", "tied": False}),
        ("llama-like", {"kv_heads": 1, "lora_rank": 2}),
        ("llama-like", {"qkv_bias": True, "rotary_stretch": (8.0, 1.0, 4.0, 16.0)}),
    ],
)
def test_a_model_of_ones_own_opens_there(tmp_path, source, preset, settings):
    ours = of_preset(source, preset, **settings)
    write_weights(ours, tmp_path / "ours")
    with quiet():
        model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours").eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "ours")
    text = f"{LINES[0]}.\n"
    ids = ours.tokenizer.encode(text)
    assert tokenizer(text)["input_ids"] == ids.tolist()
    assert tokenizer.decode(ids) == text
    window = ids[None, : ours.config.context].astype("int32")
    wanted = numbers(ours.network(ops.convert_to_tensor(window)))
    np.testing.assert_allclose(scores_of(model, window), wanted, atol=1e-4)
