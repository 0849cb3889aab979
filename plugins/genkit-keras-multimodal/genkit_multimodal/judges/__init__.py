"""What judges models of several modalities."""
