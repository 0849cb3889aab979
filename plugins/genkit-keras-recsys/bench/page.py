"""The page of results, from the rows that were measured."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import Any

from bench.trials import TRIALS

Key = tuple[str, str, str, str]
Finals = dict[Key, list[dict[str, Any]]]
SHOWN = ("recall@10", "ndcg@10", "ndcg@100", "coverage@10")
HEAD = """# Recommenders, measured

<!-- Written by `nox -s recsys-bench`: run it again, don't change this page. -->

Full rankings of all items; nothing is sampled. Means over users, then mean ± standard deviation
over seeds, each of which draws the split and the training anew. Tuned by NDCG@10 on the validation
split of seed 0; the number of settings tried stands beside each model. Which settings these are
was found by some 30 more trainings of the generative models on that split. Time is the training's
alone, on {cpus} processor cores, with a star where these had other work too; memory is the largest
of the process, with the framework.

How a figure is defined, and what it may be compared with: [Recommend](how-to/recommend.md).
"""
TITLES = {
    "ratio": "8:1:1 at random, of each user's events",
    "leave-last-out": "The last event of each user",
}


BESIDE = ("recall@10", "ndcg@10", "hit@10")
QUALITY = """
## Quality beside RecBole's

Written by `python -m bench.quality --recbole PYTHON`, where PYTHON is the interpreter of an
environment with RecBole alone. Its models have its own settings, which were not tuned here; ours
are those of the first table. Both learn from the same splits, of three seeds, or of the first
where no spread is given, and rank all items. Where nothing is drawn at random, ours is also trained
with RecBole's settings: what differs then is the code.

| model | whose | recall@10 | ndcg@10 | hit@10 |
| --- | --- | --- | --- | --- |
"""
SPEED = """
## Training speed beside RecBole's

Written by `python -m bench.speed --recbole PYTHON`, where PYTHON is the interpreter of an
environment with RecBole alone. The same Mult-VAE (widths 600 and 200, batches of 64) and SASRec
(two blocks of width 64, 50 places, full softmax, batches of 32) on ml-latest-small. An example is a
user for Mult-VAE, a sequence for SASRec. What is learned is a user, or a next item: of a sequence
RecBole's trainer learns one, and ours one at every place, which takes longer a sequence and less
time an item. A second of the processor doesn't depend on what else the machine does.

| model | trainer | examples / s | learned / s | learned / processor s |
| --- | --- | --- | --- | --- |
"""
RATES = ("examples_a_second", "learned_a_second", "learned_a_cpu_second")


def page(
    rows: list[dict[str, Any]], quality: list[dict[str, Any]], speed: list[dict[str, Any]]
) -> str:
    """Return the page as Markdown.

    Args:
        rows: trainings, as ``bench.worker`` tells of them.
        quality: RecBole's figures, as ``bench.quality`` writes them; may be empty.
        speed: throughputs, as ``bench.speed`` writes them; may be empty.
    """
    finals: Finals = defaultdict(list)
    tried: dict[Key, int] = defaultdict(int)
    for row in rows:
        job = row["job"]
        key = job["dataset"], job["data"]["protocol"], row["backend"], job["model"]
        if job["split"] == "test":
            finals[key].append(row)
        else:
            tried[key] += 1
    text = HEAD.format(cpus=max((row["cpus"] for row in rows), default=0))
    tables = dict.fromkeys(key[:3] for key in finals)
    for dataset, protocol, backend in tables:
        counts = {
            len(found) for key, found in finals.items() if key[:3] == (dataset, protocol, backend)
        }
        seeds = " or ".join(str(count) for count in sorted(counts))
        text += f"\n## {dataset}: {TITLES[protocol]}\n\nOn {backend}, {seeds} seeds.\n\n"
        text += f"| model | tried | {' | '.join(SHOWN)} | seconds | MiB |\n"
        text += "| --- " * (len(SHOWN) + 4) + "|\n"
        for model in TRIALS:
            key = dataset, protocol, backend, model
            if key in finals:
                text += _row(model, tried[key] or 1, finals[key])
    return text + _quality(quality, finals) + _speed(speed)


def _quality(quality: list[dict[str, Any]], finals: Finals) -> str:
    text = QUALITY if quality else ""
    for model in dict.fromkeys(row["model"] for row in quality):
        rows = [row for row in quality if row["model"] == model]
        recbole = [row for row in rows if "recbole" in row]
        seeds = {row["seed"] for row in recbole}
        tuned = finals["ml-latest-small", "ratio", "jax", model]
        tables = {
            "GenKit": [row for row in tuned if row["job"]["seed"] in seeds],
            "GenKit, RecBole's settings": [row for row in rows if "recbole" not in row],
            f"RecBole {recbole[0]['recbole']}": recbole,
        }
        for whose, found in tables.items():
            if found:
                cells = " | ".join(_spread(found, name) for name in BESIDE)
                text += f"| `{model}` | {whose} | {cells} |\n"
    return text


def _speed(speed: list[dict[str, Any]]) -> str:
    text = SPEED if speed else ""
    for row in speed:
        whose = f"GenKit, {row['backend']}" if "backend" in row else f"RecBole {row['recbole']}"
        rates = [f"{row[name]:.0f}" for name in RATES]
        text += f"| `{row['model']}` | {whose} | {' | '.join(rates)} |\n"
    return text


def _row(model: str, tried: int, rows: list[dict[str, Any]]) -> str:
    cells = [f"`{model}`", str(tried)]
    cells += [_spread(rows, name) for name in SHOWN]
    star = r"\*" if any(row.get("load", 0) > row["cpus"] + 1 for row in rows) else ""
    cells.append(f"{statistics.mean(row['seconds'] for row in rows):.1f}{star}")
    cells.append(f"{max(row['memory'] for row in rows) / 2**20:.0f}")
    return f"| {' | '.join(cells)} |\n"


def _spread(rows: list[dict[str, Any]], name: str) -> str:
    """Return the mean over seeds, and the standard deviation if there are several."""
    values = [row["values"][name] for row in rows]
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"
