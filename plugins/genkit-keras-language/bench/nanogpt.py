"""nanoGPT as one reads it in its own folder, with the setting that its README gives for a CPU.

None of its code is here: ``model.py`` is imported from a clone of github.com/karpathy/nanoGPT
(MIT). The loop around it does what its ``train.py`` does: AdamW, clipping, the same rates.
"""

from __future__ import annotations

import importlib.util
import math
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch  # noqa: TID253 - what nanoGPT is written in; only its own processes import this

from bench.setting import CONTEXT, HIGHEST, LEAST, SIZE, STEPS, WARMUP


class NanoGPT:
    """Its model and optimizer.

    Args:
        folder: a clone of nanoGPT.
        seed: of the first weights.
        context: tokens that it sees.
    """

    def __init__(self, folder: Path, seed: int = 0, context: int = CONTEXT) -> None:
        spec = importlib.util.spec_from_file_location("nanogpt_model", folder / "model.py")
        assert spec is not None and spec.loader is not None  # noqa: PT018
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        torch.manual_seed(seed)
        asked = {"n_layer": 4, "n_head": 4, "n_embd": 128, "dropout": 0.0, "bias": False}
        with redirect_stdout(StringIO()):  # it tells of its size
            config = module.GPTConfig(block_size=context, vocab_size=SIZE, **asked)
            self.model = module.GPT(config)
            self._optimizer = self.model.configure_optimizers(0.1, HIGHEST, (0.9, 0.99), "cpu")

    def weights(self) -> dict[str, np.ndarray]:
        """Return copies of its weights by name."""
        return {k: v.detach().numpy().copy() for k, v in self.model.state_dict().items()}

    def step(self, window: np.ndarray, number: int, total: int = STEPS) -> float:
        """Learn from a window of ``CONTEXT + 1`` tokens, and return the loss before."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate(number, total)
        tokens = torch.from_numpy(window.astype(np.int64))
        _, loss = self.model(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return float(loss.item())

    def loss(self, windows: np.ndarray) -> float:
        """Return the mean over all tokens of windows, nats."""
        self.model.eval()
        losses = []
        with torch.no_grad():
            for start in range(0, len(windows), 256):
                tokens = torch.from_numpy(windows[start : start + 256].astype(np.int64))
                few = tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()
                losses.append((float(self.model(*few)[1]), len(tokens)))
        self.model.train()
        return sum(loss * n for loss, n in losses) / sum(n for _, n in losses)

    def write(self, length: int) -> int:
        """Generate tokens behind a line break; return how many."""
        self.model.eval()
        self.model.generate(torch.zeros((1, 1), dtype=torch.long), length)
        return length


def rate(number: int, total: int) -> float:
    """Return the learning rate of a step, as the comparison's setting has it."""
    if number < WARMUP:
        return HIGHEST * (number + 1) / (WARMUP + 1)
    done = (number - WARMUP) / (total - WARMUP)
    return LEAST + 0.5 * (1 + math.cos(math.pi * done)) * (HIGHEST - LEAST)


def give(weights: dict[str, np.ndarray], network: Any) -> None:
    """Let a network of ``gpt`` have nanoGPT's weights, whose matrices are ``(out, in)``."""
    network.table.assign(weights["transformer.wte.weight"])
    network.places.assign(weights["transformer.wpe.weight"])
    network.norm.gamma.assign(weights["transformer.ln_f.weight"])
    for number, block in enumerate(network.blocks):
        theirs = f"transformer.h.{number}."
        block.before_attention.gamma.assign(weights[f"{theirs}ln_1.weight"])
        block.before_dense.gamma.assign(weights[f"{theirs}ln_2.weight"])
        query, *key_value = np.split(weights[f"{theirs}attn.c_attn.weight"].T, 3, axis=1)
        block.attention.query.kernel.assign(query)
        block.attention.key_value.kernel.assign(np.concatenate(key_value, axis=1))
        block.attention.mixed.kernel.assign(weights[f"{theirs}attn.c_proj.weight"].T)
        block.up.kernel.assign(weights[f"{theirs}mlp.c_fc.weight"].T)
        block.down.kernel.assign(weights[f"{theirs}mlp.c_proj.weight"].T)
