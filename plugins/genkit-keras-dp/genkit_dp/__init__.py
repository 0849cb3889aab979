"""Differentially private training: the trainer ``dp`` of GenKit."""
