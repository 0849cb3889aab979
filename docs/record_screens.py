"""Record what docs/reference/screens.md shows: python docs/record_screens.py.

It trains the model of the page for a short while, and measures it. Then write the page:
python docs/generate_reference.py.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

RECORD = Path(__file__).with_name("screens.json")
STEPS, SHOWN = 400, (3, 60, 390)


def main() -> None:
    import genkit
    from genkit.plan.activation import activate

    activate()
    from genkit.live import plain_text
    from genkit.models.training.progress import Progress

    seen: list[dict[str, Any]] = []
    lines: list[str] = []

    class Recorder(Progress):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if self._done == 0:
                now = int(time.monotonic() - self._started)
                seen.append({"status": asdict(self._status()), "now": now})
            super().on_train_batch_end(batch, logs)
            if self._done in SHOWN:
                seen.append({"status": asdict(self._status()), "now": 0.0})
                lines.append(plain_text(self._status()))

    with tempfile.TemporaryDirectory() as folder:
        result = genkit.train(
            "vae", steps=STEPS, runs_dir=folder, verbose=False, callbacks=[Recorder()]
        )
        figures = genkit.evaluate(result, n=1000)
        steps = f"{result.outcome.steps:,}"
    record = {
        "title": f"vae on mnist, step {steps}",
        "statuses": seen,
        "log": lines,
        "metrics": [figure.to_dict() for figure in figures],
    }
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
