"""Recommenders: data, models, evaluation and the verb ``genkit recommend``."""
