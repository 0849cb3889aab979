"""What plugins bring, and how it is found: records, hooks, settings, the registry."""
