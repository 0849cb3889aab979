"""GenKit against steps written by hand for one framework alone: ``python -m tests.benchmarks``."""
