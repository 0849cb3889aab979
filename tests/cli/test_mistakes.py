"""What bad input gets: one line, the right exit code, nothing half-written."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from genkit import cli
from genkit.plan import activation

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("active_backend", "compiled_fast")]


def images(folder, n=12, size=(8, 8), mode="RGB"):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for index in range(n):
        shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
        Image.fromarray(rng.integers(0, 255, shape, dtype="uint8")).save(
            folder / f"{mode}-{size[0]}x{size[1]}-{index}.png"
        )
    return folder


RUN = ["run", "vae", "--dataset", "digits", "--steps", 1, "--set", "width=4"]
FOLDER = [
    "run", "vae", "--dataset", "image-folder", "--data", "path=pictures", "--steps", 1,
    "--set", "width=4", "--batch-size", 4,
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "dcgn"], 2, "Did you mean 'dcgan'"),
        (["run", "VAE"], 2, "Did you mean 'vae'"),
        (["run", "ease"], 2, "genkit-keras-recsys, which is not installed"),
        (["run", "eas"], 2, "Did you mean 'ease'"),
        ([*RUN, "--trainer", "dp"], 2, "GenKit: pip install ./plugins/genkit-keras-dp"),
        (["recommend", "nowhere"], 2, "GenKit: pip install ./plugins/genkit-keras-recsys"),
        (["info", "points-gan"], 2, "GenKit: pip install ./plugins/genkit-keras-points"),
        (["check", "ease"], 2, "GenKit: pip install ./plugins/genkit-keras-recsys"),
        (["trian", "vae"], 2, "Did you mean 'run'"),
        (["densty"], 2, "Did you mean 'density'"),
        ([*RUN, "--dataset", "mnits"], 2, "Did you mean 'mnist'"),
        ([*RUN, "--preset", "quick"], 2, "it has default, reference"),
        ([*RUN, "--set", "latent=3"], 2, "no setting 'latent'"),
        ([*RUN, "--set", "latent_dim=-3"], 2, "greater than or equal to 1; received -3"),
        ([*RUN, "--set", "latent_dim"], 2, "key=value"),
        ([*RUN, "--time", "soon"], 2, "90s, 10m or 1h30m"),
        ([*RUN, "--steps", "many"], 2, "'many' is not a valid"),
        ([*RUN, "--recipe", "none.toml"], 2, "none.toml can't be read"),
        ([*RUN, "--trainer", "closed-form"], 2, "needs a model with solve"),
        ([*RUN, "--batch-size", 5000], 1, "1500 items"),
        ([*RUN, "--init", "nowhere"], 1, "Expected a run directory"),
        ([*RUN, "--name", "a/b"], 2, "without slashes"),
        ([*RUN, "--runs-dir", "a" * 300], 2, "a name of at most"),
        (["compare", "vae", "--name", "../x"], 2, "without slashes"),
        ([*FOLDER, "--data", "path="], 2, "expected a path; received ''"),
        ([*RUN, "--runs-dir", "/proc/none"], 1, "The system refused"),
        ([*RUN, "--latent-dim", "8"], 2, "is given as --set latent_dim=VALUE"),
        (["generate", "--latent-dim", "8"], 2, "See the flags with: genkit generate --help"),
        ([*RUN, "--backend", "tf"], 2, "Did you mean 'tensorflow'?"),
        ([*RUN, "--preset", "refrence"], 2, "Did you mean 'reference'?"),
        ([*RUN, "--colour", "red"], 2, "See the flags with: genkit run --help"),
        (["runs", "rename"], 2, "See the flags with: genkit runs rename --help"),
        (["info"], 2, "Missing argument 'NAME'"),
        (["check"], 2, "Missing argument 'NAME'"),
        (["new", "plugin"], 2, "Missing argument 'NAME'"),
        (["resume", "nowhere"], 1, "Expected a run directory"),
        (["generate", "nowhere"], 1, "Expected a run directory"),
        (["info", "dcgn"], 2, "Did you mean 'dcgan'"),
        (["list", "model"], 2, "Did you mean 'models'"),
        (["frobnicate"], 2, "No such command"),
        (["lst", "plugins"], 2, "Did you mean 'list'"),
        (["new", "plugn", "shapes"], 2, "Did you mean 'plugin'"),
        (["new", "frobnicate"], 2, "See them with: genkit new --help"),
        (["new", "plugin", "shapes"], 2, "--kind"),
        (["new", "plugin", "shapes", "--kind", "metrik"], 2, "Did you mean 'metric'"),
        (["new", "plugin", "My Shapes!", "--kind", "metric"], 2, "Did you mean 'my-shapes'"),
        (["new", "plugin", "genkit-keras-shapes", "--kind", "metric"], 2, "mean 'shapes'"),
        (["new", "plugin", "../shapes", "--kind", "metric"], 2, "Did you mean 'shapes'"),
        (["new", "plugin", "7", "--kind", "metric"], 2, "Such as: shapes"),
        (["new", "plugin", "s" * 31, "--kind", "metric"], 2, "30 characters"),
        (["new", "plugin", "gvae", "--kind", "generator"], 2, "The name 'gvae' is taken"),
        ([*FOLDER], 1, "pictures"),
        ([*FOLDER], 1, "No such file or directory."),
        ([*RUN, "--dataset", "image-folder"], 2, "Give it with: --data path=FOLDER"),
        ([*RUN, "--dataset", "npz"], 2, "Give it with: --data path=FILE.npz"),
        (["compare", "vae", "--name", "a/b"], 2, "without slashes"),
        (["compare", "vae", "--name", "a", "--out", "b"], 2, "Expected --out or --name"),
        (["augment", "--model", "cvae", "--name", "a", "--out", "b"], 2, "received both"),
    ],
)
def test_a_mistake_is_one_line_with_the_right_code(genkit_here, tmp_path, arguments, code, message):
    got, out, err = genkit_here(*arguments)
    assert got == code, err
    lines = [line for line in err.splitlines() if not line.startswith("Training ")]
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert message in lines[0]
    assert out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("command", "ending"), [("generate", ""), ("report", ".html")])
def test_a_place_that_the_system_has_no_name_for_is_refused(genkit_here, make_run, command, ending):
    code, _, err = genkit_here(command, make_run("mine"), "--out", "a" * 300 + ending)
    assert code == 2
    assert "a name of at most" in err


def test_a_number_of_items_that_makes_no_sense_is_refused(genkit_here, make_run):
    code, out, err = genkit_here("generate", make_run("mine"), "--n", 0)
    assert (code, out) == (2, "")
    assert "at least 1" in err


@pytest.mark.parametrize(
    "arguments",
    [["run", "dcgn", "--json"], ["run", "--colour", "--json"], ["resume", "x", "--json"]],
)
def test_with_json_an_error_is_an_object_too(genkit_here, arguments):
    code, out, _ = genkit_here(*arguments)
    assert code
    told = json.loads(out)
    assert set(told) == {"error", "message", "hint"}
    assert told["message"]


def test_debug_shows_the_traceback(monkeypatch):
    from genkit.errors import UsageError

    monkeypatch.setattr("sys.argv", ["genkit", "run", "dcgn", "--debug"])
    with pytest.raises(UsageError):
        cli.main()


def test_a_name_that_is_taken_is_told_before_anything_heavy_is_imported(tmp_path):
    (tmp_path / "runs/mine").mkdir(parents=True)
    program = (
        "import sys; from genkit import cli\n"
        "sys.argv = ['genkit', 'run', 'vae', '--name', 'mine']\n"
        "try: cli.main()\nexcept SystemExit as ended: print(ended.code)\n"
        "print([name for name in ('keras', 'scipy', 'jax', 'torch') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout == "1\n[]\n"
    assert done.stderr.startswith("error: The run directory runs/mine exists already. Go on")


@pytest.mark.slow
def test_a_length_of_nothing_and_a_finished_run_are_told(genkit_here):
    code, _, err = genkit_here(*RUN[:-2], "--set", "width=4", "--steps", 0, "--name", "empty")
    assert code == 0, err
    assert "A length of 0 trains nothing" in err
    code, out, err = genkit_here("resume", "runs/empty")
    assert code == 0
    assert "runs/empty: 0 steps" in out
    assert "Going on" not in err
    assert "The run was finished" in err
    assert "genkit resume runs/empty --steps N" in err
    for wrong in (["--steps", 0], ["--backend", "jaxx"]):
        code, _, err = genkit_here("resume", "runs/empty", *wrong)
        assert code == 2
        assert len(err.splitlines()) == 1, "nothing goes on, and nothing says so"


def test_an_empty_folder(genkit_here, tmp_path):
    (tmp_path / "pictures").mkdir()
    code, _, err = genkit_here(*FOLDER)
    assert code == 1
    assert "pictures" in err.splitlines()[-1]
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_images_of_mixed_size_are_told_with_the_way_out(genkit_here, tmp_path):
    images(tmp_path / "pictures")
    images(tmp_path / "pictures", size=(8, 12))
    code, _, err = genkit_here(*FOLDER)
    assert code == 1
    assert "resize" in err
    assert not (tmp_path / "runs").exists()
    code, _, err = genkit_here(*FOLDER, "--data", "transforms=resize=8")
    assert code == 0, err


@pytest.mark.slow
def test_images_of_mixed_mode_are_told_with_the_way_out(genkit_here, tmp_path):
    images(tmp_path / "pictures")
    images(tmp_path / "pictures", mode="L")
    code, _, err = genkit_here(*FOLDER)
    assert code == 1
    assert "mode=RGB" in err
    code, _, err = genkit_here(*FOLDER, "--data", "mode=L")
    assert code == 0, err


def test_one_unreadable_image_among_many_is_skipped_and_counted(genkit_here, tmp_path):
    images(tmp_path / "pictures")
    (tmp_path / "pictures/torn.png").write_bytes(b"\x89PNG nothing")
    (tmp_path / "pictures/phone.heic").write_bytes(b"x")
    code, out, err = genkit_here(*FOLDER, "--name", "some")
    assert code == 0, err
    assert err.count("warning: ") == 1
    assert ".heic 1 (first: phone.heic), unreadable 1 (first: torn.png)" in err
    assert "runs/" in out
    kept = json.loads((tmp_path / "runs/some/environment.json").read_text())["data"]
    assert kept["left_out"] == {".heic": 1, "unreadable": 1}


def test_a_size_the_model_can_not_do_is_told(genkit_here, tmp_path):
    images(tmp_path / "pictures", size=(10, 10))
    code, _, err = genkit_here(*FOLDER)
    assert code == 1
    assert "resize=12x12" in err


def test_an_unknown_backend_that_is_not_installed(genkit_here, monkeypatch):
    monkeypatch.setattr(activation, "find_spec", lambda _: None)
    code, _, err = genkit_here(*RUN, "--backend", "tensorflow")
    assert code == 2
    assert "pip install 'genkit-keras[tensorflow]'" in err


def test_info_shows_settings_presets_and_references(genkit_here):
    code, out, _ = genkit_here("info", "gvae", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["name"] == "vae"
    assert {f["name"] for f in told["config"]} >= {"latent_dim", "kl_weight"}
    assert all(f["type"] and f["default"] and f["meaning"] for f in told["config"])
    assert set(told["presets"]) == {"default", "flow", "reference"}
    assert any("1312.6114" in r for r in told["references"])
    assert "latent_dim" in genkit_here("info", "vae")[1]


def test_a_dry_run_prints_the_plan_and_writes_nothing(genkit_here, tmp_path):
    code, out, _ = genkit_here(*RUN, "--dry-run", "--json")
    assert code == 0
    plan = json.loads(out)
    assert plan["steps"] == 1
    assert plan["config"]["width"] == 4
    assert list(tmp_path.iterdir()) == []


def test_the_same_warning_is_shown_once(capfd):
    show = cli._showing_once()
    for text in ("left out: 1", "left out:\n 1", "another"):
        show(UserWarning(text), UserWarning, "file.py", 1)
    assert capfd.readouterr().err.splitlines() == ["warning: left out: 1", "warning: another"]
