"""Tests run under one backend, named by KERAS_BACKEND, on a Ray of their own with two CPUs."""

import os
import random

import pytest
from genkit_ray.cluster import connected

import genkit


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    random.seed(0)  # Keras draws the seeds of initial weights from here


@pytest.fixture(scope="session", autouse=True)
def active_backend():
    return genkit.activate()


@pytest.fixture(scope="session")
def cluster():
    """A Ray that the launcher starts, once for all tests: that takes longer than they do."""
    assert not os.environ.get("RAY_ADDRESS"), "these tests start a Ray of their own"
    with connected():
        yield
