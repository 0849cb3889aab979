"""What must stay in one process when tests run in two, and in which order they begin.

A long file is split where its tests share nothing but a parameter: a model is compiled once in the
process that has all its tests. Long files begin first, so that no process waits for the other.
"""

from pathlib import Path

TESTS = Path(__file__).parent
# The parameter whose values keep together; other files stay whole.
_SPLIT = {
    "docs/test_samples.py": "name",
    "models/test_every_model.py": "name",
    "testing/test_builtins.py": "check",
    "testing/test_kit.py": "name",
}
# A fixture that takes long to make, and is for the tests of several files.
_SHARED = {"clean_environment", "runs"}
_LONGEST_FIRST = (
    "scaffold/test_made_plugins.py",
    "docs/test_first_generator.py",
    "testing/test_builtins.py",
    "torture/test_kills.py",
    "training/test_resume.py",
    "training/test_runs.py",
    "cli/test_end_to_end.py",
    "docs/test_samples.py",
    "augmentation/test_experiment.py",
    "training/test_trouble.py",
    "models/test_every_model.py",
    "comparison/test_end_to_end.py",
    "cli/test_capabilities.py",
    "testing/test_kit.py",
)


def group(item):
    """Return the name of the tests that an item stays with."""
    file = _file(item)
    for fixture in sorted(_SHARED & set(item.fixturenames)):
        return fixture
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    value = parameters.get(_SPLIT.get(file))
    if value is None:
        return file
    return f"{file}:{getattr(value, 'subject', value)}"


def longest_first(items):
    """Sort tests by file: those that take longest come first."""
    place = {file: number for number, file in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(_file(item), len(place)))


def _file(item):
    path = item.path
    return path.relative_to(TESTS).as_posix() if path.is_relative_to(TESTS) else str(path)
