"""A plugin with a capability and a modality that the core never heard of, end to end."""

import json
import os
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from genkit.plan import activation
from tests.commands import variables
from tests.docs.documents import path_with
from tests.torture.nursery import Nursery

pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a run of the sample plugin's model."""
    folder = tmp_path_factory.mktemp("morse")
    path = path_with("morse", folder / "site")
    with installed(path) as genkit:
        done = genkit(folder, "run", "morse-memory", "--name", "m")
        assert done.returncode == 0, done.stderr
        assert "genkit transcribe" in done.stdout
        yield folder / "runs" / "m", partial(genkit, folder), path


@contextmanager
def installed(path):
    """Run the command line with the plugins that a PYTHONPATH holds."""
    with Nursery(activation.choose_backend(), variables(PYTHONPATH=path)) as nursery:
        yield lambda folder, *arguments, **more: nursery.run(arguments, folder, more)


def test_training_shows_samples_by_the_plugins_renderer(place):
    run, _, _ = place
    (page,) = (run / "samples").iterdir()
    text = page.read_text()
    assert "--- -.-" in text
    assert "... --- ..." not in text, "what is refused is not shown"


def test_generate_writes_the_modalitys_own_files_and_not_what_is_refused(place):
    run, genkit, _ = place
    done = genkit("generate", run, "--n", 9, "--out", run / "few", "--json")
    told = json.loads(done.stdout)
    assert told["format"] == "txt"
    refused = told["refused"]
    assert refused["n"] == refused["reasons"]["no-false-alarm: calls for help"] > 0
    names = [Path(file).name for file in told["files"]]
    assert len(names) == 9 - refused["n"]
    assert sorted(path.name for path in (run / "few").iterdir()) == sorted(names)
    again = genkit("generate", run, "--n", 70, "--out", run / "many", "--json")
    for name in names:  # a refused item doesn't shift the others
        assert (run / "many" / name).read_text() == (run / "few" / name).read_text()
    assert json.loads(again.stdout)["refused"]["n"] > refused["n"]


def test_the_models_own_flags_reach_it(place):
    run, genkit, _ = place
    peaks = {}
    for loudness in ("1.0", "0.4"):
        genkit("generate", "--loudness", loudness, run, "--format", "npz", "--out", run / loudness)
        with np.load(run / loudness / "samples.npz") as arrays:
            peaks[loudness] = arrays["samples"].max()
            assert len(arrays["samples"]) <= 64
    assert peaks["0.4"] == pytest.approx(0.4 * peaks["1.0"], rel=1e-5)


def test_the_plugins_verb_takes_the_models_flags(place):
    run, genkit, _ = place
    told = json.loads(genkit("transcribe", run, "--n", 4, "--json").stdout)
    assert set(told["texts"]) <= {".... ..", "--- -.-", "... --- ..."}
    deaf = json.loads(genkit("transcribe", run, "--threshold", "0.999999", "--json").stdout)
    assert deaf["texts"] != told["texts"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("generate", "RUN", "--loudness", "3"), "less than or equal to 1; received 3"),
        (("generate", "RUN", "--loudnes", "1"), "--loudness"),
        (("transcribe", "RUN", "--loudness", "1"), "No such option: --loudness"),
        (("transcrib", "RUN"), "Did you mean 'transcribe'?"),
        (("generate", "RUN", "--format", "grid"), "Expected --format txt, npz"),
        (("reconstruct", "RUN"), "can generate, transcribe; not reconstruct"),
    ],
)
def test_mistakes_are_told_in_one_line(place, arguments, said):
    run, genkit, _ = place
    done = genkit(*(run if word == "RUN" else word for word in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_help_lists_the_verb_and_the_models_flags(place):
    run, genkit, _ = place
    wide = {"COLUMNS": "200"}
    assert "Write down what generated signals say" in genkit("--help", **wide).stdout
    shown = genkit("generate", run, "--help", **wide).stdout
    assert "--loudness" in shown
    assert "--loudness" not in genkit("generate", "--help", **wide).stdout
    told = json.loads(genkit("info", "morse-memory", "--json").stdout)
    assert [field["name"] for field in told["options"]["generate"]] == ["loudness"]
    assert told["commands"] == ["transcribe"]


HOSTILE = """
import genkit
{before}
@genkit.hookimpl
def genkit_reviewers():
    {inside}
    yield genkit.ReviewerSpec(name="hostile", summary="Fails", modality="morse",
                              reviewer="{module}:{attribute}")

class Raises(genkit.Reviewer):
    def review(self, items):
        raise RuntimeError("boom")

class Careless(genkit.Reviewer):
    def review(self, items):
        return [True] * len(items)
"""


@pytest.mark.parametrize(
    "case",
    [
        ("Raises", "pass", "RuntimeError: boom"),
        ("Careless", "pass", "expected 64 strings"),
        ("Missing", "pass", "can't be imported"),
        ("Raises", "raise RuntimeError('no list')", "no list"),
    ],
)
def test_where_a_reviewer_fails_nothing_is_written(place, install, genkit_command, case):
    run, _, path = place
    attribute, inside, said = case
    text = HOSTILE.format(module="genkit_bad", attribute=attribute, inside=inside, before="")
    site = install("genkit-keras-bad", "genkit_bad", text)["PYTHONPATH"]
    env = {"PYTHONPATH": os.pathsep.join([site, path])}
    wish = ("generate", run, "--n", 100, "--out", run / "none")
    done = genkit_command(*wish, env=env, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert "genkit-keras-bad" in done.stderr or "genkit_bad" in done.stderr
    assert not (run / "none").exists() or not list((run / "none").iterdir())


RIVAL = """
import genkit
@genkit.hookimpl
def genkit_commands():
    for name in ("transcribe", "list", "breaks"):
        yield genkit.CommandSpec(name=name, summary="A rival", command="genkit_rival_verbs:" + name)
"""
VERBS = "def transcribe():\n    print('rival')\ndef list():\n    print('no list')\n"


def test_two_plugins_with_one_verb_and_a_built_in_verb_keep_apart(place, install, tmp_path):
    run, _, path = place
    site = install("genkit-keras-rival", "genkit_rival", RIVAL)["PYTHONPATH"]
    (tmp_path / "site" / "genkit_rival_verbs.py").write_text(VERBS)
    with installed(os.pathsep.join([site, path])) as with_rival:
        genkit = partial(with_rival, tmp_path, COLUMNS="200")
        done = genkit("transcribe", run)
        assert done.returncode == 2
        choices = "genkit-keras-morse/transcribe or genkit-keras-rival/transcribe"
        assert f"Write {choices}" in done.stderr
        assert genkit("genkit-keras-rival/transcribe").stdout == "rival\n"
        assert "no list" not in genkit("list", "models").stdout
        assert genkit("genkit-keras-rival/list").stdout == "no list\n"
        assert "genkit-keras-rival/list" in genkit("--help").stdout
        broken = genkit("breaks")
        assert broken.returncode == 1
        assert "plugin genkit_rival (genkit-keras-rival) can't be loaded" in broken.stderr
        assert len(broken.stderr.strip().splitlines()) == 1


PEER = """
import genkit
@genkit.hookimpl
def genkit_models():
    yield genkit.ModelSpec(
        name="peer-memory", summary="Another", model="genkit_morse.model:MorseMemory",
        config="genkit_morse.settings:MorseMemoryConfig", accepts=("morse",),
        capabilities=("transcribe",), trainer="closed-form",
        presets={"default": {"dataset": "morse"}},
    )
@genkit.hookimpl
def genkit_commands():
    yield genkit.CommandSpec(name="transcribe", summary="A peer", capability="transcribe",
                             command="genkit_peer_verbs:transcribe")
"""
PEER_VERB = """
from pathlib import Path
def transcribe(run: Path, loud: bool = False):
    print("peer", run)
"""


def test_of_two_verbs_for_one_capability_that_of_the_runs_model_is_taken(place, install, tmp_path):
    run, _, path = place
    site = install("genkit-keras-peer", "genkit_peer", PEER)["PYTHONPATH"]
    (tmp_path / "site" / "genkit_peer_verbs.py").write_text(PEER_VERB)
    with installed(os.pathsep.join([site, path])) as with_peer:
        genkit = partial(with_peer, run.parents[1], COLUMNS="200")
        of_peer = run.with_name("peer")
        trained = genkit("run", "peer-memory", "--name", "peer", "--json")
        assert trained.returncode == 0, trained.stderr
        assert genkit("transcribe", "--loud", of_peer).stdout == f"peer {of_peer}\n"
        exported = of_peer / "model"
        assert genkit("transcribe", exported).stdout == f"peer {exported}\n"
        told = json.loads(genkit("transcribe", run, "--threshold", "0.4", "--json").stdout)
        assert len(told["texts"]) == 5
        assert "--threshold" in genkit("transcribe", run, "--help").stdout
        for words in (["transcribe"], ["transcribe", "nowhere"], ["transcribe", "x" * 5000]):
            done = genkit(*words)
            assert done.returncode == 2
            choices = "genkit-keras-morse/transcribe or genkit-keras-peer/transcribe"
            assert f"Write {choices}, or name a run of a model of one of them." in done.stderr
        assert genkit("genkit-keras-peer/transcribe", run).stdout == f"peer {run}\n"
        assert genkit("--help").stdout.count("transcribe") == 1
        told = json.loads(genkit("info", "peer-memory", "--json").stdout)
        assert told["commands"] == ["transcribe"]
