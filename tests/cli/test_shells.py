"""The scripts of zsh and fish, in those shells where they are installed; bash: test_completion."""

import os
import shutil
import subprocess
import sys

import pytest
from typer._completion_shared import get_completion_script

import genkit.cli  # noqa: F401 - puts its scripts in place of Typer's

pytestmark = pytest.mark.once

FISH = "complete -C $argv[1]"
# What zsh itself would be asked to show is printed: files, or words with what follows them.
ZSH = """
_files() { print files }
_describe() {
    local each
    for each in $whole; do print -r -- "${each%%:*} |"; done
    for each in $begun; do print -r -- "${each%%:*}|"; done
    [[ "$*" == "-V genkit whole -- begun -S " ]]
}
compdef() { : }
words=( ${=1} ); [[ $1 == *' ' ]] && words+=( '' )
CURRENT=$#words
_genkit_completion
"""


@pytest.fixture
def complete(tmp_path):
    """Return what the real shell makes of a line."""

    def ask(shell, line):
        if not shutil.which(shell):
            pytest.skip(f"{shell} isn't installed")
        script = get_completion_script(
            prog_name="genkit", complete_var="_GENKIT_COMPLETE", shell=shell
        )
        asking = {"fish": f"{script}\n{FISH}", "zsh": ZSH.replace("words=", f"{script}\nwords=", 1)}
        no_rc = {"fish": "--no-config", "zsh": "-f"}[shell]
        (tmp_path / "asking").write_text(asking[shell])
        done = subprocess.run(
            [shell, no_rc, "asking", line], cwd=tmp_path, capture_output=True, text=True,
            check=False, env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"},
        )  # fmt: skip
        return [word.partition("\t")[0] for word in done.stdout.splitlines()], done.stderr

    program = "import sys; sys.argv[0] = 'genkit'; from genkit.cli import main; main()"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/genkit").write_text(f'#!/bin/sh\nexec {sys.executable} -c "{program}" "$@"\n')
    (tmp_path / "bin/genkit").chmod(0o755)
    (tmp_path / "recipe.toml").touch()
    return ask


@pytest.mark.parametrize(
    ("shell", "line", "offers"),
    [
        ("fish", "genkit run v", ["vae", "vq-vae"]),
        ("fish", "genkit run vae --set lat", ["latent_dim="]),
        ("fish", "genkit run --recipe re", ["recipe.toml"]),
        ("zsh", "genkit run v", ["vae |", "vq-vae |"]),
        ("zsh", "genkit run vae --set lat", ["latent_dim=|"]),
        ("zsh", "genkit run image-folder --data path=b", ["files"]),
        ("zsh", "genkit run vae --dataset image-folder --data path=b", ["path=bin/|"]),
        ("zsh", "genkit run --recipe re", ["files"]),
    ],
)
def test_shells_complete_values_and_leave_files_to_themselves(complete, shell, line, offers):
    assert complete(shell, line) == (offers, "")
