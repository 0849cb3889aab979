"""Completion, asked as each shell asks: what is offered, and how little is imported for it."""

import json
import os
import re
import subprocess
import sys

import pytest

from genkit.plugins.schema import Field, Schema
from tests.commands import GENKIT

pytestmark = pytest.mark.once

HEAVY = {
    *("keras", "tensorflow", "torch", "jax", "numpy", "grain", "sklearn", "PIL"),
    "rich",  # Typer would look for markup in each offer
}
PROBE = """
import sys
sys.argv = ["genkit"]
from genkit.cli import main
try:
    main()
finally:
    with open("modules.json", "w") as file:
        print(sorted({name.split(".")[0] for name in sys.modules}), file=file)
"""


SCHEMA = Schema(
    {
        "image": Field((8, 8, 1), "uint8", "image", (0, 255)),
        "label": Field((), "int32", "label", classes=("cat", "dog")),
    }
).to_dict()


class Asked:
    """What a shell got: its offers, what else was printed, and which modules were imported."""

    def __init__(self, folder, line, shell, **more):
        words = line.split(" ")
        variables = {
            "bash": {"COMP_WORDS": line.replace(" ", "\n"), "COMP_CWORD": str(len(words) - 1)},
            "zsh": {"_TYPER_COMPLETE_ARGS": line},
            "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
        }[shell]
        done = subprocess.run(
            [sys.executable, "-c", PROBE], cwd=folder, capture_output=True, text=True, check=False,
            env={**os.environ, "_GENKIT_COMPLETE": f"complete_{shell}", **variables, **more},
        )  # fmt: skip
        self.errors = done.stderr
        self.modules = set(json.loads((folder / "modules.json").read_text().replace("'", '"')))
        if shell == "zsh":
            self.offers = [
                word.replace(r"\\:", ":")
                for word in re.findall(r'^[^"]*"([^"]*)"', done.stdout, re.MULTILINE)
            ]
        else:
            self.offers = [line.partition("\t")[0] for line in done.stdout.splitlines() if line]


@pytest.fixture
def ask(tmp_path, make_run):
    make_run("mine", "dcgan", "mnist")
    make_run("my-other")
    (tmp_path / "runs/mine/checkpoints/00000500").mkdir(parents=True)
    (tmp_path / "runs/mine/model").mkdir()
    saved = {"model": "vae", "distribution": "genkit-keras", "schema": SCHEMA}
    (tmp_path / "runs/mine/model/config.json").write_text(json.dumps(saved))
    (tmp_path / "pictures").mkdir()
    (tmp_path / "recipe.toml").write_text('model = "ddpm"\ndataset = "npz"\n')
    return lambda line, shell="fish", **more: Asked(tmp_path, line, shell, **more)


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("genkit run v", ["vae", "vq-vae"]),
        ("genkit run vae --dataset m", ["mnist"]),
        ("genkit run vae --preset re", ["reference"]),
        ("genkit run vae --backend j", ["jax"]),
        ("genkit run vae --set lat", ["latent_dim="]),
        ("genkit run vae --dataset digits --data lim", ["limit="]),
        ("genkit generate m", ["mine", "my-other"]),
        ("genkit runs rename lat", ["latest"]),
    ],
)
def test_each_shell_is_offered_values(ask, shell, line, offers):
    asked = ask(line, shell)
    assert asked.offers == offers
    assert asked.errors == ""
    assert asked.modules & HEAVY == set()


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("genkit run --set latent_dim=8 vae --set l", ["likelihood=", "learning_rate="]),
        ("genkit run vae --set likelihood=", ["likelihood=bernoulli", "likelihood=gaussian"]),
        ("genkit run ddpm --set conditional=", ["conditional=false", "conditional=true"]),
        ("genkit run vae --data sp", ["split="]),
        ("genkit run --recipe recipe.toml --set cond", ["conditional="]),
        ("genkit run --recipe recipe.toml --data pa", ["path="]),
        ("genkit run vae --dataset image-folder --data path=pic", ["path=pictures/"]),
        ("genkit run vae --trainer gr", ["gradient"]),
        ("genkit run vae --precision f", ["float32", "float16"]),
        ("genkit run vae --learning-rate-schedule c", ["constant", "cosine"]),
        ("genkit run vae --dataset npz --data ch", ["channels="]),
        ("genkit run vae --log ten", ["tensorboard"]),
        ("genkit run vae --init l", ["latest"]),
        ("genkit run vae --dataset genkit-keras/m", ["genkit-keras/mnist"]),
        ("genkit generate mine --checkpoint ", ["500", "best"]),
        ("genkit generate --checkpoint 500 my-", ["my-other"]),
        ("genkit generate runs/m", ["runs/mine", "runs/my-other"]),
        ("genkit generate ru", []),
        ("genkit encode mine --data sub", ["subset_seed=", "subset="]),
        ("genkit reconstruct mine --n x --data split=te", ["split=test"]),
        ("genkit generate mine --label c", ["cat"]),
        ("genkit generate mine --label cat,", ["cat,dog"]),
        ("genkit generate mine --format ", ["png", "webp", "npz", "grid"]),
        ("genkit run vae --data transforms=g", ["transforms=grayscale"]),
        ("genkit evaluate mine --against dig", ["digits"]),
        ("genkit evaluate mine --split t", ["train", "test"]),
        ("genkit evaluate mine --against image-folder --split v", ["validation"]),
        ("genkit evaluate mine --extractor m", ["mnist-classifier", "mobilenet"]),
        ("genkit augment --classical c", ["cutout"]),
        ("genkit new plugin mine --kind m", ["metric"]),
        ("genkit evaluate mine --metrics fid,ki", ["fid,kid"]),
        ("genkit compare vae --models dc", ["dcgan"]),
        ("genkit compare vae --backends jax,j", []),
        ("genkit report mine my", ["my-other"]),
        ("genkit list mod", ["models"]),
        ("genkit info mni", ["mnist", "mnist-classifier"]),
        ("genkit runs --sort fi", ["figure"]),
        ("genkit runs --filter sta", ["state="]),
        ("genkit runs --runs-dir elsewhere rm ", []),
        ("genkit re", ["resume", "reconstruct", "report"]),
        ("genkit run --sam", ["--sample-every"]),
    ],
)
def test_what_is_offered_follows_from_what_was_typed(ask, line, offers):
    asked = ask(line)
    assert asked.offers == offers
    assert asked.errors == ""
    assert asked.modules & HEAVY == set()


@pytest.mark.parametrize(
    "line",
    [
        "genkit frobnicate ", "genkit run nothing --set ", "genkit run vae --dataset no --data ",
        "genkit generate nothing --checkpoint ",
        "genkit run --recipe none.toml --set ", "genkit run vae --data path=/no/where/",
    ],
)  # fmt: skip
def test_a_line_that_makes_no_sense_is_offered_nothing_and_shown_nothing(ask, line):
    asked = ask(line)
    assert asked.offers == []
    assert asked.errors == ""


def test_names_need_no_settings_to_be_read(ask):
    for line in ("genkit run v", "genkit generate m", "genkit run vae --preset "):
        assert "pydantic" not in ask(line).modules


def test_each_offer_is_one_short_line(ask):
    asked = ask("genkit run vae --data ", COLUMNS="20")
    assert "transforms=" in asked.offers
    assert all(offer.endswith("=") for offer in asked.offers)


def test_a_run_in_the_bin_is_offered_to_restore(ask, genkit_here):
    genkit_here("runs", "rm", "mine")
    assert ask("genkit runs restore ").offers == ["mine"]


def test_a_plugin_verb_knows_runs_too(ask, install, tmp_path):
    """A word is taken as a run by what the command shows for it: RUN."""
    text = """
from pathlib import Path
from typing import Annotated
import genkit, typer

def shout(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run.")],
    backend: Annotated[str, typer.Option()] = "",
    label: Annotated[str, typer.Option()] = "",
):
    print("SHOUT", run)

@genkit.hookimpl
def genkit_commands():
    yield genkit.CommandSpec(name="shout", summary="Shout", command="shouting:shout")
"""
    more = install("genkit-keras-shouting", "shouting", text, ("genkit-keras>=0",))
    assert ask("genkit shout my-", **more).offers == ["my-other"]
    assert ask("genkit shout mine --backend j", **more).offers == ["jax"]
    assert ask("genkit shout mine --label d", **more).offers == ["dog"]
    told = {}
    for word in ("my-other", "my-othre"):
        told[word] = subprocess.run(
            [*GENKIT, "shout", word], cwd=tmp_path, capture_output=True, text=True, check=False,
            env={**os.environ, **more},
        )  # fmt: skip
    assert told["my-other"].stdout == "SHOUT runs/my-other\n"
    assert "Did you mean 'my-other'?" in told["my-othre"].stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("genkit run vae --set lat", "latent_dim="),
        ("genkit run vae --set likelihood=b", "bernoulli"),
        ("genkit run vae --set likelihood=", "bernoulli gaussian"),
        ("genkit generate my", "my-other"),
        ("genkit generate two", r"two\ words"),
        ("genkit generate nothing", ""),
    ],
)
def test_bash_itself_completes_settings_and_names_with_blanks(
    ask, make_run, tmp_path, line, offers
):
    make_run("two words")
    program = "import sys; sys.argv[0] = 'genkit'; from genkit.cli import main; main()"
    (tmp_path / "genkit").write_text(f'#!/bin/sh\nexec {sys.executable} -c "{program}" "$@"\n')
    (tmp_path / "genkit").chmod(0o755)
    script = """
    eval "$(genkit --show-completion bash)"
    compopt() { printf 'compopt %s %s\n' "$@"; }
    COMP_LINE="$1" COMP_POINT=${#1} COMPREPLY=()
    _genkit_completion genkit
    printf '%s ' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "-c", script, "bash", line],
        cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )  # fmt: skip
    nospace = ["compopt -o nospace"] if offers.endswith("=") else []
    assert [line.strip() for line in done.stdout.splitlines()] == [*nospace, offers]
    assert done.stderr == ""
