"""Folders of GPT-2, Llama and Qwen-2 beside the tests, and what is done to them."""

import json
import warnings
from pathlib import Path

from genkit_language import read_weights
from keras import ops
from safetensors.numpy import load_file, save_file

FIXTURES = Path(__file__).parent / "weights_of_others"
KINDS = ("gpt2", "llama", "qwen2")


def read(folder, **settings):
    with warnings.catch_warnings():  # of the rows that Qwen-2's table has more
        warnings.simplefilter("ignore", UserWarning)
        return read_weights(folder, **settings)


def numbers(tensor):
    return ops.convert_to_numpy(ops.stop_gradient(tensor))


def change(folder, **settings):
    """Change a folder's config.json; "gone" takes a setting out."""
    file = folder / "config.json"
    told = {**json.loads(file.read_text()), **settings}
    file.write_text(json.dumps({k: v for k, v in told.items() if v != "gone"}))


def with_tensors(folder, edit):
    """Change the weights of a folder with one file of them."""
    arrays = load_file(folder / "model.safetensors")
    edit(arrays)
    save_file(arrays, folder / "model.safetensors")
