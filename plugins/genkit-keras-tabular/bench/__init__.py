"""Measurements of the plugin's models."""
