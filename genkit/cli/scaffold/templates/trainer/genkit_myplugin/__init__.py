"""A trainer that clips gradients by the weights they are for, for GenKit."""
