"""What tests take of the processor, in seconds, what they start included.

``pytest -p tests.cpu --cpu FILE``, then ``python -m tests.cpu FILE``. On a busy machine these
seconds hardly differ from those on a quiet one, as seconds on the clock do.
"""

import csv
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

_TICKS = os.sysconf("SC_CLK_TCK")
_USED = slice(11, 15)  # in the fields after the name: own and awaited children's, user and system


def pytest_addoption(parser):
    parser.addoption("--cpu", type=Path, help="append a line a test: seconds, test")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    before = seconds_of_tree(os.getpid())
    result = yield
    if path := item.config.getoption("--cpu"):
        used = seconds_of_tree(os.getpid()) - before
        with path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerow([f"{used:.2f}", item.nodeid])
    return result


def seconds_of_tree(root):
    """Return the processor time of a process and its descendants, those that ended included."""
    used, children = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        process = int(path.parent.name)
        used[process] = sum(map(int, fields[_USED])) / _TICKS
        children.setdefault(int(fields[1]), []).append(process)
    total, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        total += used.get(process, 0)
        waiting += children.get(process, [])
    return total


def main(path):
    """Print a table of files, the longest first, and the sum."""
    sums, tests = Counter(), Counter()
    with Path(path).open(encoding="utf-8", newline="") as file:
        for seconds, test in csv.reader(file):
            sums[test.partition("::")[0]] += float(seconds)
            tests[test.partition("::")[0]] += 1
    print("| file | tests | CPU seconds |\n| --- | ---: | ---: |")
    for name, seconds in sums.most_common():
        print(f"| `{name}` | {tests[name]} | {seconds:.0f} |")
    print(f"| all | {tests.total()} | {sums.total():.0f} |")


if __name__ == "__main__":
    main(sys.argv[1])
