"""One training and its measurement, in a process of its own: ``python -m bench.worker JOB``.

A job is ``{"model", "dataset", "data", "settings", "seed", "split"}``. Prints ``{"values",
"users", "seconds", "memory", "load"}``: means over users, how many, seconds of training, bytes of
the largest memory, processes that wanted to run on the machine in the last minute.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from typing import Any

from genkit_recsys.evaluating import measure

import genkit

_TRAINING = ("epochs", "batch_size")


def done(job: dict[str, Any]) -> dict[str, Any]:
    """Train, and measure on a held-out split."""
    from genkit.plugins.registry import installed
    from genkit.runs.inputs import open_data

    settings = dict(job["settings"])
    training = {key: settings.pop(key) for key in _TRAINING if key in settings}
    with tempfile.TemporaryDirectory() as folder:
        result = genkit.train(
            job["model"],
            dataset=job["dataset"],
            data={**job["data"], "split_seed": job["seed"]},
            config=settings,
            seed=job["seed"],
            runs_dir=folder,
            name="run",
            checkpoint_every=10**9,
            verbose=False,
            **training,
        )
        trained = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        model: Any = genkit.load(result.path)
        source: Any = open_data(result.run.plan, installed(), {"split": job["split"]})
        measured = measure(model, source)
    values = {name: float(each.mean()) for name, each in measured.values.items()}
    lists = measured.lists
    values["coverage@10"] = len(set(lists[lists >= 0].tolist())) / model.n_items
    return {
        "values": values,
        "users": len(source),
        "seconds": result.outcome.seconds,
        "memory": trained,
        "load": os.getloadavg()[0],
    }


if __name__ == "__main__":
    print(json.dumps(done(json.loads(sys.argv[1]))))
