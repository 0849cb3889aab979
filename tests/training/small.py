"""Settings with which a model trains in a second."""

SMALL = {
    "dataset": "digits",
    "config": {"width": 4, "latent_dim": 4},
    "batch_size": 100,
    "verbose": False,
}
