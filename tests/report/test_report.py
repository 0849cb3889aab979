"""What a report says, and what becomes of it when something is missing."""

import json
import shlex
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

import genkit
from genkit.data import ArraySource
from genkit.errors import PluginError, UsageError
from genkit.plan import activation
from genkit.plan import plan as plans
from genkit.plugins.registry import installed
from genkit.report import command, contrasts, curves, grids, page, renderers, variations
from genkit.report.neighbours import nearest_items
from genkit.report.readable import ReadableColumns
from genkit.runs.run import Run
from tests.docs.test_pages import flags_of

VECTORS = genkit.Schema({"signal": genkit.Field((5,), "float32", "vector")})


def attached(run):
    return (run / "report.html").read_text()


def figures(run, value, **card):
    listed = [
        {"name": "fid", "value": value, "low": 1, "high": 9, "direction": "min", "card": card}
    ]
    (run / "evaluation.json").write_text(json.dumps({"metrics": listed}))


@pytest.mark.slow
def test_a_run_has_a_report_as_it_ends_that_says_how_to_make_the_full_one(runs):
    told = attached(runs / "vae")
    assert f"genkit report {runs / 'vae'}" in told
    assert "https://archive.ics.uci.edu" in told
    assert "CC BY 4.0" in told
    fingerprint = Run.open(runs / "vae").environment()["data"]["fingerprint"]
    assert fingerprint in told


def test_a_report_that_cannot_be_written_is_a_warning_and_the_run_is_done(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page, "write_text", refuse)
    settings = {"dataset": "digits", "steps": 1, "batch_size": 50, "config": {"hidden": 8}}
    with pytest.warns(UserWarning, match=r"report of .* can't be written .*No space left"):
        result = genkit.train("gan", runs_dir=tmp_path, name="run", verbose=False, **settings)
    assert Run.open(result.path).status() == {"state": "done", "step": 1}
    assert not (result.path / "report.html").exists()


def test_one_step_is_told_and_not_drawn(monkeypatch):
    monkeypatch.setattr(curves.plots, "figure", None)  # whoever drew would fail
    one = SimpleNamespace(curves={"loss": ([1], [44.284]), "kl_loss": ([1], [0.5])})
    assert "One step was logged: loss 44.28, kl_loss 0.5." in str(curves.losses(one).body)


@pytest.mark.slow
def test_a_run_that_diverged_has_its_curves_in_a_report(tmp_path):
    settings = {"dataset": "digits", "steps": 200, "batch_size": 100}
    config = {"width": 4, "latent_dim": 4, "learning_rate": 1e12}
    with pytest.raises(genkit.GenkitError):
        genkit.train(
            "vae", runs_dir=tmp_path, name="wild", verbose=False, config=config, **settings
        )
    assert "The run failed: " in attached(tmp_path / "wild")


def test_the_command_of_a_plan_makes_the_same_plan(monkeypatch):
    monkeypatch.setattr(activation, "choose_backend", lambda requested: requested or "jax")
    registry = installed()
    wishes = {
        "model": "cgan",
        "dataset": "digits",
        "preset": "reference",
        "backend": "jax",
        "steps": 77,
        "seed": 5,
        "precision": "bfloat16",
        "config": {"augment": "color translation", "learning_rate": 1e-5, "leaky_slope": 0.1},
        "data": {"limit": 100, "transforms": "resize=16 flip"},
        "keep_best": "g loss",
    }
    folder = {"path": "/a b/2024", "range": "0,1", "image": '"true"'}
    npz = {"model": "vae", "dataset": "npz", "backend": "jax", "data": folder}
    for asked in (wishes, npz, {"model": "vae", "backend": "torch"}):
        plan = plans.make_plan(registry, asked)
        words = shlex.split(command.run_command(plan, registry).replace("\\\n", " "))
        assert plans.make_plan(registry, flags_of(words[2:])) == plan
    assert words == ["genkit", "run", "vae", "--dataset", "mnist", "--backend", "torch"]


def test_callbacks_have_no_flag_and_are_given_as_a_recipe(monkeypatch):
    monkeypatch.setattr(activation, "choose_backend", lambda requested: requested or "jax")
    import tomllib

    callbacks = {"csv-logger": {"separator": ';"'}, "early-stopping": {"patience": 3}}
    plan = plans.make_plan(installed(), {"model": "vae", "callbacks": callbacks, "backend": "jax"})
    assert "--recipe callbacks.toml" in command.run_command(plan, installed())
    assert tomllib.loads(command.recipe(plan)) == {"callbacks": callbacks}


def test_the_command_names_the_plugins_and_versions_that_made_the_run(monkeypatch):
    monkeypatch.setattr(activation, "choose_backend", lambda requested: requested or "jax")
    plan = plans.make_plan(installed(), {"model": "vae", "backend": "torch"})
    plan = plan.model_copy(update={"distributions": {"model": "genkit-keras-mine"}})
    known = {
        "genkit": "0.1.0",
        "versions": {"torch": "2.13.0+cpu"},
        "plugins": {"genkit-keras-mine": "3"},
    }
    assert command.pip_command(plan, known) == (
        "pip install 'genkit-keras[torch]==0.1.0' genkit-keras-mine==3 torch==2.13.0"
    )


def test_the_nearest_items_are_found_whatever_the_chunks(monkeypatch):
    from genkit.report import neighbours

    rng = np.random.default_rng(0)
    stored = rng.integers(0, 17, (101, 4, 4, 1)).astype("uint8")
    field = genkit.Field((4, 4, 1), "uint8", "image", (0, 16))
    source = ArraySource({"image": stored}, genkit.Schema({"image": field}))
    queries = np.concatenate([stored[[7, 100]], 16 - stored[:1]]).astype("float32")
    monkeypatch.setattr(neighbours, "_CHUNK_BYTES", 4 * 16 * 10)
    distances, items = nearest_items(queries, source, "image", 3)
    every = np.sqrt((((queries[:, None] - stored[None]) / 16) ** 2).mean(axis=(2, 3, 4)))
    np.testing.assert_allclose(distances, np.sort(every)[:, :3], atol=1e-6)
    np.testing.assert_array_equal(items, stored[np.argsort(every)[:, :3]])
    assert distances[:2, 0].tolist() == [0, 0]


def test_items_that_are_no_pictures_are_shown_as_numbers():
    shown = renderers.render(
        VECTORS, "signal", np.arange(100, dtype="float32").reshape(20, 5), "<b>"
    )
    assert "<td>55</td>" in shown
    assert "first 12 of 20" in shown
    assert "&lt;b&gt;" in shown


def test_a_renderer_that_can_not_show_its_items_is_named(monkeypatch):
    field = genkit.Field((None,), "int32", "melody", (0, 6))
    schema = genkit.Schema({"notes": field})
    bare = genkit.Renderer(schema, "notes")
    monkeypatch.setattr(renderers, "find_renderer", lambda *_, **__: bare)
    with pytest.raises(PluginError, match="The renderer Renderer of melody failed: NotImplemented"):
        renderers.render(schema, "notes", [np.array([1, 2])], "Melodies")


def test_large_colourful_grids_stay_small():
    field = genkit.Field((256, 256, 3), "uint8", "image", (0, 255))
    noise = np.random.default_rng(0).integers(0, 255, (36, 256, 256, 3))
    schema = genkit.Schema({"photo": field})
    assert grids.can_draw(field)
    assert len(renderers.render(schema, "photo", noise.astype("uint8"), "photos")) < 1_500_000


@pytest.mark.slow
def test_a_run_whose_data_is_gone_still_has_a_report(copied, monkeypatch):
    from genkit.errors import DataError
    from genkit.runs import inputs

    def gone(*_, **__):
        raise DataError("The folder photos is not there.")

    monkeypatch.setattr(inputs, "open_data", gone)
    told = page.write_report([copied("vae")]).path.read_text()
    assert "The folder photos is not there." in told
    assert "Generated, seed 3" in told
    assert "Nearest training items" not in told


@pytest.mark.slow
def test_plots_are_files_too_and_the_same_run_gives_the_same_bytes(copied):
    run = copied("gan")
    first = page.write_report([run])
    assert [plot.name for plot in first.plots] == ["losses.png", "losses.svg"]
    before = [path.read_bytes() for path in (first.path, *first.plots)]
    again = page.write_report([run])
    assert [path.read_bytes() for path in (again.path, *again.plots)] == before


@pytest.mark.slow
def test_python_writes_a_report_of_anything_that_has_a_path(copied, tmp_path):
    run = Run.open(copied("vae"))
    written = genkit.write_report(run, tmp_path / "mine.html", n=4)
    assert written.path == tmp_path / "mine.html"
    assert genkit.write_report(str(run.path), str(tmp_path / "again.html"), n=4).path.exists()
    assert f'href="{written.path}"' in written._repr_html_()


@pytest.mark.slow
def test_figures_stand_with_their_cards_or_the_command_that_measures(copied):
    run = copied("gan")
    assert f"genkit evaluate {run}" in attached_again(run)
    figures(run, 12.5, extractor="pixels", n=500)
    told = attached_again(run)
    assert "12.5" in told
    assert "1 to 9" in told
    assert "<dt>extractor</dt><dd>pixels</dd>" in told
    (run / "evaluation.json").write_text('{"metrics": [{"name": "fid"}]}')
    assert "Expected a figure" in attached_again(run)


def attached_again(run):
    page.attach_report(Run.open(run), installed())
    return attached(run)


@pytest.mark.slow
def test_figures_measured_otherwise_are_not_compared(copied):
    first, second = copied("gan", "first"), copied("vae", "second")
    figures(first, 12.5, n=500)
    figures(second, 11.25, n=500)
    told = page.write_report([first, second]).path.read_text()
    assert "12.5 (1 to 9)" in told
    assert "11.25 (1 to 9)" in told
    figures(second, 11.25, n=1000)
    told = page.write_report([first, second]).path.read_text()
    assert "cards differ in n: 500 and 1000" in told
    assert "11.25 (" not in told  # bare, a curve may have it in a coordinate
    assert "config.latent_dim" in told


@pytest.mark.slow
def test_out_that_is_no_html_file_is_refused(runs, tmp_path):
    with pytest.raises(UsageError, match=r"ends with \.html"):
        page.write_report([runs / "gan"], tmp_path / "out")


@pytest.mark.slow
def test_the_command_tells_the_path_and_what_it_is_doing(copied, genkit_command):
    run = copied("gan", "my run")
    done = genkit_command("report", run, "--n", 4, "--json")
    told = json.loads(done.stdout)
    assert told["path"] == str(run / "report.html")
    assert told["plots"] == [str(run / "report" / f"losses.{end}") for end in ("png", "svg")]
    assert "Nearest training items" in done.stderr
    assert "evaluate" in attached(run)
    shutil.rmtree(run / "checkpoints")
    done = genkit_command("report", run, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def varied(**changes):
    """Return the inputs of a report on a model that makes pictures lighter."""
    schema = genkit.Schema({"image": genkit.Field((4, 4, 1), "float32", "image", range=(0, 1))})

    def vary(n, steps):
        levels = np.linspace(0, 1, steps, dtype="float32")[None, :, None, None, None]
        return {"light & <dark>": np.tile(levels, (n, 1, 4, 4, 1))}

    model = SimpleNamespace(schema=schema, vary=vary)
    inputs = {
        "model": model,
        "field": "image",
        "assets": {},
        "can": lambda capability: capability == "vary",
        "tell": lambda _: None,
        "reviewed": lambda items: items,
    }
    return SimpleNamespace(**{**inputs, **changes})


def test_variations_are_sliders_without_a_script():
    body = str(variations.variations(varied()).body)
    assert body.count('type="radio" name="slider-0"') == 7
    assert body.count(" checked") == 1
    assert body.count("<img") == 7
    assert "light &amp; &lt;dark&gt;" in body
    assert "<script" not in body
    assert variations.variations(varied(can=lambda _: False)) is None


def test_variations_of_another_shape_are_the_plugins_fault():
    model = varied().model
    model.vary = lambda n, steps: {"it": np.zeros((n, steps - 1, 4, 4, 1), "float32")}
    with pytest.raises(PluginError, match="6 items at 7 steps"):
        variations.variations(varied(model=model))


def contrasted(**changes):
    """Return the inputs of a report on a model that sums numbers up, of which one is refused."""
    schema = genkit.Schema({"x": genkit.Field((), "float32", "number")})
    source = ArraySource({"x": np.arange(5, dtype="float32")}, schema)
    model = SimpleNamespace(
        schema=schema,
        generate_items=lambda n, seed: iter([{"x": np.arange(3, dtype="float32")}]),
        contrast=lambda made, real: {"sums & more": f"<i>{made['x'].sum()} {real['x'].sum()}</i>"},
    )
    inputs = {
        "model": model, "fields": ("x",), "field": "x", "real": source, "held_out": source,
        "protects_data": False, "can": lambda capability: capability == "contrast",
        "tell": lambda _: None, "allowed": lambda items: items["x"] != 1,
        "run": SimpleNamespace(plan=SimpleNamespace(seed=0)),
    }  # fmt: skip
    return SimpleNamespace(**{**inputs, **changes})


def test_a_model_draws_generated_beside_real_items_itself():
    body = str(contrasts.contrasts(contrasted()).body)
    assert "<h3>sums &amp; more</h3>\n<i>2.0 10.0</i>" in body
    assert "2 generated items beside 5 real, held-out ones" in body
    assert contrasts.contrasts(contrasted(can=lambda _: False)) is None
    assert contrasts.contrasts(contrasted(protects_data=True)) is None
    assert contrasts.contrasts(contrasted(real=None)) is None


def test_text_that_is_masked_is_empty():
    schema = genkit.Schema({"t": genkit.Field((), "string", "column", missing=True)})
    items = np.ma.MaskedArray(np.array(["a", "b"], object), [False, True])
    column = ReadableColumns(schema, ["t"], {}).of({"t": items})["t"]
    assert column.texts() == ["a", ""]
    assert column.jsons() == ["a", None]
