"""The metrics of images that come with GenKit; they are found by name through their records."""
