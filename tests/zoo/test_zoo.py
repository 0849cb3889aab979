"""The page of the reference results."""

from tests.zoo import page


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
    text = page.render([row("dcgan"), vae])
    training, samples, privacy, last = text.split("\n## ")[1:]
    assert "| dcgan | mnist | default | torch | 0 | 7 | 1.5 | M1, 2026-01-01 |" in training
    assert "`mnist-classifier` (SHA-256 0123456789ab)" in samples
    assert (
        "| dcgan | default | torch | 13.8 [13.1, 14.5] | 0.0123 [0.0101, 0.0145] | - |" in samples
    )
    assert "| dcgan | default | torch | - | - | 0 | - |" in privacy
    assert "dcgan" not in last
    assert "98.7" in last
    assert "0.0123" in last
