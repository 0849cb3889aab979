"""What the plugin brings; light, because every genkit command imports it."""

from __future__ import annotations

from collections.abc import Iterable

import genkit

_SPLITS = ("train", "validation")
_GPT2 = {
    "places": "learned",
    "norm": "layer",
    "activation": "gelu-tanh",
    "normed_heads": False,
    "bias": True,
    "optimizer": "adamw",
    "learning_rate": 6e-4,
    "least_rate": 0.1,
    "warmup_steps": 2000,
    "beta_2": 0.95,
}
_NANOGPT = {
    **_GPT2,
    "activation": "gelu",
    "bias": False,
    "learning_rate": 1e-3,
    "warmup_steps": 100,
    "beta_2": 0.99,
}
_LLAMA = {
    "context": 1024,
    "layers": 12,
    "heads": 12,
    "kv_heads": 4,
    "width": 768,
    "activation": "swiglu",
    "normed_heads": False,
    "tied": False,
    "optimizer": "adamw",
    "learning_rate": 3e-4,
    "least_rate": 0.1,
    "warmup_steps": 2000,
    "beta_2": 0.95,
}


@genkit.hookimpl
def genkit_datasets() -> Iterable[genkit.DatasetSpec]:
    """Register a person's own text, their prompts and answers, and a text to begin with."""
    yield genkit.DatasetSpec(
        name="text",
        summary="Your own text: a file, a folder of .txt files, a column of JSON Lines or Parquet",
        source="genkit_language.data:open_text",
        config="genkit_language.configs:TextConfig",
        modality="text",
        splits=_SPLITS,
        fake="genkit_language.data:write_fake",
    )
    yield genkit.DatasetSpec(
        name="prompts",
        summary="Prompts and their answers: rows of a JSON Lines, CSV or Parquet table",
        source="genkit_language.prompts:open_prompts",
        config="genkit_language.configs:PromptsConfig",
        modality="text",
        splits=_SPLITS,
        fake="genkit_language.prompts:write_fake",
    )
    yield genkit.DatasetSpec(
        name="tinyshakespeare",
        summary="A million characters of Shakespeare's plays, a part of the package",
        source="genkit_language.data:open_tinyshakespeare",
        config="genkit_language.configs:TokensConfig",
        modality="text",
        splits=_SPLITS,
        licence="public domain",
        homepage="https://github.com/karpathy/char-rnn",
        tiny={"held_out": 0.98},
    )


@genkit.hookimpl
def genkit_models() -> Iterable[genkit.ModelSpec]:
    """Register the transformer."""
    yield genkit.ModelSpec(
        name="gpt",
        summary="Decoder-only transformer: learns text, and goes on from a prompt",
        model="genkit_language.gpt:GPT",
        config="genkit_language.configs:GPTConfig",
        accepts=("text",),
        capabilities=("generate", "score"),
        conditions=(genkit.Condition("prompt", modality="text"),),
        options={"generate": "genkit_language.configs:WritingOptions"},
        presets={
            "default": {"dataset": "tinyshakespeare", "batch_size": 12, "steps": 2000},
            "nanogpt-cpu": {
                "dataset": "tinyshakespeare",
                "batch_size": 12,
                "steps": 2000,
                "config": _NANOGPT,
            },
            "gpt2-124m": {
                "dataset": "text",
                "data": {"tokenizer": "bpe", "vocabulary": 50_256},
                "batch_size": 12,
                "steps": 600_000,
                "config": {**_GPT2, "context": 1024, "layers": 12, "heads": 12, "width": 768},
            },
            "llama-like": {
                "dataset": "text",
                "data": {"tokenizer": "bpe", "vocabulary": 32_000},
                "batch_size": 16,
                "steps": 100_000,
                "config": _LLAMA,
            },
        },
        references=(
            "Radford et al. 2019, Language Models are Unsupervised Multitask Learners",
            "Brown et al. 2020, Language Models are Few-Shot Learners, arXiv:2005.14165",
            "Karpathy 2022, nanoGPT, github.com/karpathy/nanoGPT",
        ),
        tiny={"context": 16, "layers": 1, "heads": 2, "width": 16, "longest": 24},
    )


@genkit.hookimpl
def genkit_metrics() -> Iterable[genkit.MetricSpec]:
    """Register what is measured of texts alone."""
    yield genkit.MetricSpec(
        name="distinct",
        summary="Share of runs of two and three words in a text that it has once",
        metric="genkit_language.distinct:Distinct",
        direction="max",
        modality="text",
        known="genkit_language.distinct:known",
    )
    yield genkit.MetricSpec(
        name="copies",
        summary="Share of spans of 32 characters that stand in the training text, and the longest",
        metric="genkit_language.copies:Copies",
        direction="min",
        modality="text",
    )
    yield genkit.MetricSpec(
        name="self-bleu",
        summary="How alike texts are: BLEU of each against the others (needs sacrebleu)",
        metric="genkit_language.self_bleu:SelfBLEU",
        direction="min",
        modality="text",
        known="genkit_language.self_bleu:known",
    )


@genkit.hookimpl
def genkit_commands() -> Iterable[genkit.CommandSpec]:
    """Register the verbs: genkit score, import-weights and export-weights."""
    yield genkit.CommandSpec(
        name="score",
        summary="Say how much a text surprises a model, and where",
        command="genkit_language.command:score",
        capability="score",
    )
    yield genkit.CommandSpec(
        name="import-weights",
        summary="Make a model of the weights of a GPT-2, a Llama or a Qwen-2",
        command="genkit_language.weights_command:import_weights",
    )
    yield genkit.CommandSpec(
        name="export-weights",
        summary="Write a gpt in the layout that transformers opens",
        command="genkit_language.weights_command:export_weights",
    )
