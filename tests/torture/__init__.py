"""Kill training at any moment, again and again: ``python -m tests.torture --kills 2000``."""
