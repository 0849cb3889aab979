"""What stands in the pages is tested, or says that it isn't and why."""

import ast
import re
import shlex
from functools import cache

import pytest
import typer

import genkit
from genkit.builtin.model_specs import MODELS
from genkit.cli import app
from genkit.plan.plan import make_plan, parse_settings
from genkit.plugins.registry import Registry
from tests.docs.documents import (
    DOCS,
    DOCUMENTS,
    PAGES,
    README,
    ROOT,
    SAMPLES,
    TEMPLATES,
    anchors,
    blocks,
    links,
    prose,
    texts,
)
from tests.docs.script import samples, script
from tests.house.rooms import modules_of

SHELL = ("bash", "console", "sh", "shell")
INDEX = DOCS / "index.md"
# What only Sphinx shows: directives, roles and targets of MyST.
ONLY_SPHINX = re.compile(r"^```\{|^:::|\{[\w:-]+\}`|^\([\w-]+\)=$", re.MULTILINE)
FROM_AN_INDEX = re.compile(r"pip install[^\n`]*[\s'\"]genkit-keras")
# A file of this repository, of a plugin that is made from a template, or of one beside GenKit; what
# is written as NAME stands for any.
PATH = re.compile(r"(?<![\w/.-])(?:genkit|tests|docs|plugins)(?:/[\w.-]+)+")
MODULE = re.compile(r"python -m ((?:genkit|tests|bench)[\w.]*)")
# A module of GenKit, or what it defines.
NAME = re.compile(r"(?<![\w/.-])genkit(?:\.[A-Za-z_]\w*)+")
OF_THE_PAST = {"decisions", "CHANGELOG.md"}
WIDEST = 9  # columns that fit beside the contents at 1280 pixels


def name_of(page):
    return str(page.relative_to(ROOT))


def every_page(pages):
    return pytest.mark.parametrize("page", pages, ids=name_of)


def shell_blocks(*, samples=True):
    found = blocks(*SHELL)
    return [b for b in found if samples or not b.marker.startswith("sample: ")]


def test_readme_shows_a_picture_and_a_taste_before_the_tests():
    text = README.read_text(encoding="utf-8")
    places = ["\n![", "## Three reasons", "genkit run vae --dataset digits", "genkit generate"]
    assert sorted(places, key=text.index) == places
    command = ".venv/bin/pip install nox && .venv/bin/nox -s tests\n"  # what .ci/run runs
    assert text.index(places[-1]) < text.index(command)


@every_page(DOCUMENTS)
def test_nothing_is_installed_from_an_index_that_does_not_have_it(page):
    assert not FROM_AN_INDEX.findall(page.read_text(encoding="utf-8"))


def test_readme_and_home_page_have_one_table_of_all_models():
    tables = [re.findall(r"^\|.*\|$", prose(page), re.MULTILINE) for page in (README, INDEX)]
    readme, home = tables
    assert [row.replace("](docs/", "](") for row in readme] == home
    assert {model.name for model in MODELS} <= set(re.findall(r"`([\w-]+)`", "\n".join(home)))


@every_page(PAGES)
def test_page_reads_well_where_no_sphinx_shows_it(page):
    assert not ONLY_SPHINX.findall(page.read_text(encoding="utf-8"))


def test_pages_count_the_models_right():
    shown = [
        re.findall(r"^builtin .* (\d+) models", text, re.MULTILINE)
        for text in texts(PAGES).values()
    ]
    assert {int(count) for counts in shown for count in counts} == {len(MODELS)}


def test_pages_show_samples_as_they_are():
    assert samples.stale() == [], "run: python docs/fill_samples.py"


@pytest.mark.parametrize(
    ("places", "shown"),
    [
        ("", "def a():\n    return 1\n\nb = 2\n"),
        (', after "# [b]"', "b = 2\n"),
        (', from "def a"', "def a():\n    return 1\n\nb = 2\n"),
        (', from "return", before "# [b]"', "return 1\n"),
    ],
)
def test_sample_is_the_part_between_its_places(tmp_path, places, shown):
    (tmp_path / "sample.py").write_text("# [a]\ndef a():\n    return 1\n\n# [b]\nb = 2\n")
    page = tmp_path / "page.md"
    page.write_text(f"<!-- sample: sample.py{places} -->\n```python\nold\n```\n")
    assert samples.filled(page).partition("```python\n")[2] == f"{shown}```\n"


def test_sample_without_its_place_is_an_error(tmp_path):
    (tmp_path / "sample.py").write_text("a = 1\n")
    with pytest.raises(LookupError, match=r'page\.md: sample\.py has no place after "# \[gone\]"'):
        samples.sample(tmp_path / "page.md", "sample.py", ', after "# [gone]"')


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_block_is_a_sample_or_says_why_not(block):
    assert block.marker.startswith(("sample: ", "not run: "))


@pytest.mark.parametrize("block", blocks("toml", "diff"), ids=str)
def test_files_of_settings_and_changes_are_samples(block):
    assert block.marker.startswith("sample: ")


@pytest.mark.parametrize("block", shell_blocks(), ids=str)
def test_shell_block_is_marked(block):
    assert block.marker == "dry run" or block.marker.startswith(("sample: ", "not run: "))


@pytest.mark.parametrize("block", shell_blocks(samples=False), ids=str)
def test_commands_use_flags_that_exist(block):
    flags = {
        name: {flag for names, *_ in script.command_line.parameters(function) for flag in names}
        for name, function in script.command_line.commands()
    }
    flags |= {flag: set() for each in typer.main.get_command(app).params for flag in each.opts}
    for line in block.commands():
        words = shlex.split(line, comments=True)
        if words[:1] == ["genkit"]:
            used = {word for word in words[2:] if word.startswith("--")}
            name = next((n for n in (" ".join(words[1:3]), words[1]) if n in flags), None)
            assert name is not None, line
            assert used <= flags[name], line


@pytest.mark.parametrize("block", [b for b in shell_blocks() if b.marker == "dry run"], ids=str)
def test_dry_run_blocks_make_a_plan(block, monkeypatch):
    from genkit.builtin import plugin
    from genkit.plan import activation
    from genkit.plugins.entries import Entry

    # What is installed, of backends and loggers, is not the page's matter.
    monkeypatch.setattr(activation, "choose_backend", lambda requested: requested or "jax")
    monkeypatch.setattr(Entry, "check_packages", lambda _: None)
    for line in block.commands():
        words = shlex.split(line)
        if words[:2] == ["genkit", "run"]:
            make_plan(Registry(plugins=[plugin]), flags_of(words[2:]))


def flags_of(words):
    flags, pairs = {}, {"--set": [], "--data": [], "--log": [], "--trainer-set": []}
    if words and not words[0].startswith("-"):
        flags["model"] = words.pop(0)
    while words:
        flag = words.pop(0)
        if flag == "--dry-run":
            continue
        value = words.pop(0)
        if flag in pairs:
            pairs[flag].append(value)
        elif flag != "--name":
            number = int(value) if value.isdigit() else value
            flags[flag.removeprefix("--").replace("-", "_")] = number
    flags["config"] = parse_settings(pairs["--set"], "--set")
    flags["data"] = parse_settings(pairs["--data"], "--data")
    flags["log"] = pairs["--log"]
    flags["trainer_config"] = parse_settings(pairs["--trainer-set"], "--trainer-set")
    return flags


def test_every_sample_is_shown_or_serves_one_that_is():
    text = "".join(texts(PAGES).values())
    serving = {"make_images.py", "__init__.py"}
    for sample in SAMPLES.rglob("*"):
        if sample.suffix in (".py", ".sh", ".toml") and sample.name not in serving:
            assert f"samples/{sample.relative_to(SAMPLES).as_posix()}" in text, sample


@every_page(DOCUMENTS)
def test_links_lead_somewhere(page):
    for file, place in links(page):
        target = page.parent / file if file else page
        assert target.exists(), file
        if place and target.suffix == ".md":
            assert place in anchors(target), f"{file}#{place}"


@every_page([page for page in DOCUMENTS if not {page.parent.name, page.name} & OF_THE_PAST])
def test_files_and_modules_that_are_named_exist(page):
    text = page.read_text(encoding="utf-8")
    places = [ROOT, *TEMPLATES.glob("*"), *ROOT.glob("plugins/*")]
    named = {path.rstrip("./") for path in PATH.findall(text)}
    named |= {module.replace(".", "/") for module in MODULE.findall(text)}
    for path in (path for path in named if "NAME" not in path):
        files = [place / path for place in places]
        assert any(file.exists() or file.with_suffix(".py").exists() for file in files), path
    assert [name for name in NAME.findall(text) if not is_defined(name)] == []


def test_docstrings_name_what_exists():
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for file in [*modules_of(ROOT / "genkit").values(), *ROOT.glob("plugins/*/genkit_*/**/*.py")]:
        nodes = [n for n in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(n, kinds)]
        text = "\n".join(ast.get_docstring(node) or "" for node in nodes)
        assert [name for name in NAME.findall(text) if not is_defined(name)] == [], file


def is_defined(name):
    """Whether a dotted name leads to a module of GenKit, or to what one defines or imports."""
    modules = modules_of(ROOT / "genkit")
    module = name
    while module not in modules:
        module = module.rpartition(".")[0]
    wanted = name.removeprefix(module).split(".")[1:2]
    return not wanted or wanted[0] in names_in(module, modules[module])


@cache
def names_in(module, file):
    if module == "genkit":
        return {*genkit.__all__, "__version__"}
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    defined = {n.name for n in nodes if isinstance(n, ast.ClassDef | ast.FunctionDef)}
    defined |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    imports = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    return defined | {each.asname or each.name for node in imports for each in node.names}


def test_a_name_that_has_moved_is_found():
    assert is_defined("genkit.Model.fit")
    assert is_defined("genkit.runs.run.Run")
    assert not is_defined("genkit.assets")
    assert not is_defined("genkit.runs.Run")
    assert NAME.findall("see `genkit.runs.run`, or genkit/runs.py") == ["genkit.runs.run"]


@every_page(PAGES)
def test_tables_fit(page):
    rows = re.findall(r"^\|.*\|$", prose(page), re.MULTILINE)
    assert all(len(re.findall(r"(?<!\\)\|", row)) - 1 <= WIDEST for row in rows)


def test_every_page_is_linked_from_the_home_page_or_the_list_of_decisions():
    listed = {
        (home.parent / file).resolve()
        for home in (INDEX, DOCS / "explanation/decisions/index.md")
        for file, _ in links(home)
    }
    assert {page for page in PAGES if page not in (README, INDEX)} <= listed
