"""Tests run under one backend, named by KERAS_BACKEND."""

import pytest

import genkit


@pytest.fixture(scope="session", autouse=True)
def active_backend():
    return genkit.activate()
