"""The models of tables."""
