"""Plugins in, specs out; one plugin's faults stay its own. No framework is needed."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

import genkit
from genkit.errors import AmbiguousNameError, PluginError, UnknownNameError, UsageError
from genkit.plugins.entries import KINDS
from genkit.plugins.registry import Registry, installed, using


def plugin(name, **hooks):
    found = {f"genkit_{kind}": genkit.hookimpl(function) for kind, function in hooks.items()}
    return SimpleNamespace(__name__=name, **found)


def spec(name, **changes):
    fields = {
        "summary": "A model",
        "model": "some.module:Model",
        "config": "some.module:Config",
        "accepts": ("image",),
    }
    return genkit.ModelSpec(name=name, **{**fields, **changes})


GOOD = plugin("good", models=lambda: [spec("fine")])


def test_specs_of_every_kind_are_found_by_name():
    hooks = {
        "models": lambda: [spec("m")],
        "datasets": lambda: [
            genkit.DatasetSpec(name="d", summary="D", source="a:b", config="a:c", modality="image")
        ],
        "trainers": lambda: [genkit.TrainerSpec(name="t", summary="T", trainer="a:b")],
        "metrics": lambda: [
            genkit.MetricSpec(
                name="q", summary="Q", metric="a:b", direction="min", modality="image"
            )
        ],
        "extractors": lambda: [
            genkit.ExtractorSpec(name="x", summary="X", extractor="a:b", modality="text")
        ],
        "callbacks": lambda: [genkit.CallbackSpec(name="c", summary="C", callback="a:b")],
        "commands": lambda: [genkit.CommandSpec(name="v", summary="V", command="a:b")],
        "renderers": lambda: [
            genkit.RendererSpec(name="r", summary="R", renderer="a:b", modality="text")
        ],
        "reviewers": lambda: [
            genkit.ReviewerSpec(name="w", summary="W", reviewer="a:b", modality="text")
        ],
        "transforms": lambda: [
            genkit.TransformSpec(
                name="f", summary="F", transform="a:b", modality="text", examples=("f",)
            )
        ],
        "learners": lambda: [
            genkit.LearnerSpec(
                name="l", summary="L", learner="a:b", modality="text", classical=("c",)
            )
        ],
        "openers": lambda: [genkit.OpenerSpec(name="o", summary="O", types=("a:B",), opener="a:b")],
        "launchers": lambda: [genkit.LauncherSpec(name="u", summary="U", launcher="a:b")],
    }
    registry = Registry([plugin("all", **hooks)])
    assert registry.broken == []
    for kind, name in zip(KINDS, "mdtqxcvrwfolu", strict=True):
        entry = registry.find(kind, name)
        assert entry.spec.name == name
        assert entry.distribution == "all"


def test_built_ins_come_through_the_same_hooks():
    from genkit.builtin import plugin as builtin
    from genkit.builtin.model_specs import MODELS

    names = {e.spec.name for e in Registry([builtin]).entries("models")}
    assert {"dcgan", "vae"} <= names == {spec.name for spec in MODELS}


def fails():
    raise RuntimeError("boom")


def stops_half_way():
    yield spec("kept")
    raise RuntimeError("boom")


@pytest.mark.parametrize(
    ("bad", "stage", "error"),
    [
        (plugin("bad", models=fails), "call", "RuntimeError: boom"),
        (plugin("bad", models=lambda: 3), "call", "TypeError"),
        (plugin("bad", models=lambda: [spec("Bad Name")]), "record", "lower case"),
        (plugin("bad", models=lambda: ["dcgan"]), "record", "Expected a ModelSpec"),
        (plugin("bad", models=lambda: [spec("a"), spec("a")]), "record", "received a second"),
        (plugin("bad", modles=lambda: [spec("a")]), "hooks", "unknown hook"),
        (SimpleNamespace(__name__="bad"), "hooks", "implements no genkit hook"),
    ],
)
def test_a_fault_is_recorded_and_the_others_go_on(bad, stage, error):
    registry = Registry([bad, GOOD])
    assert [(b.plugin, b.stage) for b in registry.broken] == [("bad", stage)]
    assert error in registry.broken[0].error
    assert "\n" not in registry.broken[0].error
    assert "Traceback" in registry.broken[0].traceback or "Error" in registry.broken[0].traceback
    assert registry.find("models", "fine")


def test_an_unknown_hook_is_named_and_the_others_go_on():
    ahead = plugin("ahead", models=lambda: [spec("fine")], dreams=lambda: iter(()))
    registry = Registry([ahead])
    assert registry.find("models", "fine").plugin == "ahead"
    (fault,) = registry.broken
    assert (fault.stage, fault.hook) == ("hooks", "genkit_dreams")
    assert "'genkit_dreams', which GenKit" in fault.error


def test_records_before_a_fault_stay():
    registry = Registry([plugin("half", models=stops_half_way)])
    assert registry.find("models", "kept")
    assert registry.broken[0].stage == "call"


def test_strict_mode_raises_the_first_fault(monkeypatch):
    monkeypatch.setenv("GENKIT_STRICT_PLUGINS", "1")
    with pytest.raises(PluginError, match=r"bad.*call.*boom"):
        Registry([plugin("bad", models=fails)])


def test_two_of_one_name_are_both_kept_and_the_bare_name_asks_which():
    one, two = (plugin(name, models=lambda: [spec("vae")]) for name in ("one", "two"))
    registry = Registry([one, GOOD, two])
    with pytest.raises(AmbiguousNameError, match="Write one/vae or two/vae"):
        registry.find("models", "vae")
    assert registry.find("models", "two/vae").distribution == "two"
    assert registry.find("models", "fine")


def test_an_alias_finds_its_model():
    registry = Registry([plugin("one", models=lambda: [spec("vae", aliases=("gvae",))])])
    assert registry.find("models", "gvae").spec.name == "vae"


def test_a_near_miss_is_suggested():
    with pytest.raises(UnknownNameError, match="Did you mean 'fine'"):
        Registry([GOOD]).find("models", "fin")
    with pytest.raises(UnknownNameError, match="genkit list models"):
        Registry([GOOD]).find("models", "xyz")


def test_a_record_reads_its_own_settings():
    from genkit.builtin import plugin

    entry = Registry([plugin]).find("models", "vae")
    assert entry.settings({"width": "8"}).width == 8
    with pytest.raises(UsageError, match="model vae"):
        entry.settings({"widht": 8})


def test_another_registry_takes_the_place_of_what_is_installed_within_a_block():
    first, second = Registry([GOOD]), Registry([])
    usual = installed()
    with using(first):
        with using(second):
            assert installed() is second
        assert installed() is first
    assert installed() is usual
    with pytest.raises(UnknownNameError), using(first):
        installed().find("models", "nothing")
    assert installed() is usual


def test_threads_load_what_is_installed_once(monkeypatch):
    from genkit.plugins import registry

    made = []

    class Slow(Registry):
        def _scan(self):
            time.sleep(0.05)
            made.append(self)

    monkeypatch.setattr(registry, "Registry", Slow)
    stdout = sys.stdout
    registry._of_installed.cache_clear()
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: installed(), range(4)))
    finally:
        registry._of_installed.cache_clear()
    assert made == [found[0]]
    assert all(each is made[0] for each in found)
    assert sys.stdout is stdout
