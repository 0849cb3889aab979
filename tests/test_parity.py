"""One shared step-0 checkpoint, the same noise, no layer randomness: the same losses.

Prints the largest difference: pytest -s tests/test_parity.py
"""

import pytest

from genkit.backend import BACKENDS
from genkit.comparison import running
from genkit.comparison.cells import PARITY_STEPS, Comparison
from genkit.comparison.measuring import parities
from genkit.comparison.processes import carry_out, is_done
from genkit.plan import make_plan
from genkit.registry import installed
from genkit.training.signals import StopOnSignal

# Half the width; the dropout of dcgan is what has to be switched off.
HALF_WIDTH = {"dcgan": {"width": 32}, "vae": {"width": 16}}


@pytest.mark.cross_backend
@pytest.mark.parametrize("model", HALF_WIDTH)
def test_twenty_steps_have_the_same_losses_on_every_backend(tmp_path, model):
    flags = {"model": model, "preset": "reference", "dataset": "mnist", "batch_size": 64}
    plan = make_plan(installed(), {**flags, "config": HALF_WIDTH[model], "backend": "torch"})
    comparison = Comparison(tmp_path, {model: plan}, BACKENDS, 1)
    comparison.claim()
    jobs = [running.parity_job(comparison, cell) for cell in comparison.cells]
    for job in [running.start_job(comparison, comparison.cells[0]), *jobs]:
        found = carry_out(job, StopOnSignal())
        assert is_done(found), found
    pairs = parities(comparison)
    assert [(pair["backend"], pair["steps"]) for pair in pairs] == [
        (name, PARITY_STEPS) for name in BACKENDS[1:]
    ]
    worst = max(pair["relative"] for pair in pairs)
    print(f"\n{model}: largest loss difference over 20 steps {worst:.1e}")
    assert worst <= 1e-4  # of the loss where it is above one: the VAE's is some hundred nats
    assert all(pair["random_layers"] == [] for pair in pairs)
