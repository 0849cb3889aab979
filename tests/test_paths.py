"""Names that the file system refuses are refused first, in one line, in Python too."""

import os

import pytest

import genkit
from genkit.errors import RunError, UsageError
from genkit.files import check_path
from genkit.runs.names import check_name

pytestmark = pytest.mark.once

REFUSED = [
    ("a" * 300, "a name of at most 231 bytes; received one of 300, 'aaaaaaaaaaaaaaaaaaaa'"),
    ("a" * 240, "received one of 240"),
    ("ä" * 120, "received one of 240"),
    ("é" * 200 + "/x", "received one of 400"),
    ("/".join(["a" * 200] * 30), "a path of at most .* bytes"),
    ("a\0b", "printable"),
    ("a\nb", "printable"),
    ("a\x1b[31mb", "printable"),
    ("\udcff", "printable"),
    ("file/x", "Expected a folder at .*file; it is a file"),
    ("file/x/y", "it is a file"),
]
FREE = ["a", "a" * 200, "ä" * 100, "with blank", "-x", "x/y/z", "日本", "~", "2024", "x.", "file"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "message"), REFUSED)
def test_a_path_that_cannot_be_made_is_refused(folder, name, message):
    for path in (folder / name, (folder / name).relative_to(folder)):
        with pytest.raises(UsageError, match=message) as caught:
            check_path(path)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", FREE)
def test_a_path_that_can_be_made_is_free(folder, name):
    check_path(folder / name)
    if name != "file":
        (folder / f".{name}.{2**22}.partial").parent.mkdir(parents=True, exist_ok=True)
        (folder / name).mkdir(parents=True)
    check_path(folder / name)


def test_the_file_systems_own_limit_counts(folder, monkeypatch):
    monkeypatch.setattr(os, "pathconf", lambda _, what: {"PC_NAME_MAX": 143}.get(what, 4096))
    with pytest.raises(UsageError, match="at most 119 bytes"):
        check_path(folder / ("a" * 120))
    monkeypatch.delattr(os, "pathconf")
    with pytest.raises(UsageError, match="at most 231 bytes"):
        check_path(folder / ("a" * 240))


@pytest.mark.parametrize("name", ["", ".", "..", ".x", "a/b", "a/", "/a"])
def test_a_name_that_is_none_of_a_folder_is_refused(name):
    with pytest.raises(UsageError, match="without slashes or a leading dot"):
        check_name(name)


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "a\nb", "\udcff"])
def test_python_refuses_what_the_command_line_does(folder, name):
    for settings in ({"name": name}, {"runs_dir": folder / name}):
        with pytest.raises(UsageError, match="printable|at most"):
            genkit.train("vae", dataset="digits", steps=1, **settings)
    with pytest.raises(UsageError, match="it is a file"):
        genkit.train("vae", dataset="digits", steps=1, runs_dir="file")
    assert [path.name for path in folder.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"])
def test_a_run_that_no_system_could_hold_is_no_run(folder, name):
    for verb in (genkit.load, genkit.resume, genkit.evaluate, genkit.open_data):
        with pytest.raises(RunError, match="run"):
            verb(name)
