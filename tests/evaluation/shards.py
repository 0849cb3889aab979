"""Figures of samples that several processes have seen a share of each, beside those of one process.

    python -m tests.evaluation.shards --shards 64 --each 100000

prints the figures of both, and how far they are apart. Samples are drawn by their place: features
of two Gaussians that are a little apart, and class probabilities made of them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from genkit.evaluation import Batch
from genkit.evaluation.metrics.class_coverage import ClassCoverage
from genkit.evaluation.metrics.diversity import Diversity
from genkit.evaluation.metrics.frechet import FrechetDistance
from genkit.evaluation.metrics.inception_score import InceptionScore
from genkit.evaluation.metrics.kid import KernelDistance
from genkit.evaluation.metrics.neighbours import Neighbours
from tests.evaluation.shown import Given, context

WIDTH, BLOCK, REAL = 8, 4096, 10_000
METRICS = {
    metric.__name__: metric
    for metric in (
        *(FrechetDistance, KernelDistance, Neighbours, Diversity),
        *(InceptionScore, ClassCoverage),
    )
}


class Classified(Given):
    """Features with the classes that their largest numbers stand for."""

    def probabilities(self, features):
        raised = np.exp(4 * features.astype("float64"))
        return (raised / raised.sum(axis=1, keepdims=True)).astype("float32")


def rows(stream, begin, end):
    """Yield the features of these places of a stream, each with the place of its first row."""
    shift = 0.1 if stream == "generated" else 0.0
    start = begin
    while start < end:
        block = start // BLOCK
        rng = np.random.default_rng([len(stream), block])
        drawn = rng.standard_normal((BLOCK, WIDTH), dtype="float32") + np.float32(shift)
        last = min(end, (block + 1) * BLOCK)
        yield start, drawn[start - block * BLOCK : last - block * BLOCK]
        start = last


def measured(names, begin, end, *, real):
    """Make metrics, and show them the samples of these places; the real items too if asked."""
    settings = context(extractor=Classified([str(number) for number in range(WIDTH)]))
    metrics = {name: METRICS[name](settings) for name in names}
    streams = [("generated", begin, end)] + [("real", 0, REAL)] * real
    for stream, first, last in streams:
        for start, features in rows(stream, first, last):
            batch = Batch(features, settings.extractor, begin=start)
            for metric in metrics.values():
                if stream in metric.streams:
                    metric.update(stream, batch)
    return metrics


def write_part(file, names, shard, each):
    """Measure one shard, and write what it gathers; the first has seen the real items."""
    metrics = measured(names, shard * each, (shard + 1) * each, real=shard == 0)
    states = {
        f"{name}/{key}": array
        for name, metric in metrics.items()
        for key, array in metric.state().items()
    }
    np.savez(file, **states)


def merged(files, names):
    """Merge what is in the files."""
    metrics = measured(names, 0, 0, real=False)
    for file in files:
        with np.load(file) as found:
            for name, metric in metrics.items():
                start = f"{name}/"
                part = {k.removeprefix(start): found[k] for k in found.files if k.startswith(start)}
                metric.merge(part)
    return metrics


def figures(metrics):
    """Return value and ends of the intervals by name of the figure."""
    found = [figure for metric in metrics.values() for figure in metric.compute()]
    return {figure.name: (figure.value, figure.low, figure.high) for figure in found}


def apart(first, second):
    """Return the largest difference, relative to a value above 1."""
    assert first.keys() == second.keys()
    pairs = [(a, b) for name in first for a, b in zip(first[name], second[name], strict=True)]
    return max(abs(a - b) / max(1, abs(a)) for a, b in pairs)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.shards")
    parser.add_argument("--shards", type=int, default=64)
    parser.add_argument("--each", type=int, default=100_000)
    parser.add_argument("--part", type=int)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.part is not None:
        write_part(asked.folder / f"{asked.part}.npz", METRICS, asked.part, asked.each)
        return
    with tempfile.TemporaryDirectory() as folder:
        for shard in range(asked.shards):
            flags = [f"--each={asked.each}", f"--part={shard}", f"--folder={folder}"]
            subprocess.run([sys.executable, "-m", "tests.evaluation.shards", *flags], check=True)
        files = sorted(Path(folder).glob("*.npz"))  # 0, 1, 10, ...: the order doesn't matter
        parts = figures(merged(files, METRICS))
    whole = figures(measured(METRICS, 0, asked.shards * asked.each, real=True))
    print(json.dumps({"whole": whole, "merged": parts, "apart": apart(whole, parts)}, indent=1))


if __name__ == "__main__":
    main()
