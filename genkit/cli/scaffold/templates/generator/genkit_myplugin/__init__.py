"""A generative adversarial network of images, for GenKit."""
