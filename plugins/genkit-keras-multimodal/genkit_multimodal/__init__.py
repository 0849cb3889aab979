"""Several modalities in one model, as a plugin of GenKit."""
