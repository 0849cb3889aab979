"""Experiments whose figures stand in the documentation."""
