"""``genkit new``: complete, working plugins to start from."""

from genkit.cli.scaffold.writing import KINDS, NewPlugin, write_plugin

__all__ = ["KINDS", "NewPlugin", "write_plugin"]
