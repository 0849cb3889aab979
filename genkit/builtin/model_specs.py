"""The built-in models' records."""

from __future__ import annotations

from genkit.builtin.autoencoder_specs import AUTOENCODERS
from genkit.builtin.flow_specs import FLOWS
from genkit.builtin.gan_specs import GANS

MODELS = (*GANS, *AUTOENCODERS, *FLOWS)
