"""What is measured of models of several modalities."""
