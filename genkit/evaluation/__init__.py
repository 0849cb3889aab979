"""How good a model is, measured on data it has not seen."""
