"""The recommenders, a file each."""
