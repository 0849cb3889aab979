"""Signals in Morse code, and what can be done with them."""
