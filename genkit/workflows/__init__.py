"""What verbs do: train, evaluate, augment, compare."""
