"""What GenKit does on a GPU: one script, bounded in time, without a network."""
