"""The records of the built-in flows and diffusion models."""

from __future__ import annotations

from genkit.builtin.preset_parts import FALLING, MNIST
from genkit.plugins.condition import LABEL
from genkit.plugins.specs import ModelSpec

_MODELS = "genkit.builtin.models"
_CONFIGS = f"{_MODELS}.flow_configs"
_QUICK = {
    "width": 32,
    "blocks": 1,
    "guidance": 2.0,
    "learning_rate": 1.5e-3,
    "average_window": 0.08,
}
_TINY = {"width": 8, "blocks": 1, "sampling_steps": 3}

FLOWS = (
    ModelSpec(
        name="flow-matching",
        summary="Rectified flow: a velocity that carries noise to images along straight lines",
        tiny=_TINY,
        model=f"{_MODELS}.flow_matching:FlowMatching",
        config=f"{_CONFIGS}:FlowMatchingConfig",
        accepts=("image",),
        options={"generate": f"{_CONFIGS}:SamplingOptions"},
        conditions=(LABEL,),
        presets={
            "default": {**MNIST, **FALLING, "epochs": 3, "config": _QUICK},
            "reference": {
                **MNIST,
                "epochs": 200,
                "config": {
                    "width": 128,
                    "patch": 1,
                    "average": 0.9999,
                    "learning_rate": 2e-4,
                    "conditional": False,
                },
            },
        },
        references=(
            "Liu et al. 2022, Flow Straight and Fast, arXiv:2209.03003",
            "Lipman et al. 2022, Flow Matching for Generative Modeling, arXiv:2210.02747",
        ),
    ),
    ModelSpec(
        name="ddpm",
        summary="Denoising diffusion: a network that tells the noise in an image",
        tiny=_TINY,
        model=f"{_MODELS}.ddpm:DDPM",
        config=f"{_CONFIGS}:DDPMConfig",
        accepts=("image",),
        options={"generate": f"{_CONFIGS}:SamplingOptions"},
        conditions=(LABEL,),
        presets={
            "default": {
                **MNIST,
                **FALLING,
                "epochs": 3,
                "config": {**_QUICK, "answer": "velocity"},
            },
            "reference": {
                **MNIST,
                "epochs": 200,
                "config": {
                    "width": 128,
                    "patch": 1,
                    "average": 0.9999,
                    "learning_rate": 2e-4,
                    "noise_schedule": "linear",
                    "conditional": False,
                },
            },
        },
        references=(
            "Ho et al. 2020, Denoising Diffusion Probabilistic Models, arXiv:2006.11239",
            "Song et al. 2021, Denoising Diffusion Implicit Models, arXiv:2010.02502",
            "Salimans and Ho 2022, Progressive Distillation ..., arXiv:2202.00512",
        ),
    ),
)
