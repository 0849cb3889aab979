"""Workers on a Ray cluster, for GenKit."""
