"""Try GenKit on this machine's GPU: what it computes, how fast, and what survives a kill.

python -m tests.accelerator --out FOLDER

takes at most eight minutes, needs no network and no data beyond the package, and uses whichever
backends are installed. The CPU is the judge: the same losses from the same seed. FOLDER gets
``report.json`` and ``report.md``. Without a GPU it compares the CPU with itself, which tries the
script, not a device.

python -m tests.accelerator --keep FOLDER

adds such a report to ``docs/accelerators.json`` and writes ``docs/accelerators.md``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.accelerator import page
from tests.accelerator.judgement import differences
from tests.benchmarks.page import machine

BACKENDS = ("jax", "torch", "tensorflow")
HIDDEN = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}  # of the CPU's part
# The hand-written step that needs no compiler of C on the machine.
NATIVE = {"jax": "jit", "torch": "eager", "tensorflow": "function xla"}
STEPS, FEW = 50, 6
KEPT, PAGE = Path("docs/accelerators.json"), Path("docs/accelerators.md")


def main() -> int:
    """Measure part by part while there is time; write the report after each."""
    options = _options()
    if options.keep:
        return _keep(options.keep)
    options.out.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d"),
        "small": options.small,
        "backends": {backend: {} for backend in options.backend},
    }
    end = time.monotonic() + 60 * options.minutes
    for backend, part, found in _measured(options, end):
        report["backends"][backend][part] = found
        report["minutes"] = round(options.minutes - (end - time.monotonic()) / 60, 1)
        (options.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
        (options.out / "report.md").write_text(page.report(report), "utf-8")
        print(f"{backend} {part}: {page.in_short(part, found)}", flush=True)
    return int(page.failed(report))


def _options() -> argparse.Namespace:
    installed = [each for each in BACKENDS if importlib.util.find_spec(each)]
    parser = argparse.ArgumentParser(prog="python -m tests.accelerator", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, help="measure; where the report goes")
    what.add_argument("--keep", type=Path, help="write the page with the report of this folder")
    parser.add_argument(
        "--backend",
        type=lambda given: given.split(","),
        default=installed,
        help="which, separated by commas; those installed",
    )
    parser.add_argument("--minutes", type=float, default=8, help="when it ends at the latest; 8")
    parser.add_argument(
        "--small", action="store_true", help="few steps, no speed: tries the script itself"
    )
    options = parser.parse_args()
    if missing := sorted(set(options.backend) - set(installed)):
        parser.error(f"expected some of {', '.join(installed)}; received {', '.join(missing)}")
    return options


def _keep(folder: Path) -> int:
    """Keep a report in place of the machine's earlier one, and write the page."""
    new = json.loads((folder / "report.json").read_text("utf-8"))
    kept = json.loads(KEPT.read_text("utf-8"))
    reports = [each for each in kept if each["machine"] != new["machine"]] + [new]
    KEPT.write_text(json.dumps(reports, indent=1) + "\n", "utf-8")
    PAGE.write_text(page.render(reports), "utf-8")
    return 0


def _measured(options: argparse.Namespace, end: float) -> Iterator[tuple[str, str, Any]]:
    """Yield backend, part and what was found; what matters most comes first on each backend."""
    steps = FEW if options.small else STEPS
    for backend in options.backend:
        device = _part("training", backend, steps, end)
        yield backend, "training", device
        judge = _part("training", backend, steps, end, HIDDEN)
        yield backend, "agreement", _agreement(device, judge)
    for part in ("bits", "generation"):
        for backend in options.backend:
            yield backend, part, _part(part, backend, steps, end)
    if not options.small:
        for backend in options.backend:
            yield backend, "speed", _speed(backend, end)


def _part(
    part: str, backend: str, steps: int, end: float, variables: dict[str, str] | None = None
) -> dict[str, Any]:
    """Run a part in a process of its own; return what it found, or why it found nothing."""
    left = end - time.monotonic()
    if left <= 0:
        return {"missing": "no time was left"}
    command = [sys.executable, "-m", "tests.accelerator.parts", part, backend, str(steps)]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **(variables or {}), "KERAS_BACKEND": backend},
            capture_output=True,
            text=True,
            timeout=left,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"missing": "it did not end in time"}
    if done.returncode:
        return {"missing": f"it failed: {done.stderr.strip().splitlines()[-1:]}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _agreement(device: dict[str, Any], judge: dict[str, Any]) -> dict[str, Any]:
    for found in (device, judge):
        if "missing" in found:
            return found
    ours, theirs = (
        {model: each["losses"] for model, each in found["models"].items()}
        for found in (device, judge)
    )
    return {"judge": judge["device"], "models": differences(ours, theirs)}


def _speed(backend: str, end: float) -> dict[str, Any]:
    """Compare GenKit's steps with hand-written ones, and bfloat16 with float32."""
    from tests.benchmarks.compare import compare
    from tests.benchmarks.contender import GENKIT, Contender

    rows = []
    for case in ("dcgan", "vae"):
        ours = Contender(case, GENKIT, backend, "float32")
        quick = Contender(case, GENKIT, backend, "bfloat16")
        by_hand = Contender(case, NATIVE[backend], backend, "float32")
        for us, them in ((ours, by_hand), (quick, ours)):
            if time.monotonic() >= end:
                return {"rows": rows, "missing": "no time was left for all"}
            try:
                rows.append(compare(us, [them], 5))
            except RuntimeError as error:
                return {"rows": rows, "missing": str(error)}
    return {"rows": rows}


if __name__ == "__main__":
    sys.exit(main())
