"""MovieLens latest-small as GroupLens gave it out, compressed; terms in README.txt."""
