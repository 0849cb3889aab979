"""A command starts without what only a person's own program would use of Keras."""

import importlib.util
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from genkit.plan import activation
from genkit.plan.blocked_imports import blocked_imports

LEAN = """
import gc, sys
from genkit.plan import activation
before = gc.get_threshold()
activation.start_lean()
assert gc.get_threshold() > before
activation.activate()
import genkit.workflows.sitting
heavy = {"jax", "matplotlib", "scipy.stats", "sklearn", "torch", "tensorflow"}
print(*sorted(heavy & {*sys.modules}))
import sklearn, matplotlib.pyplot
import keras
print(keras.layers.Dense(1).name)
"""


def test_a_command_imports_no_more_than_it_needs():
    done = subprocess.run(
        [sys.executable, "-c", LEAN], capture_output=True, text=True, timeout=300, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    imported, usable = done.stdout.splitlines()
    assert imported == activation.choose_backend()
    assert usable == "dense"


@pytest.mark.slow
@pytest.mark.once
def test_a_program_gets_keras_as_it_is():
    program = "import sys, genkit; genkit.activate(); print('sklearn' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout == "True\n"


@pytest.mark.once
def test_what_is_blocked_is_known_and_not_imported_by_one_thread_alone(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    found = []

    def elsewhere():
        found.append(importlib.util.find_spec("colorsys"))
        import colorsys

        found.append(colorsys)

    with blocked_imports({"colorsys"}):
        assert importlib.util.find_spec("colorsys") is not None
        with pytest.raises(ModuleNotFoundError, match="colorsys is not wanted here"):
            import colorsys
        other = threading.Thread(target=elsewhere)
        other.start()
        other.join()
    assert len(found) == 2
    import colorsys

    assert colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)


@pytest.mark.once
def test_the_digits_are_those_of_scikit_learn_whichever_way_they_are_read(monkeypatch):
    from sklearn.datasets import load_digits

    from genkit.builtin.datasets import digits

    theirs = load_digits()
    direct = digits._table()
    monkeypatch.setattr(digits, "find_spec", lambda name: None)
    for table in (direct, digits._table()):
        np.testing.assert_array_equal(table[:, :-1], theirs.data)
        np.testing.assert_array_equal(table[:, -1], theirs.target)
