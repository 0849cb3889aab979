"""How good a model is, measured on data it has not seen."""

from genkit.evaluation.likelihood import importance_nll

__all__ = ["importance_nll"]
