"""Make the fixtures beside this file: tiny random models, as transformers writes and computes them.

``python make.py`` needs transformers and torch. The largest score is about 5: 1e-4 is small.
"""

import json
from pathlib import Path

import numpy as np
import torch  # noqa: TID253 - transformers computes with it
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = Path(__file__).parent
SIZE = 272
TEXT = "The quick brown fox jumps over the lazy dog; caf\u00e9, 12 times!\n"
SMALL = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 32}
MODELS = {
    "gpt2": transformers.GPT2Config(
        n_positions=24, n_embd=16, n_layer=2, n_head=2, vocab_size=SIZE,
        bos_token_id=256, eos_token_id=256,
    ),
    "llama": transformers.LlamaConfig(
        **SMALL, **HEADS, vocab_size=SIZE, head_dim=6, rms_norm_eps=1e-4,
        rope_parameters={
            "rope_type": "llama3", "rope_theta": 500.0, "factor": 4.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 16,
        },
        bos_token_id=256, eos_token_id=256,
    ),
    "qwen2": transformers.Qwen2Config(
        **SMALL, **HEADS, vocab_size=SIZE + 4, tie_word_embeddings=True,
        bos_token_id=256, eos_token_id=[256, 257],
    ),
}  # fmt: skip
CLASSES = {
    "gpt2": transformers.GPT2LMHeadModel,
    "llama": transformers.LlamaForCausalLM,
    "qwen2": transformers.Qwen2ForCausalLM,
}
KINDS = {"gpt2": torch.float32, "llama": torch.bfloat16, "qwen2": torch.float16}


def tokenizer():
    """Return a BPE of bytes with an end, 272 tokens."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE - 1, show_progress=False, initial_alphabet=alphabet
    )
    made.train_from_iterator([TEXT * 4, "the dog and the fox " * 9], trainer)
    form = json.loads(made.to_str())
    names = list(form["model"]["vocab"])
    # As GPT-2's files have it, but in the middle: the end is a token of the vocabulary.
    names.insert(256, "<|endoftext|>")
    form["model"]["vocab"] = {name: number for number, name in enumerate(names)}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    form["added_tokens"] = [{"id": 256, "content": "<|endoftext|>", **flags, "special": True}]
    return form


def make(name, config):
    """Write one folder, with the scores that transformers gives."""
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    torch.manual_seed(len(name))
    model = CLASSES[name](config).eval()
    for weight in model.parameters():  # norms and offsets too, far from where they begin
        torch.nn.init.normal_(weight, 0, 0.3 if weight.dim() > 1 else 1.0)
    shards = {"max_shard_size": "9KB"} if name == "llama" else {}
    model.to(KINDS[name]).save_pretrained(folder, **shards)
    form = tokenizer()
    if name == "qwen2":
        form["normalizer"] = {"type": "NFC"}
    (folder / "tokenizer.json").write_text(json.dumps(form), "utf-8")
    model = CLASSES[name].from_pretrained(folder, dtype=torch.float32).eval()
    read = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    ids = np.array(read(TEXT)["input_ids"])[None]
    rows = np.concatenate([ids[:, :12], ids[:, -12:]]).astype("int32")
    with torch.no_grad():
        scores = model(torch.tensor(rows, dtype=torch.long)).logits.numpy()
    np.savez_compressed(
        folder / "expected.npz", text_ids=ids[0].astype("int32"), ids=rows, scores=scores
    )


for name, config in MODELS.items():
    make(name, config)
