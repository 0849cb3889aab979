"""Measurements of the style plugin; see ``python -m bench.faces --help``."""
