"""What must stay in one process when tests run in two, and in which order they begin.

A long file is split where its tests share nothing but a parameter: a model is compiled once in the
process that has all its tests. Long files begin first, so that no process waits for the other.
``pytest -p tests.balance`` does so for plugins, too.
"""

import pytest

# The parameter whose values keep together; other files stay whole.
_SPLIT = {
    "docs/test_samples.py": "name",
    "models/test_every_model.py": "name",
    "test_parity.py": "model",
    "test_resume_elsewhere.py": "begun",
    "testing/test_kit.py": "name",
}
_CHECK = "check"  # the conformance kit's: its checks of one thing keep together
# A fixture that takes long to make, and is for the tests of several files.
_SHARED = {"clean_environment", "runs"}
_LONGEST_FIRST = (
    "scaffold/test_made_plugins.py",
    "docs/test_first_generator.py",
    "workers/test_ends.py",
    "testing/test_builtins.py",
    "test_commands.py",
    "test_walkthrough.py",
    "test_kit.py",
    "test_conformance.py",
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    if not getattr(config.option, "loadgroup", False):  # it is no process of several
        return
    place = {file: number for number, file in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(_file(item), len(place)))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node, ids):
    """Stop where groups are not heeded: each process would make and compile everything."""
    if node.config.option.dist == "loadgroup" and ids and "@" not in ids[0].rpartition("]")[2]:
        pytest.exit("pytest-xdist can't group tests with this pytest: install 'pytest<9.2'.", 4)


def _group(item):
    """Return the name of the tests that an item stays with."""
    file = _file(item)
    for fixture in sorted(_SHARED & set(item.fixturenames)):
        return fixture
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    subject = getattr(parameters.get(_CHECK), "subject", None)
    value = subject or parameters.get(_SPLIT.get(file))
    return file if value is None else f"{file}:{value}"


def _file(item):
    """Return the path of an item's file below its folder ``tests``."""
    _, _, below = item.path.as_posix().rpartition("/tests/")
    return below
