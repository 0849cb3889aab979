"""Training: the loop, checkpoints, progress."""
