"""The long form: kill training thousands of times, and keep the tally.

python -m tests.torture --kills 2000 --backend torch --folder torture

A torture that is itself interrupted goes on from its tally.
"""

import argparse
import json
import time
from pathlib import Path

from genkit.files import write_json
from tests.torture.campaign import Campaign


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=2000, help="how many faults to survive")
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--folder", type=Path, default=Path("torture"))
    options = parser.parse_args()
    path = options.folder / f"tally-{options.backend}.json"
    total = json.loads(path.read_text()) if path.exists() else {}
    began, before = time.monotonic(), total.get("seconds", 0)
    # Another seed after each interruption: else the same faults would come again.
    seed = total.get("attempts", 0)
    with Campaign(options.folder / options.backend, options.backend, seed) as campaign:
        start = dict(total)
        while survived(total) < options.kills:
            campaign.random_attempt()
            total = {k: start.get(k, 0) + n for k, n in campaign.tally.items()}
            total |= {"bytes_lost": 0, "seconds": round(before + time.monotonic() - began)}
            write_json(path, total)  # an attempt that loses anything never gets here
            if total["attempts"] % 50 == 0:
                print(f"{survived(total)} of {options.kills}: {json.dumps(total)}", flush=True)
        campaign.finish()
    print(json.dumps(total))


def survived(tally):
    """Count what went wrong and was survived."""
    return sum(tally.get(name, 0) for name in ("kills", "terms", "refusals"))


if __name__ == "__main__":
    main()
