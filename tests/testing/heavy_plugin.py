"""A plugin that imports more than it should, and gives a record that is none."""

import numpy as np

import genkit


@genkit.hookimpl
def genkit_callbacks():
    yield genkit.CallbackSpec(name="pi", summary=f"About {np.pi:.0f}", callback="keras:Callback")
    yield "no record"
