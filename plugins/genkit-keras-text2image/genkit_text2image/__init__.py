"""Pictures from words, for GenKit."""
