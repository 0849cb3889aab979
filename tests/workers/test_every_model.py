"""Each built-in model ends with two workers where it ends with one process: the long form."""

import numpy as np
import pytest

from genkit.builtin.model_specs import MODELS
from tests.workers.test_equal import state, work

pytestmark = [pytest.mark.slow, pytest.mark.full]
STEPS = 100
# Found on JAX, where all compute one program: 1.5e-3 and 5e-4 after 100 steps. Why rounding grows
# so in these two isn't known: "Measured" in docs/explanation/workers.md.
APART = {"sngan", "cvae"}
APART_MARK = pytest.mark.xfail(reason="rounding grows beyond the bound", strict=False)


@pytest.mark.parametrize(
    "model",
    [pytest.param(m.name, marks=APART_MARK if m.name in APART else ()) for m in MODELS],
)
def test_after_a_hundred_steps_weights_are_those_of_one_process(tmp_path, model):
    for name, size in (("one", 1), ("two", 2)):
        ended = work(tmp_path, name, model, steps=STEPS, size=size)
        assert all(code == 0 for code, _ in ended), ended
    one, two = (state(tmp_path, name, STEPS) for name in ("one", "two"))
    assert one.keys() == two.keys()
    for key in one:
        np.testing.assert_allclose(two[key], one[key], rtol=1e-4, atol=1e-4, err_msg=key)
