"""Points on rings, and a small GAN for them."""
