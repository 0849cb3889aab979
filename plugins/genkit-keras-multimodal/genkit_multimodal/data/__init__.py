"""Data of several modalities: sets joined by label, and spoken digits."""
