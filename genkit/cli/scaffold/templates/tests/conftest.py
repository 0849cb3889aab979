"""Tests run on the backend that KERAS_BACKEND names, or on the first one installed."""

import genkit

genkit.activate()  # before anything imports Keras
