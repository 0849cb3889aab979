"""The data sets that come with GenKit, one module each."""
