"""The page of what was measured."""

from __future__ import annotations

import statistics
from typing import Any

HEAD = """# Language, measured

<!-- Written by `nox -s language-bench`: run it again, don't change this page. -->

`gpt` beside [nanoGPT](https://github.com/karpathy/nanoGPT) at commit 3adf61e (MIT): the setting
that its README gives for a CPU (context 64, batches of 12, 4 layers, 4 heads, width 128, 2,000
steps), characters of Tiny Shakespeare. Measured on {machine}, by `nox -s language-bench`, or,
in an environment with the plugin, by:

<!-- not run: it needs a clone of nanoGPT, and an hour -->
```bash
cd plugins/genkit-keras-language
python -m bench --nanogpt FOLDER
```
"""
EXACT = """
## The same arithmetic

From the same weights on the same {steps} batches, both on PyTorch, the losses of a step are at
most **{largest:.1e}** apart, and {last:.1e} at the last.
"""
LOSSES = """
## What is learned

The loss on the last tenth of the text, all windows of 64 tokens, in nats a character, by seed; then
seconds of the processor of the whole training, the median of the seeds. nanoGPT runs on PyTorch,
`gpt` on JAX.

| | {seeds} | mean | processor seconds |
| --- | {rules} | --- | --- |
"""
SPEED = """
## {title}

{words} Each ratio is of the same turn: the median, and the least and the greatest.

| | {cpus} |
| --- | {rules} |
"""
_KINDS = {
    "steps": (
        "Speed of a step",
        """Seconds of 20 steps, through the whole of each one's loop, loader and log too: of the
processor on one core, and of the wall on two; medians of {rounds} rounds.""",
    ),
    "write": (
        "Speed of writing",
        """One text of 255 tokens in a context of 256, with `model.generation_batch = 1`: commands
make 8 at a time, so that a text is the same bits in whatever company; medians of {rounds} rounds.
""",
    ),
}
_WHO = ("nanogpt", "nanogpt-cpu", "default")


def page(found: dict[str, Any]) -> str:
    """Return the page of what there is."""
    text = HEAD.replace("{machine}", found.get("machine", "a machine that wasn't noted"))
    if "exact" in found:
        text += EXACT.format(steps=60, **found["exact"])
    text += _losses(found)
    for kind, (title, words) in _KINDS.items():
        text += _speed(found, kind, title, words)
    return text


def _losses(found: dict[str, Any]) -> str:
    rows = {}
    for who in _WHO:
        done = {
            int(name.rpartition("-")[2]): told
            for name, told in found.items()
            if name.startswith(f"loss-{who}-") and name.rpartition("-")[0] == f"loss-{who}"
        }
        if done:
            rows[who] = done
    if not rows:
        return ""
    seeds = sorted({seed for done in rows.values() for seed in done})
    text = LOSSES.format(
        seeds=" | ".join(f"seed {seed}" for seed in seeds), rules=" | ".join("---" for _ in seeds)
    )
    for who, done in rows.items():
        name = "nanoGPT" if who == "nanogpt" else f"`gpt`, preset `{who}`"
        cells = [f"{done[seed]['loss']:.3f}" if seed in done else "-" for seed in seeds]
        mean = statistics.fmean(told["loss"] for told in done.values())
        cpu = statistics.median(told["cpu"] for told in done.values())
        text += f"| {name} | {' | '.join(cells)} | {mean:.3f} | {cpu:.0f} |\n"
    return text


def _rounds(tables: dict[int, dict[str, Any]]) -> str:
    return " and ".join(str(each) for each in sorted({t["rounds"] for t in tables.values()}))


def _speed(found: dict[str, Any], kind: str, title: str, words: str) -> str:
    tables = {cpus: found[f"{kind}-{cpus}"] for cpus in (1, 2) if f"{kind}-{cpus}" in found}
    if not tables:
        return ""
    # The processor's seconds on one core; on two what one waits for.
    kinds = {1: ("cpu", "one core, processor"), 2: ("wall", "two cores, wall")}
    heads = [f"{kinds[cpus][1]} s | ratio" for cpus in tables]
    text = SPEED.format(
        title=title, words=words.format(rounds=_rounds(tables)).strip(), cpus=" | ".join(heads),
        rules=" | ".join("--- | ---" for _ in tables),
    )  # fmt: skip
    for name in (each for each in next(iter(tables.values())) if each != "rounds"):
        cells = []
        for cpus, table in tables.items():
            told = table[name][kinds[cpus][0]]
            middle, least, greatest = told["ratio"]
            cells.append(f"{told['seconds']:.2f} | {middle:.2f} ({least:.2f}-{greatest:.2f})")
        text += f"| {name} | {' | '.join(cells)} |\n"
    return text
