"""A folder of many small images, read as it is trained on, beside the same images in memory.

    python -m tests.benchmarks.folders --images 200000 --folder /tmp/many-images

prints a line of JSON a case. ``read`` leaves the images in their files, ``memory`` holds them in an
array. Each is a process of its own: its resident memory after opening and after training is its
own. A step is a pause of 50 ms: an accelerator that computes and leaves the processor to the data.
On a busy machine compare ``cpu_ms``, what the processor needs for a batch, with the step's 50.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

STEP_SECONDS = 0.05
BATCH_SIZE = 64


def paint(folder: Path, images: int, size: int) -> None:
    """Write PNG files, 1,000 a sub-folder; those that are there stay."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(images):
        file = folder / f"{number // 1000:04d}" / f"{number:07d}.png"
        coarse = rng.integers(0, 255, (4, 4, 3), dtype="uint8")
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC).save(file)


def resident() -> float:
    """Return the resident memory of this process, MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(
    folder: Path, case: str, steps: int, cache_mib: int | None
) -> dict[str, float | int | str]:
    """Open the folder and go through some batches."""
    from genkit.builtin.datasets.configs import ImageFolderConfig
    from genkit.builtin.datasets.image_folder import open_image_folder
    from genkit.data import FileSource, Loader, item_files

    started = resident()
    if case == "memory":
        item_files.CACHE_BYTES = 1 << 40
    elif cache_mib is not None:
        item_files.CACHE_BYTES = cache_mib << 20
    begun = time.process_time()
    source = open_image_folder(ImageFolderConfig(path=folder))
    opened, cpu_opening = resident(), time.process_time() - begun
    index = source.items.index_bytes if isinstance(source, FileSource) else 0
    with Loader(source, batch_size=BATCH_SIZE, seed=0) as loader:
        next(loader)
        begun, cpu = time.perf_counter(), time.process_time()
        for _ in range(steps):
            time.sleep(STEP_SECONDS)
            next(loader)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return {
        "case": case,
        "images": len(source),
        "index_bytes_a_file": round(index / len(source), 1),
        "resident_mib_before": round(started),
        "resident_mib_opened": round(opened),
        "resident_mib_trained": round(resident()),
        "opening_cpu_seconds": round(cpu_opening, 1),
        "cpu_ms": round(1000 * cpu / steps, 1),
        "steps_per_second": round(steps / seconds, 2),
    }


def main() -> None:
    """Measure both cases, each in its own process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the images are, or go")
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--size", type=int, default=32, help="height and width")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument(
        "--cache-mib", type=int, help="instead of what GenKit caches: for few images"
    )
    parser.add_argument("--case", choices=("read", "memory"))
    given = parser.parse_args()
    if given.case:
        measured = measure(given.folder, given.case, given.steps, given.cache_mib)
        print(json.dumps(measured))
        return
    paint(given.folder, given.images, given.size)
    for case in ("memory", "read"):
        subprocess.run(
            [sys.executable, "-m", __spec__.name, *sys.argv[1:], "--case", case], check=True
        )


if __name__ == "__main__":
    main()
