"""What stands in the pages is tested, or says that it isn't and why."""

import re
import shlex

import pytest
import typer

from genkit.cli import app
from genkit.plan.plan import make_plan, parse_settings
from genkit.plugins.registry import Registry
from tests.docs.documents import DOCS, PAGES, README, ROOT, SAMPLES, blocks
from tests.docs.script import script

OPENING = """\
python3 -m venv .venv && .venv/bin/pip install -e '.[jax]' && .venv/bin/genkit run dcgan --backend jax
.venv/bin/pip install nox && .venv/bin/nox -s tests
"""  # noqa: E501 - as it stands in the README
SHELL = ("bash", "console", "sh", "shell")
INCLUDE = re.compile(r"^```\{(?:literal)?include\} (\S+)$", re.MULTILINE)
MARKER = re.compile(r'^:(?:start-after|end-before|start-at): "?(.*?)"?$', re.MULTILINE)


def shell_blocks():
    return [block for block in blocks(*SHELL) if block.page != README]


def test_readme_opens_with_the_two_lines():
    before, _, after = README.read_text(encoding="utf-8").partition("```bash\n")
    title, *sentences = [line for line in before.splitlines() if line]
    assert title == "# GenKit"
    assert " ".join(sentences).count(". ") <= 1
    assert after.partition("```")[0] == OPENING


def test_readme_has_no_other_shell_block():
    assert len([block for block in blocks(*SHELL) if block.page == README]) == 1


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_block_is_a_sample_or_says_why_not(block):
    samples = [sample.read_text(encoding="utf-8") for sample in SAMPLES.rglob("*.py")]
    assert block.marker.startswith("not run: ") or any(block.text in text for text in samples)


def test_toml_is_included_from_files():
    assert not blocks("toml")


@pytest.mark.parametrize("block", shell_blocks(), ids=str)
def test_shell_block_is_marked(block):
    assert block.marker == "dry run" or block.marker.startswith("not run: ")


@pytest.mark.parametrize("block", shell_blocks(), ids=str)
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

    # Whether a backend is installed is not the page's matter.
    monkeypatch.setattr(activation, "choose_backend", lambda requested: requested or "jax")
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_includes_name_files_and_places_that_exist(page):
    text = page.read_text(encoding="utf-8")
    for match in INCLUDE.finditer(text):
        file = (page.parent / match[1]).resolve()
        assert file.is_file(), match[0]
        options = text[match.end() :].partition("```")[0]
        for place in MARKER.findall(options):
            assert place in file.read_text(encoding="utf-8"), f"{file.name}: {place}"


def test_every_sample_is_shown_or_serves_one_that_is():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    serving = {"make_images.py", "__init__.py"}
    for sample in SAMPLES.rglob("*"):
        if sample.suffix in (".py", ".sh", ".toml") and sample.name not in serving:
            assert f"samples/{sample.relative_to(SAMPLES).as_posix()}" in text, sample


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_page_is_in_the_table_of_contents():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix("").as_posix()
        listed = name == "index" or name.startswith("explanation/decisions/0") or name in index
        assert listed, f"{name} is in no toctree"
