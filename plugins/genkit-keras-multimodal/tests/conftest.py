"""Tests run under one backend, named by KERAS_BACKEND."""

import random

import pytest

import genkit


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    random.seed(0)  # Keras draws the seeds of initial weights from here


@pytest.fixture(scope="session", autouse=True)
def active_backend():
    return genkit.activate()
