"""The run directory: what it keeps, and what is opened and loaded from it."""
