"""The models and data sets that come with GenKit."""
