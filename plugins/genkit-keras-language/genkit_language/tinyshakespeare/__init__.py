"""Tiny Shakespeare, packed."""
