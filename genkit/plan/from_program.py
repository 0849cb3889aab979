"""What a plan can't name in a file: a model or data that a Python program hands over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genkit.plugins.entry_points import DISTRIBUTION

if TYPE_CHECKING:
    from genkit.plan.plan import Plan

PROGRAM = "python"
"""Stands for the distribution of a model that a program hands over."""

MEMORY = f"{DISTRIBUTION}/memory"
"""The data set of what a program hands over."""


def model_is_handed_over(plan: Plan) -> bool:
    """Whether the model is a program's own, known to nothing that is installed."""
    return plan.distributions.get("model") == PROGRAM


def data_is_handed_over(plan: Plan) -> bool:
    """Whether the data is a program's own."""
    return plan.qualified("dataset") == MEMORY
