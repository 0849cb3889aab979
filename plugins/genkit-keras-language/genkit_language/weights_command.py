"""The verbs ``genkit import-weights`` and ``genkit export-weights``; imported when typed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

import genkit
from genkit.cli.output import JsonFlag, emit, say
from genkit.errors import UsageError

RECIPE = "fine-tune.toml"
_HOME = Path("models")
_Backend = Annotated[str | None, typer.Option(help="jax, torch or tensorflow.")]


def import_weights(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A folder with config.json, model.safetensors and tokenizer.json; or an id of the "
            "hub, where huggingface-hub is installed.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help=f"Where the model is written; {_HOME} and the source's name if not given.",
        ),
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Tokens that it sees at once; as it was made, at most 2,048 with rotary places.",
        ),
    ] = None,
    backend: _Backend = None,
    as_json: JsonFlag = False,
) -> int:
    """Make an exported model of the weights of a GPT-2, a Llama or a Qwen-2.

    It generates and scores as any other. A recipe beside it has its settings, to go on from it.

    Examples:
      genkit import-weights downloads/gpt2 --out models/gpt2
      genkit import-weights openai-community/gpt2 --out models/gpt2 --context 512
    """
    folder = out or _HOME / Path(source).name
    if folder.exists():  # told before the weights are read
        raise UsageError(f"Expected a new folder; {folder} exists already.", "Add --out FOLDER.")
    genkit.activate(backend)
    from genkit_language.weights import read_weights

    model = read_weights(source, context=context)
    genkit.save(model, folder)
    (folder / RECIPE).write_text(_recipe(model.config.model_dump(mode="json")), "utf-8")
    summary = {
        "path": str(folder),
        "weights": model.count_params(),
        "tokens": model.network.size,
        "context": model.config.context,
    }

    def show() -> None:
        say(f"{folder}: {summary['weights']:,} weights, {summary['tokens']:,} tokens, context "
            f"{summary['context']:,}")  # fmt: skip
        say(f"More:      genkit generate {folder} --n 1 --prompt TEXT")
        say(
            f"Fine-tune: genkit run --recipe {folder / RECIPE} --init {folder} "
            f"--data tokenizer_file={folder} --data path=FILE.txt"
        )

    emit(summary, as_json, show)
    return 0


def export_weights(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run, or an exported model folder.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="A new folder.")],
    checkpoint: Annotated[
        str | None, typer.Option(help="Step of a checkpoint, or best; the newest if not given.")
    ] = None,
    backend: _Backend = None,
    as_json: JsonFlag = False,
) -> int:
    """Write a gpt as GPT-2, Llama or Qwen-2, in the layout that transformers opens.

    Narrow matrices of fine-tuning (lora_rank) are added to the weights beside them.

    Examples:
      genkit export-weights runs/mine --out mine-for-others
    """
    model: Any = genkit.load(run, backend, checkpoint)
    from genkit_language.weights import write_weights

    write_weights(model, out)
    summary = {"run": str(run), "path": str(out), "files": sorted(p.name for p in out.iterdir())}
    emit(summary, as_json, lambda: say(f"{out}: {', '.join(summary['files'])}"))
    return 0


def _recipe(config: Mapping[str, Any]) -> str:
    """Return a recipe for going on from a model, without its path, which may change."""
    settings = "".join(
        f"{name} = {json.dumps(value)}\n" for name, value in config.items() if value is not None
    )
    return (
        "# Go on from this model: genkit run --recipe THIS --init FOLDER \\\n"
        "#   --data tokenizer_file=FOLDER --data path=FILE.txt\n"
        f'model = "gpt"\ndataset = "text"\nsteps = 500\nbatch_size = 8\n\n'
        f"[config]\n{settings}"
    )
