"""Every model trained by its preset and measured on test data: ``python -m tests.zoo``."""
