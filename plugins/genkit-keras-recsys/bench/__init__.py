"""Benchmarks of the plugin: ``python -m bench``; not part of the distribution."""
