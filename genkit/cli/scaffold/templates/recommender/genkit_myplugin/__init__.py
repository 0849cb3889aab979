"""Recommendations from what people liked before, for GenKit."""
