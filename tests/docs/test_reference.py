"""The written reference follows from the code."""

import doctest
import inspect
import re
import subprocess
import sys

import pytest

import genkit
from genkit.plugins import hookspecs
from tests.docs.documents import DOCS, ROOT
from tests.docs.script import script

HOOKS = [name for name in vars(hookspecs) if name.startswith("genkit_")]


@pytest.mark.parametrize("name", sorted(script.pages()))
def test_page_is_what_the_script_writes(name):
    committed = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert committed == script.pages()[name], "run: python docs/generate_reference.py"


def test_a_page_that_differs_or_is_missing_is_stale(monkeypatch, tmp_path):
    assert script.stale() == []
    monkeypatch.setattr(script, "HERE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["generate_reference.py"])
    script.main()
    (tmp_path / "cli.md").unlink()
    (tmp_path / "hooks.md").write_text("another page")
    assert script.stale() == ["cli.md", "hooks.md"]
    monkeypatch.setattr(sys, "argv", ["generate_reference.py", "--check"])
    with pytest.raises(SystemExit, match=r"Stale: cli\.md, hooks\.md"):
        script.main()


def test_pages_are_the_same_whatever_the_width_and_the_folder(tmp_path):
    program = f"import runpy; print(runpy.run_path({str(DOCS / 'generate_reference.py')!r})"
    program += "['pages']()['cli.md'], end='')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"COLUMNS": "40", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == script.pages()["cli.md"]
    assert str(ROOT) not in "".join(script.pages().values())


def test_the_script_imports_no_framework():
    program = (
        f"import runpy, sys; runpy.run_path({str(DOCS / 'generate_reference.py')!r})['pages']();"
    )
    program += "print(sorted({'keras', 'jax', 'torch', 'tensorflow'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_there_are_hooks():
    assert "genkit_models" in HOOKS


@pytest.mark.parametrize(("name", "function"), script.command_line.commands())
def test_command_and_each_of_its_options_are_documented(name, function):
    page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    _, found, section = page.partition(f"## genkit {name}\n")
    assert found
    assert "Examples:" in inspect.getdoc(function), f"genkit {name} shows no example"
    for names, record, *_ in script.command_line.parameters(function):
        assert record.help, f"genkit {name} says nothing about {names[0]}"
        assert " ".join(record.help.split()).replace("|", "\\|") in section


def test_every_public_name_is_documented():
    page = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL))
    assert {f"genkit.{name}" for name in genkit.__all__} <= sections.keys()
    for name, section in sections.items():
        told = re.sub(r"^```.*?^```$", "", section, flags=re.MULTILINE | re.DOTALL)
        assert told.strip(), f"{name} has a signature and no words"


@pytest.mark.parametrize("name", HOOKS)
def test_hook_is_documented(name):
    assert f"## {name}\n" in (DOCS / "reference" / "hooks.md").read_text(encoding="utf-8")
    assert f"`{name}`" in (DOCS / "how-to" / "write-a-plugin.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", HOOKS)
def test_hook_has_an_example_that_gives_records(name):
    hook = getattr(hookspecs, name)
    test = doctest.DocTestParser().get_doctest(inspect.getdoc(hook), {}, name, None, 0)
    assert test.examples, f"{name} has no example"
    results = doctest.DocTestRunner().run(test, clear_globs=False)
    assert results.failed == 0
    assert list(test.globs[name]()), "the example gives no record"
