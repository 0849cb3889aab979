"""docs/generate_reference.py as a module."""

import importlib.util

from tests.docs.documents import DOCS

_spec = importlib.util.spec_from_file_location("generate_reference", DOCS / "generate_reference.py")
script = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(script)
