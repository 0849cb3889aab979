"""The verb ``genkit judge``; imported when somebody types it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import genkit
from genkit.cli.output import JsonFlag, emit, say, table
from genkit.errors import UsageError
from genkit_text2image.out_file import png_file

_SHOWN = 12

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run that makes pictures of words.")]
Backend = Annotated[
    str | None, typer.Option(help="jax, torch or tensorflow; by default the run's own.")
]


def judge(  # noqa: PLR0917
    context: typer.Context,
    run: Run,
    by: Annotated[Path, typer.Option("--by", help="A run of clip: its name or directory.")],
    n: Annotated[int, typer.Option("--n", "-n", help="Captions, at most.")] = 100,
    split: Annotated[
        str, typer.Option(help="Whose captions: test, new combinations, or train, those seen.")
    ] = "test",
    seed: Annotated[int, typer.Option(help="Of captions and pictures: 0 to 2**31 - 1.")] = 0,
    backend: Backend = None,
    out: Annotated[
        Path | None, typer.Option(help="PNG file; RUN/judged/SPLIT.png if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Say how well pictures follow their captions.

    A clip looks for the caption of each generated picture among all of them: R@5 is the share that
    is among its five nearest. The floor are the same pictures given to other captions, the ceiling
    the real ones. Draws for some captions a row: the real picture, what was made, and the training
    picture nearest to that. Flags of the model's generate are taken, too.

    Examples:
      genkit judge runs/painter --by runs/judge
      genkit judge runs/painter --by runs/judge --split train
    """
    if n < 2 or not 0 <= seed < 2**31:  # noqa: PLR2004
        raise UsageError(
            f"Expected --n of 2 or more and --seed of 0 to 2**31 - 1; received {n}, {seed}."
        )
    file = png_file(out, run / "judged" / f"{split}.png")
    import numpy as np

    from genkit.report.samples import Samples
    from genkit_text2image import judging
    from genkit_text2image.opening import open_of_run
    from genkit_text2image.reranking import checked_judge

    model: Any = genkit.load(run, backend)
    judge_of = checked_judge(genkit.load(by))
    source, training = open_of_run(run, split), open_of_run(run, "train")
    asked = context.obj or {}
    found = judging.judge(model, judge_of, source, training, n=n, seed=seed, **asked)
    file.parent.mkdir(parents=True, exist_ok=True)
    columns = (found.real, found.generated, found.nearest)
    rows = np.stack([each[:_SHOWN].astype("float32") for each in columns], axis=1)
    Samples(model).draw(rows.reshape(-1, *rows.shape[2:]), file, columns=3)
    count = len(found.captions)
    summary = {
        "run": str(run),
        "by": str(by),
        "split": split,
        "seed": seed,
        "captions": count,
        "recall": {
            kind: {f"R@{depth}": hits / count for depth, hits in each.items()}
            for kind, each in found.hits.items()
        },
        "nearest_training_picture": {
            "median": float(np.median(found.distances)),
            "least": float(found.distances.min()),
        },
        "shown": list(found.captions[:_SHOWN]),
        "out": str(file),
    }
    emit(summary, as_json, lambda: _show(summary))
    return 0


def _show(summary: dict[str, Any]) -> None:
    recall = summary["recall"]
    depths = list(recall["real"])
    named = {"real": "real pictures", "generated": "generated", "shuffled": "other captions"}
    rows = [
        [named[kind], *(f"{recall[kind][depth]:.2f}" for depth in depths)]
        for kind in ("shuffled", "generated", "real")
    ]
    table(f"{summary['captions']} captions, {summary['split']}", ["pictures", *depths], rows)
    near = summary["nearest_training_picture"]
    told = f"{near['median']:.3f} in the median, {near['least']:.3f} at least"
    say(f"Nearest training picture: {told}; root mean square, values from 0 to 1")
    say(summary["out"])
