"""``genkit new``: complete, working plugins to start from."""

from genkit.cli.scaffold.writing import KINDS, Written, write_plugin

__all__ = ["KINDS", "Written", "write_plugin"]
