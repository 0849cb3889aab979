"""Listing and helping stay light: checked by the modules that were imported."""

import json
import subprocess
import sys

import pytest

HEAVY = {"numpy", "keras", "tensorflow", "torch", "jax", "pydantic", "grain", "sklearn", "PIL"}
PROBE = """
import sys
sys.argv = ["genkit", *{arguments!r}]
from genkit.cli import main
try:
    main()
except SystemExit:
    pass
print("MODULES", *sorted({{name.split(".")[0] for name in sys.modules}}), file=sys.stderr)
"""


def imported(*arguments):
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(arguments=arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(x for x in done.stderr.splitlines() if x.startswith("MODULES"))
    return done.stdout, set(line.split()[1:])


@pytest.mark.parametrize(
    "arguments",
    [("list",), ("list", "--json"), ("--help",), ("run", "--help"), ("generate", "--help")],
)
def test_light_commands_import_nothing_heavy(arguments):
    out, modules = imported(*arguments)
    assert out.strip()
    assert modules & HEAVY == set()


def test_list_gives_each_kind_with_name_summary_and_distribution():
    told = json.loads(imported("list", "--json")[0])
    for kind in ("models", "datasets", "trainers", "metrics", "callbacks", "plugins"):
        for entry in told[kind]:
            assert entry["name"]
            assert entry["summary"]
            assert entry["distribution"] == "genkit-keras"
    assert {d["name"] for d in told["datasets"]} == {
        "mnist",
        "fashion-mnist",
        "digits",
        "image-folder",
        "npz",
        "memory",
    }


def test_planning_imports_no_framework():
    out, modules = imported("run", "vae", "--dry-run", "--json")
    assert json.loads(out)["model"] == "vae"
    assert modules & {"keras", "tensorflow", "torch", "jax"} == set()


def test_importing_genkit_imports_nothing_heavy():
    code = "import genkit, sys; print(*{n.split('.')[0] for n in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & HEAVY == set()
