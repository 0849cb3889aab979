"""Points of a plane: a modality that GenKit's core knows nothing of."""
