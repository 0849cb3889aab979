"""What presets of several models share."""

MNIST = {"dataset": "mnist", "batch_size": 64}
# Rates that fall to zero, and averages over the end of the run: in a run of minutes they decide
# whether pictures are whole.
FALLING = {"learning_rate_schedule": "linear", "warmup_steps": 100}
