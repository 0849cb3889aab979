"""`genkit check`: the table, the JSON, the exit code, other backends."""

import json
import re
import subprocess
import sys

import pytest

from genkit.plan.activation import BACKENDS

pytestmark = [pytest.mark.slow, pytest.mark.once]


def test_a_data_set_passes_and_the_table_says_so(genkit_command):
    shown = genkit_command("check", "digits").stdout
    assert "✓" in shown
    assert "splits_are_disjoint" in shown
    assert re.search(r"\n\d+ passed$", shown.strip())


def test_a_failure_is_told_in_json_and_by_the_exit_code(genkit_command, unsound_path):
    done = genkit_command("check", "leaking-data", "--json", env=unsound_path, check=False)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["plugin"] == "leaking-data"
    outcomes = {check["name"]: check for check in told["checks"]}
    failed = outcomes["splits_are_disjoint"]
    assert failed.keys() == {"name", "subject", "backend", "outcome", "reason", "seconds"}
    assert (failed["outcome"], failed["subject"]) == ("failed", "dataset leaking-data")
    assert "share no items" in failed["reason"]
    assert outcomes["opens"]["outcome"] == "passed"


def test_an_unknown_name_is_a_mistake_of_usage(genkit_command):
    done = genkit_command("check", "digist", check=False)
    assert done.returncode == 2
    assert "Did you mean 'digits'" in done.stderr


@pytest.mark.cross_backend
def test_all_backends_are_checked_each_in_a_process_of_its_own(genkit_command):
    told = json.loads(genkit_command("check", "digits", "--backend", "all", "--json").stdout)
    by_backend = {name: [c for c in told["checks"] if c["backend"] == name] for name in BACKENDS}
    named = [[check["name"] for check in checks] for checks in by_backend.values()]
    assert named[0]
    assert named[0] == named[1] == named[2]
    assert {check["outcome"] for check in told["checks"]} == {"passed"}


def test_the_kit_needs_no_pytest_and_imports_no_framework():
    program = (
        "import sys; from genkit.testing import checks_for; checks_for('vae'); "
        "print(sorted({'pytest', 'keras', 'jax', 'torch', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
