"""Settings with which a model trains in a second, and stops that are tried on one backend."""

import pytest

SMALL = {
    "dataset": "digits",
    "config": {"width": 4, "latent_dim": 4},
    "batch_size": 100,
    "verbose": False,
}


def once(*values):
    """Mark values that take the same way on all backends, as where in the epochs a stop falls."""
    return [pytest.param(value, marks=pytest.mark.once) for value in values]
