"""StyleGAN2 for GenKit."""
