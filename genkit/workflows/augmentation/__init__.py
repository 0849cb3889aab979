"""Does generated data help a classifier? The augmentation verdict."""
