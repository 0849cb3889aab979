"""Measure the models beside published figures, write docs/multimodal.md: nox -s multimodal-bench.

``python -m bench`` does it in an environment with the plugin. It takes a night on two cores, goes
on where it was, and with ``--epochs 10`` takes a quick look. Without ``--train`` the page alone is
written, of what is kept.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bench.page import page

_HERE = Path(__file__).parent
_KEPT, _PAGE = _HERE / "published.jsonl", _HERE.parents[2] / "docs/multimodal.md"


def main() -> None:
    """Train what is asked for, keep what comes of it, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", nargs="*", default=[], choices=["jmvae", "mvae"])
    parser.add_argument("--epochs", type=int, default=500, help="in all")
    parser.add_argument("--at-once", type=int, default=10, help="epochs between two figures")
    parser.add_argument("--items", type=int, default=10_000, help="test items to measure")
    parser.add_argument("--runs", type=Path, default=Path("bench-runs"))
    asked = parser.parse_args()
    for name in asked.train:
        from bench.published import stretches

        rows = stretches(name, asked.epochs, asked.runs, at_once=asked.at_once, items=asked.items)
        for row in rows:
            print(row, flush=True)
            with _KEPT.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    _PAGE.write_text(page(_kept()), encoding="utf-8")


def _kept() -> list[dict[str, Any]]:
    if not _KEPT.exists():
        return []
    return [json.loads(line) for line in _KEPT.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
