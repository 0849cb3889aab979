"""The page of the reference results."""

import json
from pathlib import Path

import genkit
from genkit.builtin import zoo
from genkit.builtin.zoo import preset_of
from tests.zoo import page

ROOT = Path(__file__).parents[2]


def row(model, **changes):
    quality = {
        "figures": {
            "fid": [13.8, 13.1, 14.5],
            "kid": [0.0123, 0.0101, 0.0145],
            "copies": [0, 0, 0],
        },
        "card": {"extractor": "mnist-classifier", "extractor_hash": "0123456789abcdef"},
        "latents": {},
    }
    plain = {
        "model": model,
        "data": "mnist",
        "backend": "torch",
        "preset": "default",
        "recipe": preset_of(model, "default"),
        "seed": 0,
        "steps": 7,
        "seconds": 90.0,
        "quality": quality,
        "machine": "a machine",
        "date": "2026-01-01",
    }
    return {**plain, **changes}


def test_a_row_measured_again_replaces_the_old_one_and_others_stay_in_order():
    rows = page.merge([row("dcgan"), row("vae")], row("vae", steps=9))
    assert [(r["model"], r["steps"]) for r in rows] == [("dcgan", 7), ("vae", 9)]
    rows = page.merge(rows, row("gan"))
    assert [r["model"] for r in rows] == ["gan", "dcgan", "vae"]
    rows = page.merge(rows, row("gan", backend="jax"))
    assert len(rows) == 4


def test_the_page_has_each_row_where_it_belongs():
    vae = row("vae")
    vae["quality"] = {
        **vae["quality"],
        "latents": {"reconstruction_mse": 0.0123, "nll_100_nats": 98.7},
    }
    text = page.render([row("dcgan", cpu_seconds=150.0), vae])
    training, samples, privacy, last = text.split("\n## ")[1:]
    assert "| dcgan | mnist | default | torch | 0 | 7 | 1.5 | 2.5 | M1, 2026-01-01 |" in training
    assert "`mnist-classifier` (SHA-256 0123456789ab)" in samples
    figures = "| 13.8 [13.1, 14.5] | 0.0123 [0.0101, 0.0145] | - |"
    assert f"| dcgan | default | 1 {figures}" in samples
    assert "| dcgan | default | 1 | - | - | 0 | - |" in privacy
    assert "dcgan" not in last
    assert "98.7" in last
    assert "0.0123" in last


def test_what_comes_with_genkit_is_what_the_page_tells():
    rows = json.loads((ROOT / "docs/zoo.json").read_text(encoding="utf-8"))
    file = Path(genkit.__file__).parent / "builtin/zoo.json"
    assert file.read_text(encoding="utf-8") == page.shipped(rows), "write it by tests.zoo.page"
    assert file.stat().st_size < 20_000


def test_seeds_of_one_preset_are_averaged():
    other = row("vae", seed=1)
    figures = {**other["quality"]["figures"], "fid": [14.0, 13.0, 15.0]}
    other["quality"] = {**other["quality"], "figures": figures}
    found = json.loads(page.shipped([row("vae"), other, row("vae", preset="reference")]))
    assert [(each["preset"], each["figures"]["fid"]) for each in found] == [
        ("default", 13.9),
        ("reference", 13.8),
    ]
    assert "| vae | default | 2 | 13.9 [13.8, 14] |" in page.render([row("vae"), other])


def test_figures_of_a_preset_that_has_changed_are_marked_and_shown_nowhere_else():
    shown = {found.model for found in zoo.zoo_models()}
    rows = json.loads((ROOT / "docs/zoo.json").read_text(encoding="utf-8"))
    unchanged = {
        each["model"] for each in rows if each["recipe"] == preset_of(each["model"], "default")
    }
    assert shown == unchanged != set()
    text = page.render([row("dcgan"), row("vae", recipe={"epochs": 1})])
    assert "| dcgan | mnist | default | torch |" in text
    assert "| vae | mnist | default (old) | torch |" in text
