"""The programs that write the pages of docs/, as modules."""

import importlib.util

from tests.docs.documents import DOCS


def _program(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


script = _program("generate_reference")
samples = _program("fill_samples")
notebooks = _program("write_notebooks")
