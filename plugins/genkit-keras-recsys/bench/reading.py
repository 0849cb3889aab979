"""How long it takes to read a click log, and in how much memory: ``python -m bench.reading ROWS``.

Prints ``{"rows", "seconds", "grown", "file"}``: bytes by which the largest memory of the process
grew, and bytes of the file.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from genkit_recsys.reading import Columns, EventReader

from bench.memory import largest

USERS, ITEMS = 200_000, 20_000


def main() -> None:
    """Write a log, read it, and tell."""
    rows = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "clicks.csv")
        with file.open("w", encoding="utf-8") as stream:
            stream.write("user_id,item_id,time\n")
            stream.writelines(f"u{n * 7 % USERS},i{n * 3 % ITEMS},{n}\n" for n in range(rows))
        before, started = largest(), time.perf_counter()
        reader = EventReader(Columns("user_id", "item_id", "", "time"))
        reader.read(file)
        events = reader.events()
        seconds = time.perf_counter() - started
        told = {"rows": len(events), "seconds": round(seconds, 1), "grown": largest() - before}
        print(json.dumps({**told, "file": file.stat().st_size}))


if __name__ == "__main__":
    main()
