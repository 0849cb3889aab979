"""The model card: what it says is in the run's files, and what they don't say it admits."""

import json
import re
import shutil

import numpy as np
import pytest

import genkit
from genkit.errors import RunError
from genkit.files import write_json
from genkit.report.card import renew_card
from genkit.report.card.compute import WATTS_A_THREAD
from genkit.report.card.header import to_yaml
from tests.training.small import SMALL

yaml = pytest.importorskip("yaml")

FIGURES = [
    {"name": "fid", "value": 12.5, "low": 11.0, "high": 14.25, "direction": "min",
     "card": {"against": "digits", "split": "test", "n_generated": 5000, "n_real": 297,
              "seed": 1, "extractor": "lenet", "interval": "bootstrap, 95 %"}},
    {"name": "memorisation", "value": 0.03, "low": 0.01, "high": 0.06, "direction": "min",
     "card": {"against": "digits", "split": "test", "training_fingerprint": "ab"}},
]  # fmt: skip


@pytest.fixture(scope="module")
def trained(active_backend, tmp_path_factory):
    return genkit.train("vae", runs_dir=tmp_path_factory.mktemp("runs"), **SMALL, steps=3).path


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


def model_card(run):
    renew_card(run)
    return (run / "model/README.md").read_text(encoding="utf-8")


def header_of(card):
    _, text, _ = card.split("---\n", 2)
    return yaml.safe_load(text)


def test_a_trained_model_has_a_card_that_the_hub_can_read(run):
    hub = pytest.importorskip("huggingface_hub")
    write_json(run / "evaluation.json", {"metrics": FIGURES, "step": 3})
    renew_card(run)
    card = hub.ModelCard.load(run / "model/README.md")
    assert card.data.library_name == "genkit-keras"
    assert card.data.pipeline_tag == "unconditional-image-generation"
    results = {r.metric_type: r for r in card.data.eval_results}
    assert results["fid"].metric_value == 12.5
    assert results["fid"].dataset_name == "digits"
    assert results["fid"].dataset_split == "test"
    assert results["fid"].metric_name == "fid (lenet)"
    assert results["memorisation"].metric_name == "memorisation"
    assert results["fid"].metric_args == {
        "interval_95": [11.0, 14.25],
        "direction": "min",
        "extractor": "lenet",
        "n_generated": 5000,
        "n_real": 297,
        "seed": 1,
    }


def test_figures_against_other_data_are_results_of_that_data(run):
    other = {**FIGURES[0], "card": {**FIGURES[0]["card"], "against": "mnist", "split": "train"}}
    alone = {**FIGURES[0], "name": "brightness", "card": {"seed": 1}}
    write_json(run / "evaluation.json", {"metrics": [*FIGURES, other, alone], "step": 3})
    (entry,) = header_of(model_card(run))["model-index"]
    found = [(r["dataset"], [m["type"] for m in r["metrics"]]) for r in entry["results"]]
    assert found == [
        ({"name": "digits", "type": "digits", "split": "test"}, ["fid", "memorisation"]),
        ({"name": "mnist", "type": "mnist", "split": "train"}, ["fid"]),
        ({"name": "digits", "type": "digits"}, ["brightness"]),
    ]


def test_before_an_evaluation_it_says_what_is_not_known(run):
    card = (run / "model/README.md").read_text()
    data = header_of(card)
    assert "model-index" not in data
    assert (data["license"], data["datasets"]) == ("unknown", ["digits"])
    assert "its quality is not known" in card.lower()
    assert "## Memorisation\n\nNot measured. `genkit evaluate RUN`" in card


def test_it_tells_of_the_data_and_its_licence(run):
    card = (run / "model/README.md").read_text()
    environment = json.loads((run / "environment.json").read_text())
    assert "| licence | CC BY 4.0, E. Alpaydin and C. Kaynak, UCI |" in card
    assert "| homepage | https://archive.ics.uci.edu/dataset/80 |" in card
    assert f"| items | {environment['data']['items']:,} |" in card
    assert environment["data"]["fingerprint"] in card


def test_figures_stand_with_their_intervals_and_how_they_were_made(run):
    write_json(run / "evaluation.json", {"metrics": FIGURES, "step": 3})
    card = model_card(run)
    assert "| fid | 12.5 | 11 to 14.25 | lower |\n" in card
    assert "| against | digits |\n| split | test |" in card
    own = "n_generated 5000; n_real 297; seed 1; extractor lenet; interval bootstrap, 95 %"
    assert f"- fid: {own}\n" in card.replace("\\_", "_")
    assert "## Memorisation\n\nmemorisation 0.03 (95 % interval 0.01 to 0.06)" in card
    assert "is not known" not in card


def test_what_all_figures_share_is_said_once(run):
    figures = [{**FIGURES[0], "name": name} for name in ("fid", "kid", "precision")]
    write_json(run / "evaluation.json", {"metrics": figures, "step": 3})
    section = model_card(run).split("## Evaluation")[1].split("\n## ")[0]
    for fact in ("lenet", "bootstrap, 95 %", "5000", "297"):
        assert section.count(fact) == 1, fact
    assert "- kid" not in section


def test_it_shows_the_samples_of_the_weights_that_lie_beside_it(run):
    card = (run / "model/README.md").read_text()
    assert "![Samples from noise after step 3](samples.png)" in card
    drawn = (run / "samples/00000003.png").read_bytes()
    assert (run / "model/samples.png").read_bytes() == drawn
    (run / "samples/00000003.png").unlink()
    renew_card(run)
    assert "samples.png" not in (run / "model/README.md").read_text()
    assert not (run / "model/samples.png").exists()


def test_all_that_was_measured_of_memorisation_stands_together(run):
    names = ["memorisation", "near-copies", "copies", "membership-inference"]
    figures = [{**FIGURES[1], "name": name} for name in names]
    write_json(run / "evaluation.json", {"metrics": [FIGURES[0], *figures], "step": 3})
    section = model_card(run).split("## Memorisation")[1].split("##")[0]
    assert all(f"{name} 0.03 (95 %" in section for name in names)
    assert "fid" not in section
    assert "well below 1, or any copies, means that items were learned by heart" in section


def test_figures_of_other_weights_are_told_of_and_not_in_the_header(run):
    write_json(run / "evaluation.json", {"metrics": FIGURES, "step": 2})
    card = model_card(run)
    assert "Measured of the weights of step 2; those here are of step 3." in card
    assert "model-index" not in header_of(card)


@pytest.mark.parametrize("text", ["{", '{"metrics": [1]}', '{"metrics": [{"name": "fid"}]}'])
def test_a_damaged_evaluation_counts_as_none(run, text):
    (run / "evaluation.json").write_text(text)
    assert "its quality is not known" in model_card(run).lower()


def test_a_figure_that_is_no_number_is_no_result(run):
    odd = {**FIGURES[0], "value": float("nan")}
    (run / "evaluation.json").write_text(json.dumps({"metrics": [odd, FIGURES[1]]}))
    (entry,) = header_of(model_card(run))["model-index"]
    assert [m["type"] for m in entry["results"][0]["metrics"]] == ["memorisation"]


def test_energy_is_time_times_an_assumed_power_and_says_so(run):
    environment = json.loads((run / "environment.json").read_text())
    environment["device"] = {"platform": "cpu", "device": "cpu", "threads": 10}
    write_json(run / "environment.json", environment)
    row = {"step": 3, "epoch": 1, "seconds": 3600.0, "loss": 1.0}
    (run / "metrics.jsonl").write_text(json.dumps(row) + "\n")
    card = model_card(run)
    low, high = (f"{10 * watts:.2g}" for watts in WATTS_A_THREAD)
    assert f"| energy, estimated | {low} to {high} Wh |" in card
    assert "The energy was not measured." in card
    assert "| training time | 3600 s, summed over all sittings |" in card


HOSTILE = 'vae"\n---\nlicense: mit\n# <script>alert(1)</script> \x00\x85\u2028\ud800 | [a](b) 😀'


def test_hostile_names_stay_inside_their_strings(run):
    plan = json.loads((run / "plan.json").read_text())
    name = HOSTILE.replace("\ud800", "")
    plan |= {"model": name, "dataset": name, "config": {"x": "```\n# Title"}}
    write_json(run / "plan.json", plan)
    write_json(run / "evaluation.json", {"metrics": [{**FIGURES[0], "name": name}]})
    card = model_card(run)
    data = header_of(card)
    assert data["license"] == "unknown"
    assert name in data["tags"]
    assert data["metrics"] == [name]
    titles = re.findall("^#.*$", card, re.MULTILINE)
    assert [t for t in titles if t.startswith("# ")] == [titles[0]]
    assert "<script>" not in re.sub(r"\\<", "", card.split("---\n", 2)[2])
    assert card.count("\n```\n") == 2


def test_where_the_data_lay_is_not_told(run):
    plan = json.loads((run / "plan.json").read_text())
    data = {"path": "/home/me/photos", "items_path": "/home/me/items.csv", "label": "kind"}
    write_json(run / "plan.json", {**plan, "data": data})
    card = model_card(run)
    assert "/home/me" not in card
    assert '"label": "kind"' in card


@pytest.mark.parametrize(
    "value",
    [1e-5, 1e16, 0.1, 3, -2.5e-300, "", "no", "1", "a: b", HOSTILE[:-10], ["x"], {"a": [1]}],
)
def test_values_are_read_back_as_they_were(value):
    assert yaml.safe_load(to_yaml(value)) == value


def test_the_card_is_no_part_of_what_is_loaded(run, active_backend):
    before = genkit.load(run / "model").generate(2)
    (run / "model/README.md").unlink()
    np.testing.assert_array_equal(genkit.load(run / "model").generate(2), before)


def test_it_says_what_the_trainer_states(run):
    assert "## Training\n" not in model_card(run)
    write_json(run / "statement.json", {"protects_data": False, "facts": {"clipped": "at | 1"}})
    card = model_card(run)
    assert "## Training\n\n| | |\n| --- | --- |\n| clipped | at \\| 1 |\n" in card
    assert "fingerprint" in card


def test_of_protected_data_it_tells_neither_fingerprint_nor_losses(run):
    before = model_card(run)
    write_json(run / "statement.json", {"protects_data": True, "facts": {}})
    after = model_card(run)
    for told in ("fingerprint", "training losses", "samples.png"):
        assert told in before
        assert told not in after


def test_figures_measured_on_protected_items_are_not_told(run):
    write_json(run / "evaluation.json", {"metrics": FIGURES, "step": 3})
    assert "memorisation" in model_card(run)
    write_json(run / "statement.json", {"protects_data": True, "facts": {}})
    card = model_card(run)
    assert "memorisation" not in card
    assert header_of(card)["metrics"] == ["fid"]
    for section in ("Evaluation", "Memorisation"):
        text = card.split(f"## {section}\n")[1].split("\n##")[0]
        assert "not written here: measured on the protected items" in text
    assert "is not known" not in card


def test_a_run_without_a_model_gets_no_card(run):
    shutil.rmtree(run / "model")
    renew_card(run)
    assert not (run / "model").exists()


@pytest.mark.parametrize("device", [1, {"threads": "many"}])
def test_a_damaged_run_is_told_of(run, device):
    environment = json.loads((run / "environment.json").read_text())
    write_json(run / "environment.json", {**environment, "device": device})
    with pytest.raises(RunError, match="damaged"):
        model_card(run)
