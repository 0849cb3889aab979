"""A data set of images in one CSV file, for GenKit."""
