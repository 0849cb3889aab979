"""What is refused before anything is trained, and the command line."""

import json
import signal
import subprocess

import pytest

import genkit
from genkit.errors import UsageError
from genkit.workflows.augmentation.experiment import run_experiment
from genkit.workflows.augmentation.result import AugmentResult
from genkit.workflows.augmentation.settings import make_settings
from tests.commands import GENKIT, variables

SMALL = (
    "--model", "cvae", "--dataset", "digits", "--set", "width=4", "--per-class", 4, "--ratios", 1,
    "--seeds", 3, "--steps", 10, "--classifier-steps", 10,
)  # fmt: skip


def refused(registry, match, flags=None, **settings):
    with pytest.raises(UsageError, match=match):
        make_settings(registry, {"model": "cvae", "dataset": "digits", **(flags or {})}, **settings)


def test_settings_that_make_no_sense_are_refused(registry):
    refused(registry, "seeds", seeds=2)
    refused(registry, "ratios", ratios=[0])
    refused(registry, "ratios", ratios=[1, 1])
    refused(registry, "classical", classical=["rotate"])
    refused(registry, "'latent'", {"config": {"latent": 3}})


def test_the_splits_are_not_for_the_user_to_choose(registry):
    refused(registry, "chooses split of the data set itself", {"data": {"split": "all"}})


def test_data_without_a_test_split_names_data_that_has_one(registry):
    told = "npz has no setting split. Choose --dataset digits, fashion-mnist"
    refused(registry, told, {"dataset": "npz", "data": {"path": "x.npz"}})


def test_a_generator_learns_for_1500_steps_unless_told(registry):
    flags = {"model": "cvae", "dataset": "digits"}
    assert make_settings(registry, flags).generator.steps == 1500
    plan = make_settings(registry, {**flags, "epochs": 3}).generator
    assert (plan.steps, plan.epochs) == (None, 3)


@pytest.mark.parametrize(
    ("model", "config"),
    [("vae", {}), pytest.param("ddpm", {"conditional": False}, marks=pytest.mark.slow)],
)
def test_a_model_that_takes_no_label_names_those_that_do(settings, tmp_path, model, config):
    with pytest.raises(UsageError, match="generates by label") as error:
        run_experiment(settings(model, config), tmp_path / "a")
    assert "cgan, cvae" in error.value.hint
    assert "ddpm, flow-matching or latent-flow with --set conditional=true" in error.value.hint
    assert not (tmp_path / "a").exists()


def test_data_without_labels_says_what_to_choose(registry, plugins, tmp_path):
    from PIL import Image

    for split in ("train", "test"):
        (tmp_path / "photos" / split).mkdir(parents=True)
        Image.new("L", (8, 8)).save(tmp_path / "photos" / split / "0.png")
    flags = {"model": "cvae", "dataset": "image-folder", "data": {"path": tmp_path / "photos"}}
    settings = make_settings(registry, flags)
    with pytest.raises(UsageError, match=r"image-folder has no labels\. Choose --dataset fashion"):
        run_experiment(settings, tmp_path / "a")


@pytest.mark.slow
def test_the_command_stops_on_a_signal_goes_on_and_prints_one_object(genkit_command, tmp_path):
    command = [*GENKIT, "augment", *map(str, SMALL), "--json"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stderr:
            if "arms left" in line:
                process.send_signal(signal.SIGTERM)
                break
        out, err = process.communicate(timeout=300)
    assert process.returncode in (128 + signal.SIGTERM, -signal.SIGTERM), err
    if process.returncode > 0:  # it was asked while it trained; else it was ended between
        assert json.loads(out)["state"] == "stopped"
    folder = tmp_path / "augmentations" / "cvae-digits-4"
    kept = json.loads((folder / "results.json").read_text())

    told = json.loads(genkit_command("augment", *SMALL, "--workers", 2, "--json").stdout)
    results = json.loads((folder / "results.json").read_text())
    assert kept["0"].items() <= results["0"].items()
    assert told["state"] == "done"
    assert told["verdict"]["answer"] in ("helps", "hurts", "can't tell")
    assert {row["n"] for row in told["table"]} == {3}
    assert (tmp_path / told["folder"] / told["mixed"]["folder"]).is_dir()
    assert genkit_command("generate", folder / "generators" / "seed-1", "--label", 3).stdout

    again = {**results, "1": {k: v for k, v in results["1"].items() if k != "real"}}
    (folder / "results.json").write_text(json.dumps(again))
    shown = genkit_command("augment", *SMALL).stdout
    assert json.loads((folder / "results.json").read_text()) == results, (
        "one process, two: the same"
    )
    assert not any((folder / "parts").iterdir())
    assert "Verdict: " in shown
    assert "real+synthetic" in shown


def test_python_asks_as_the_command_line_does(monkeypatch, tmp_path):
    from genkit.workflows.augmentation import experiment

    asked = []

    def finish(settings, folder, *_):
        asked.append(settings)
        sentence = {"sentence": "It helps."}
        summary = {"verdict": sentence, "verdict_beyond_classical": sentence}
        return AugmentResult(folder, summary)

    monkeypatch.setattr(experiment, "run_experiment", finish)
    settings = {"dataset": "digits", "steps": 3, "verbose": False}
    result = genkit.augment("cvae", per_class=5, ratios=[1], out=tmp_path / "mine", **settings)
    assert repr(result) == f"<Augmentation {tmp_path / 'mine'}>\nIt helps.\nIt helps."
    assert "It helps." in result._repr_html_()
    assert (asked[0].per_class, asked[0].ratios, asked[0].generator.steps) == (5, (1.0,), 3)
    assert "signal 2" in repr(AugmentResult(tmp_path, {}, 2))
