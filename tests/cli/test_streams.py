"""Standard streams that are closed, full, unread or of few letters."""

import codecs
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from genkit.cli import streams

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(os.name != "posix", reason="redirects as a POSIX shell does"),
]

GENKIT = f"{shlex.quote(sys.executable)} -m genkit"
EMPTY = "No runs in runs. Begin with: genkit run vae\n"


@pytest.fixture
def shell(tmp_path):
    def run(redirected, **env):
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", redirected.replace("genkit", GENKIT, 1)],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **env},
            capture_output=True, timeout=300, check=False,
        )  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("command", "code", "out", "err"),
    [
        ("genkit runs >&-", 0, "", ""),
        ("genkit runs --json >&-", 0, "", ""),
        ("genkit runs 2>&-", 0, EMPTY, ""),
        ("genkit runs <&- >&- 2>&-", 0, "", ""),
        ("genkit run --help >&-", 0, "", ""),
        ("genkit run nosuch >&-", 2, "", "error: Expected the name"),
        ("genkit run nosuch 2>&-", 2, "", ""),
        ("genkit runs >/dev/full", 1, "", "error: The system refused: No space"),
        ("genkit runs --json >/dev/full", 1, "", "error: The system refused: No space"),
        ("genkit list >/dev/full", 1, "", "error: The system refused: No space"),
        ("genkit runs 2>/dev/full", 0, EMPTY, ""),
        ("genkit run nosuch 2>/dev/full", 2, "", ""),
        ("genkit list | true", 0, "", ""),
        ("genkit list --json | true", 0, "", ""),
        ("genkit run --help | true", 0, "", ""),
        ("PYTHONUNBUFFERED=1 genkit list | true", 0, "", ""),
    ],
)
def test_a_stream_that_can_not_be_written_to(shell, command, code, out, err):
    if "/dev/full" in command and not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    done = shell(command)
    told = done.stderr.decode()
    assert (done.returncode, done.stdout.decode()) == (code, out), told
    assert told.startswith(err)
    assert told.count("\n") == bool(err)


def test_json_on_a_closed_stderr_is_still_json(shell):
    done = shell("genkit run nosuch --json 2>&-")
    assert json.loads(done.stdout)["error"] == "UnknownNameError"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_every_encoding_can_show_every_letter(shell, encoding):
    name = "\N{GREEK SMALL LETTER ALPHA}\N{LATIN SMALL LETTER E WITH ACUTE}"
    done = shell(f"genkit info {name}", PYTHONIOENCODING=encoding)
    assert done.returncode == 2
    told = done.stderr.decode(encoding)
    expected = {"ascii": r"\u03b1\xe9", "utf-8": name}.get(encoding, "\\u03b1" + name[1])
    assert told == f"error: Nothing is called '{expected}'. See: genkit list\n"


def test_a_name_that_is_no_text_is_shown(shell):
    done = shell(r"genkit info $'v\xff'", PYTHONIOENCODING="utf-8")
    assert done.returncode == 2
    assert done.stderr == b"error: Nothing is called 'v\\udcff'. See: genkit list\n"


def test_a_sign_has_a_form_in_ascii():
    codecs.register_error("genkit.ascii", streams._in_ascii)
    text = "\N{CHECK MARK} a\N{NO-BREAK SPACE}1 \N{RIGHTWARDS ARROW}"
    assert text.encode("ascii", "genkit.ascii") == b"ok a 1 ->"
    assert all(plain.isascii() for plain in streams._IN_ASCII.values())


@pytest.mark.slow
@pytest.mark.parametrize("redirect", ["2>/dev/full", "2>&- >&-", "2>&1 | true"])
def test_a_run_goes_on_when_nobody_reads_what_it_shows(shell, tmp_path, redirect):
    run = "genkit run vae --dataset digits --steps 3 --set width=4 --name r"
    assert shell(f"{run} {redirect}").returncode == 0
    assert json.loads((tmp_path / "runs/r/status.json").read_text())["state"] == "done"
